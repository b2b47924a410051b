# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Optimisers and learning rate schedules, named and encoded as in `train_config.json`.

Nothing here imports torch before something is built, so that a command line can list the fields.
"""

from __future__ import annotations

from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
import math
from typing import Any

import draccus


@dataclass
class OptimizerConfig(draccus.ChoiceRegistry):
    """What every optimiser has; `grad_clip_norm` is a global L2 norm, 0 and below mean none."""

    lr: float = 1e-3
    weight_decay: float = 0.0
    grad_clip_norm: float = 10.0

    @classmethod
    def default_choice_name(cls) -> str:
        """Return what is meant where no type is given."""
        return 'adam'

    def build(self, parameters: Any) -> Any:
        """Return the torch optimiser over parameters or groups of them."""
        raise NotImplementedError


@OptimizerConfig.register_subclass('adam')
@dataclass
class AdamConfig(OptimizerConfig):
    """Adam (Kingma and Ba 2014)."""

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def build(self, parameters: Any) -> Any:
        """Return `torch.optim.Adam`."""
        import torch
        # One pass over each parameter: a twelfth of the time on a CPU.
        return torch.optim.Adam(parameters, fused=True, **_arguments(self))


@OptimizerConfig.register_subclass('adamw')
@dataclass
class AdamWConfig(OptimizerConfig):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017)."""

    weight_decay: float = 1e-2
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def build(self, parameters: Any) -> Any:
        """Return `torch.optim.AdamW`."""
        import torch
        return torch.optim.AdamW(parameters, fused=True, **_arguments(self))


@OptimizerConfig.register_subclass('sgd')
@dataclass
class SGDConfig(OptimizerConfig):
    """Stochastic gradient descent."""

    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False

    def build(self, parameters: Any) -> Any:
        """Return `torch.optim.SGD`."""
        import torch
        return torch.optim.SGD(parameters, **_arguments(self))


def _arguments(config: OptimizerConfig) -> dict[str, Any]:
    values = asdict(config)
    del values['grad_clip_norm']
    return values


@dataclass
class SchedulerConfig(draccus.ChoiceRegistry):
    """A factor on the learning rate, a function of the step, which is counted a batch."""

    num_warmup_steps: int = 0

    def factor(self, step: int, total: int) -> float:
        """Return the factor at a step of a training of `total` steps."""
        raise NotImplementedError

    def build(self, optimizer: Any, total: int) -> Any:
        """Return the `torch.optim.lr_scheduler.LambdaLR` of `factor`."""
        from torch.optim.lr_scheduler import LambdaLR
        return LambdaLR(optimizer, lambda step: self.factor(step, total))


@SchedulerConfig.register_subclass('diffuser')
@dataclass
class DiffuserSchedulerConfig(SchedulerConfig):
    """The schedules that diffusers names; `cosine` and `constant*`, `linear` are known here."""

    name: str = 'cosine'

    def factor(self, step: int, total: int) -> float:
        """Rise linearly, then fall along half a cosine (or line) to 0 at the last step."""
        if self.name != 'constant' and step < self.num_warmup_steps:
            return step / max(1, self.num_warmup_steps)
        if self.name in ('constant', 'constant_with_warmup'):
            return 1.0
        done = (step - self.num_warmup_steps) / max(1, total - self.num_warmup_steps)
        if self.name == 'linear':
            return max(0.0, 1.0 - done)
        if self.name != 'cosine':
            raise ValueError(f'scheduler name: found {self.name!r}, expected cosine, linear, '
                             'constant or constant_with_warmup')
        return max(0.0, 0.5 * (1 + math.cos(math.pi * done)))


@SchedulerConfig.register_subclass('vqbet')
@dataclass
class VQBeTSchedulerConfig(SchedulerConfig):
    """The full rate while the action codes are learned, then warm-up and half a cosine."""

    num_vqvae_training_steps: int = 20000
    num_cycles: float = 0.5

    def factor(self, step: int, total: int) -> float:
        """Count the second stage from where the first ended, the total from the beginning."""
        if step < self.num_vqvae_training_steps:
            return 1.0
        step -= self.num_vqvae_training_steps
        if step < self.num_warmup_steps:
            return step / max(1, self.num_warmup_steps)
        done = (step - self.num_warmup_steps) / max(1, total - self.num_warmup_steps)
        return max(0.0, 0.5 * (1 + math.cos(math.pi * 2 * self.num_cycles * done)))


@SchedulerConfig.register_subclass('constant_with_warmup')
@dataclass
class ConstantWithWarmupSchedulerConfig(SchedulerConfig):
    """A linear rise, then 1."""

    num_warmup_steps: int = 1000

    def factor(self, step: int, total: int) -> float:
        """Return the share of the warm-up that is done, at most 1."""
        return min(1.0, step / max(1, self.num_warmup_steps))


@SchedulerConfig.register_subclass('cosine_annealing_with_warmup')
@dataclass
class CosineAnnealingSchedulerConfig(SchedulerConfig):
    """A linear rise, then half a cosine to 0 at the last step."""

    def factor(self, step: int, total: int) -> float:
        """Return `diffuser`'s cosine."""
        return DiffuserSchedulerConfig(self.num_warmup_steps).factor(step, total)


@SchedulerConfig.register_subclass('cosine_decay_with_warmup')
@dataclass
class CosineDecaySchedulerConfig(SchedulerConfig):
    """A rise, then a cosine from the first step down to `decay_lr / peak_lr`, which stays."""

    num_warmup_steps: int = 1000
    num_decay_steps: int = 30000
    peak_lr: float = 1e-4
    decay_lr: float = 1e-5

    def factor(self, step: int, total: int) -> float:
        """Shrink warm-up and decay together where the training is shorter than the decay."""
        warm, decay = self.num_warmup_steps, self.num_decay_steps
        if total < decay:
            warm, decay = int(warm * total / decay), total
        if step < warm:
            first = 1 / (warm + 1)
            return first if step <= 0 else (first - 1) * (1 - step / warm) + 1
        floor = self.decay_lr / self.peak_lr
        return (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(step, decay) / decay)) + floor


@dataclass
class Preset:
    """The optimiser and schedule that belong to a policy."""

    optimizer: OptimizerConfig = field(default_factory=AdamConfig)
    scheduler: SchedulerConfig | None = None
