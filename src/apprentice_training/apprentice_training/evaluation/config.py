# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation is told; imports neither torch nor gymnasium."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field

from apprentice_training.environments.config import EnvConfig
from apprentice_training.errors import TrainingError


@dataclass
class EvalOptions:
    """
    How many trials, and how.

    `n_episodes`: of each task. `batch_size`: environments side by side. `use_async_envs`: each in
    a process of its own. `batch_policy`: one call of the policy for all of them; faster, but a
    trial then depends on those beside it, by rounding and noise. `max_videos`: trials a task that
    are filmed.
    """

    n_episodes: int = 50
    batch_size: int = 10
    use_async_envs: bool = False
    batch_policy: bool = False
    max_videos: int = 3

    def check(self) -> None:
        """Raise `TrainingError` about a number that cannot be."""
        for name, low in (('n_episodes', 1), ('batch_size', 1), ('max_videos', 0)):
            if getattr(self, name) < low:
                raise TrainingError(f'eval.{name}: found {getattr(self, name)}, expected a whole '
                                    f'number from {low}')


@dataclass
class PolicySource:
    """
    The checkpoint: a `pretrained_model` folder, or the run that has one.

    Other fields of the policy's configuration can be changed likewise:
    `--policy.n_action_steps=10`.
    """

    path: str
    device: str | None = None


@dataclass
class EvaluateConfig:
    """Try a policy in simulated environments and count."""

    policy: PolicySource
    env: EnvConfig
    eval: EvalOptions = field(default_factory=EvalOptions)
    output_dir: str | None = None
    seed: int = 1000
