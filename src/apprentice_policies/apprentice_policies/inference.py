# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run a policy on raw observations: numpy or torch in, numpy out, both in the dataset's units."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from apprentice_policies.checkpoint import load_pretrained
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import FeatureType
from apprentice_policies.features import PolicyFeature
from apprentice_policies.policy import Batch
from apprentice_policies.policy import Policy
from apprentice_policies.processors.steps import Rename
import numpy as np
import torch
from torch import Tensor

Observation = Mapping[str, Any]


def load(path: str | Path, device: str | None = None) -> LoadedPolicy:
    """
    Return the policy in a checkpoint, ready to act.

    :param device: torch's name; None: the configuration's. One that is missing here is replaced
        by the CPU, with a warning.
    :raises PolicyError: the checkpoint is incomplete, broken or of an unknown type.
    """
    policy, pre, post = load_pretrained(path, device)
    pre.prepare()
    names = {old: new for step in pre.steps if isinstance(step, Rename)
             for old, new in step.rename_map.items()}
    return LoadedPolicy(policy, pre, post.action, names)


class LoadedPolicy:
    """
    A policy between its processors.

    `policy` is the network, `preprocess` turns a raw batch into what it takes, `postprocess`
    actions into the dataset's units.
    """

    def __init__(self, policy: Policy, preprocess: Callable[[Batch], Batch],
                 postprocess: Callable[[Tensor], Tensor],
                 rename_map: Mapping[str, str] | None = None) -> None:
        """Take the parts; `rename_map` leads from names of observations to the policy's."""
        self.policy, self.preprocess, self.postprocess = policy, preprocess, postprocess
        renamed = {new: old for old, new in (rename_map or {}).items()}
        self._features = {renamed.get(key, key): feature for key, feature
                          in (policy.config.input_features or {}).items()}

    def reset(self) -> None:
        """Begin a new episode."""
        self.policy.reset()

    @torch.no_grad()
    def act(self, observation: Observation,
            generator: torch.Generator | None = None) -> np.ndarray:
        """
        Return the next action, (A,), float32; for a batch of observations (B, A).

        Vectors are (D,). Pictures are uint8 (H, W, 3), 0 to 255, or float (3, H, W), 0 to 1.
        `task` is what to do in words, where the policy reads it. Other keys are ignored.

        :param generator: where random numbers come from; None: torch's own.
        :raises PolicyError: a feature is missing, or has another shape or range.
        """
        batch, single = self.batch(observation)
        with self._precision():
            action = self.policy.select_action(self.preprocess(batch), generator)
        found = self.postprocess(action).float().cpu().numpy()
        if not np.isfinite(found).all():
            raise PolicyError(f'action: found {found.tolist()}, expected numbers; look for '
                              'infinite values in the observation and the weights')
        return found[0] if single else found

    def batch(self, observation: Observation) -> tuple[Batch, bool]:
        """Return an observation as the preprocessor takes it, and whether it is a single one."""
        missing = [key for key in self._features if key not in observation]
        if missing:
            raise PolicyError(f'observation: found {", ".join(sorted(map(str, observation)))}, '
                              f'which lacks {", ".join(missing)}')
        found, counts = {}, set()
        for key, feature in self._features.items():
            value = _tensor(key, feature, observation[key])
            counts.add(len(value) if value.ndim > len(feature.shape) else None)
            found[key] = value if value.ndim > len(feature.shape) else value.unsqueeze(0)
        if len(counts) > 1:
            raise PolicyError(f'observation: found batches of {sorted(map(str, counts))}, '
                              'expected all features of one size')
        if 'task' in observation:
            found['task'] = observation['task']
        return found, None in counts

    def _precision(self) -> AbstractContextManager[Any]:
        # Half precision is for GPUs; on a CPU it is slower.
        if self.policy.config.use_amp and str(self.policy.config.device).startswith('cuda'):
            return torch.autocast('cuda')
        return nullcontext()


def _tensor(key: str, feature: PolicyFeature, value: Any) -> Tensor:
    try:
        # A copy: a camera may go on writing into its array.
        found = value if isinstance(value, Tensor) else torch.tensor(np.asarray(value, order='C'))
    except (TypeError, ValueError):
        raise PolicyError(f'{key}: found {type(value).__name__}, expected an array of numbers '
                          f'{list(feature.shape)}') from None
    if feature.type == FeatureType.VISUAL:
        found = _picture(key, feature.shape, found)
    shape = tuple(found.shape[-len(feature.shape):])
    if shape != tuple(feature.shape) or not 0 <= found.ndim - len(feature.shape) <= 1:
        raise PolicyError(f'{key}: found shape {list(found.shape)}, expected '
                          f'{list(feature.shape)}, or several of them')
    found = found.to(torch.float32)
    if not torch.isfinite(found).all():
        raise PolicyError(f'{key}: found values that are no numbers (NaN or infinite), expected '
                          'none; look at where the observation comes from')
    return found


def _picture(key: str, shape: tuple[int, ...], value: Tensor) -> Tensor:
    if value.dtype == torch.uint8:
        # What is not channel last may be channel first, as a dataset gives it.
        last = value.ndim >= 3 and tuple(value.shape[-3:]) == (*shape[1:], shape[0])
        return (value.movedim(-1, -3) if last else value).float() / 255
    if not value.is_floating_point():
        raise PolicyError(f'{key}: found {str(value.dtype).removeprefix("torch.")}, expected '
                          'uint8 (H, W, 3) or float (3, H, W)')
    if value.numel() and (value.min() < 0 or value.max() > 1):
        raise PolicyError(f'{key}: found floats from {value.min():g} to {value.max():g}, expected '
                          '0 to 1; give uint8 for 0 to 255')
    return value
