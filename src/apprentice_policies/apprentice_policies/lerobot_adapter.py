# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Run a policy of an installed lerobot through the same interface; nothing else needs lerobot.

For the types that this package does not have, and to compare those that it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apprentice_policies.checkpoint import find_checkpoint
from apprentice_policies.config import CONFIG_FILE
from apprentice_policies.config import PolicyConfig
from apprentice_policies.device import resolve_device
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import FeatureType
from apprentice_policies.features import PolicyFeature
from apprentice_policies.inference import LoadedPolicy
from apprentice_policies.policy import Batch
from apprentice_policies.policy import Policy
import torch
from torch import Tensor


@dataclass
class AdaptedConfig(PolicyConfig):
    """What lerobot's configuration says, as far as the interface asks; it is not saved."""

    source: Any = None

    @property
    def type(self) -> str:
        """Return lerobot's name of the policy."""
        return str(self.source.type)

    @property
    def observation_delta_indices(self) -> list[int] | None:
        """Return lerobot's."""
        return self.source.observation_delta_indices

    @property
    def action_delta_indices(self) -> list[int] | None:
        """Return lerobot's."""
        return self.source.action_delta_indices

    @property
    def reward_delta_indices(self) -> list[int] | None:
        """Return lerobot's."""
        return self.source.reward_delta_indices


class AdaptedPolicy(Policy):
    """A policy of lerobot."""

    def __init__(self, inner: Any) -> None:
        """Wrap it."""
        source = inner.config
        config = AdaptedConfig(
            source.n_obs_steps, _features(source.input_features),
            _features(source.output_features), str(source.device), source.use_amp, source=source)
        super().__init__(config)
        self.inner = inner
        self.reset()

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return lerobot's loss, and of what it says the numbers."""
        loss, said = self.inner.forward(batch)
        numbers = {key: value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
                   for key, value in (said or {}).items()}
        return loss, {key: float(value) for key, value in numbers.items()
                      if isinstance(value, (int, float))}

    @torch.no_grad()
    def predict_chunk(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the coming actions, (B, T, A)."""
        with _seeded(generator):
            return self.inner.predict_action_chunk(dict(observation))

    @torch.no_grad()
    def select_action(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the next action, (B, A), out of lerobot's own queues."""
        self.eval()
        with _seeded(generator):
            return self.inner.select_action(dict(observation))

    def optimizer_parameters(self) -> Any:
        """Return lerobot's parameters or groups of them."""
        return self.inner.get_optim_params()

    def after_step(self) -> None:
        """Move a target network, where there is one."""
        if hasattr(self.inner, 'update'):
            self.inner.update()

    def reset(self) -> None:
        """Forget everything about the running episode."""
        super().reset()
        if 'inner' in self._modules:
            self.inner.reset()


def load(path: str | Path, device: str | None = None) -> LoadedPolicy:
    """
    Return the policy in a checkpoint as lerobot loads it, with lerobot's processors.

    :raises PolicyError: lerobot is not installed in this Python, or does not know the type.
    """
    folder = find_checkpoint(path)
    try:
        from lerobot.configs import PreTrainedConfig
        from lerobot.policies import get_policy_class
        from lerobot.policies import make_pre_post_processors
    except ImportError as error:
        raise PolicyError(f'found no lerobot ({error}), which this checkpoint is to be run by; '
                          'pip install lerobot, in a Python from 3.12') from None
    try:
        config = PreTrainedConfig.from_pretrained(folder)
    except Exception as error:  # Whatever a foreign parser raises.
        raise PolicyError(f'{folder / CONFIG_FILE}: lerobot does not read it: {error}') from None
    config.device = str(resolve_device(device or config.device))
    inner = get_policy_class(config.type).from_pretrained(folder, config=config)
    moved = {'device_processor': {'device': config.device}}
    pre, post = make_pre_post_processors(
        inner.config, pretrained_path=str(folder), preprocessor_overrides=moved)
    return LoadedPolicy(AdaptedPolicy(inner.eval()), pre, post, _renamed(pre))


def _renamed(pipeline: Any) -> Mapping[str, str]:
    return {old: new for step in pipeline.steps
            for old, new in (getattr(step, 'rename_map', None) or {}).items()}


def _features(features: Mapping[str, Any] | None) -> dict[str, PolicyFeature]:
    return {key: PolicyFeature(FeatureType(value.type.value), tuple(value.shape))
            for key, value in (features or {}).items()}


@contextmanager
def _seeded(generator: torch.Generator | None) -> Iterator[None]:
    """Let lerobot, which draws from torch's own generator only, follow another one."""
    if generator is None:
        yield
        return
    seed = torch.randint(2 ** 62, (1,), generator=generator, device=generator.device)
    with torch.random.fork_rng():
        torch.manual_seed(int(seed))
        yield
