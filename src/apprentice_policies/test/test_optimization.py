# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Check learning rates against numbers worked out by hand, and names against LeRobot's."""

from __future__ import annotations

from apprentice_policies.optimization import AdamConfig
from apprentice_policies.optimization import AdamWConfig
from apprentice_policies.optimization import ConstantWithWarmupSchedulerConfig
from apprentice_policies.optimization import CosineAnnealingSchedulerConfig
from apprentice_policies.optimization import CosineDecaySchedulerConfig
from apprentice_policies.optimization import DiffuserSchedulerConfig
from apprentice_policies.optimization import OptimizerConfig
from apprentice_policies.optimization import SchedulerConfig
from apprentice_policies.optimization import SGDConfig
from apprentice_policies.optimization import VQBeTSchedulerConfig
import draccus
import pytest


@pytest.mark.parametrize('scheduler, total, factors', [
    (DiffuserSchedulerConfig(10), 110, {0: 0, 5: 0.5, 10: 1, 60: 0.5, 110: 0}),
    (DiffuserSchedulerConfig(10, 'linear'), 110, {5: 0.5, 60: 0.5, 85: 0.25}),
    (DiffuserSchedulerConfig(10, 'constant'), 110, {0: 1, 99: 1}),
    (DiffuserSchedulerConfig(10, 'constant_with_warmup'), 110, {5: 0.5, 99: 1}),
    (CosineAnnealingSchedulerConfig(10), 110, {5: 0.5, 60: 0.5, 110: 0}),
    (ConstantWithWarmupSchedulerConfig(4), 100, {0: 0, 1: 0.25, 4: 1, 90: 1}),
    (VQBeTSchedulerConfig(10, 20), 130, {0: 1, 19: 1, 20: 0, 25: 0.5, 30: 1, 90: 0.5}),
    # It begins at 1 / (warm-up + 1), follows a cosine that began at 0, and ends at a tenth.
    (CosineDecaySchedulerConfig(10, 100, 1e-4, 1e-5), 200,
     {0: 1 / 11, 5: 6 / 11, 50: 0.55, 100: 0.1, 150: 0.1}),
    # A shorter training shrinks both.
    (CosineDecaySchedulerConfig(10, 100, 1e-4, 1e-5), 50, {0: 1 / 6, 25: 0.55, 50: 0.1})])
def test_factors(scheduler: SchedulerConfig, total: int, factors: dict[int, float]) -> None:
    """Each schedule at its corners and in between."""
    for step, expected in factors.items():
        assert scheduler.factor(step, total) == pytest.approx(expected, abs=1e-9), step


def test_a_schedule_moves_the_optimiser() -> None:
    """The rate is the optimiser's times the factor of the step."""
    torch = pytest.importorskip('torch')
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = AdamConfig(lr=0.1).build([{'params': [weight], 'lr': 0.2}])
    scheduler = ConstantWithWarmupSchedulerConfig(4).build(optimizer, 100)
    rates = []
    for _ in range(5):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])


def test_a_schedule_that_nobody_knows() -> None:
    """It is named with those that are known."""
    with pytest.raises(ValueError, match="scheduler name: found 'wave', expected cosine, linear"):
        DiffuserSchedulerConfig(0, 'wave').factor(1, 2)


@pytest.mark.parametrize('config, values', [
    (AdamConfig(), {'type': 'adam', 'lr': 1e-3, 'weight_decay': 0.0, 'grad_clip_norm': 10.0,
                    'betas': [0.9, 0.999], 'eps': 1e-8}),
    (AdamWConfig(1e-5), {'type': 'adamw', 'lr': 1e-5, 'weight_decay': 1e-2,
                         'grad_clip_norm': 10.0, 'betas': [0.9, 0.999], 'eps': 1e-8}),
    (SGDConfig(), {'type': 'sgd', 'lr': 1e-3, 'weight_decay': 0.0, 'grad_clip_norm': 10.0,
                   'momentum': 0.0, 'dampening': 0.0, 'nesterov': False})])
def test_optimisers(config: OptimizerConfig, values: dict[str, object]) -> None:
    """They stand in train_config.json by type, come back, and set torch's own."""
    assert draccus.encode(config, declared_type=OptimizerConfig) == values
    assert draccus.decode(OptimizerConfig, values) == config
    torch = pytest.importorskip('torch')
    group = config.build([torch.nn.Parameter(torch.ones(1))]).param_groups[0]
    for name in values.keys() - {'type', 'grad_clip_norm'}:
        expected = values[name]
        assert group[name] == (tuple(expected) if isinstance(expected, list) else expected)


def test_schedules_by_type() -> None:
    """A file chooses by LeRobot's names."""
    assert {'diffuser', 'vqbet', 'constant_with_warmup', 'cosine_annealing_with_warmup',
            'cosine_decay_with_warmup'} <= SchedulerConfig.get_known_choices().keys()
    values = {'type': 'diffuser', 'name': 'cosine', 'num_warmup_steps': 500}
    assert draccus.decode(SchedulerConfig, values) == DiffuserSchedulerConfig(500)
