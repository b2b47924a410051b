# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""TD-MPC learns to bring a point to a goal from rewards alone, and the same way every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch')
gymnasium = pytest.importorskip('gymnasium')

from apprentice_policies.act.config import ACTConfig  # noqa: E402, I100
from apprentice_policies.checkpoint import save_pretrained  # noqa: E402
from apprentice_policies.features import FeatureType  # noqa: E402
from apprentice_policies.features import NormalizationMode  # noqa: E402
from apprentice_policies.inference import load  # noqa: E402
from apprentice_policies.tdmpc.config import TDMPCConfig  # noqa: E402
from apprentice_training.errors import TrainingError  # noqa: E402
from apprentice_training.interaction import Interaction  # noqa: E402
from apprentice_training.interaction import trials  # noqa: E402
from apprentice_training.online import OnlineOptions  # noqa: E402


class PointMass(gymnasium.Env):
    """Move a point by up to 2 cm a step; the reward falls with the distance to a goal."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    action_space = gymnasium.spaces.Box(-2.0, 2.0, (2,), np.float32)

    def reset(self, *, seed: int | None = None,
              options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.goal = self.np_random.uniform(-10, 10, (2, 2))
        self.left = 20
        return self.seen(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.place = self.place + np.clip(action, -2, 2)
        self.left -= 1
        distance = float(np.linalg.norm(self.goal - self.place))
        return (self.seen(), 1 - np.tanh(0.2 * distance), False, self.left == 0,
                {'is_success': distance < 2})

    def seen(self) -> np.ndarray:
        return np.concatenate((self.place, self.goal)).astype(np.float32)


def observe(raw: np.ndarray) -> dict[str, np.ndarray]:
    return {'observation.state': raw}


def settings(**changes: Any) -> TDMPCConfig:
    return TDMPCConfig(**{
        'device': 'cpu', 'push_to_hub': False, 'horizon': 3, 'n_action_repeats': 1, 'mlp_dim': 48,
        'latent_dim': 24, 'state_encoder_hidden_dim': 48, 'cem_iterations': 3, 'n_elites': 12,
        'n_gaussian_samples': 48, 'n_pi_samples': 8, 'q_ensemble_size': 2, 'optimizer_lr': 1e-3,
        'normalization_mapping': {FeatureType.STATE: NormalizationMode.MEAN_STD,
                                  FeatureType.ACTION: NormalizationMode.MIN_MAX}, **changes})


def life(config: ACTConfig | TDMPCConfig | None = None,
         make: Callable[[], gymnasium.Env] = PointMass, **options: Any) -> Interaction:
    torch.set_num_threads(1)
    options = OnlineOptions(**{
        'steps': 800, 'random_episodes': 10, 'random_hold': 5, 'batch_size': 64,
        'noise_steps': 400, 'eval_freq': 10000, 'eval_episodes': 5, **options})
    return Interaction(config or settings(), make, observe, options, lambda line: None)


def test_policy_improves_by_trying(tmp_path: Path) -> None:
    """It earns more than untrained, and the saved one earns as much."""
    found = life()
    untrained, _ = trials(found._loaded, PointMass(), observe, 5)
    points = found.run()
    assert points[-1].step == 800
    assert points[-1].mean_return > 1.3 * np.mean(untrained)
    assert points[-1].success_rate >= 0.8

    save_pretrained(tmp_path / 'policy', found.policy, found.pre, found.post)
    returns, _ = trials(load(tmp_path / 'policy'), PointMass(), observe, 5)
    assert np.mean(returns) == pytest.approx(points[-1].mean_return)


def test_same_seed_gives_the_same_curve() -> None:
    """Another seed gives another one."""
    curves = []
    for seed in (3, 3, 4):
        torch.manual_seed(99)
        points = life(seed=seed, steps=240, updates_per_step=0.2, eval_freq=20).run()
        curves.append([(one.step, one.mean_return, one.success_rate) for one in points])
    assert len(curves[0]) == 3
    assert curves[0] == curves[1] != curves[2]


@pytest.mark.parametrize('options, said', [
    ({'steps': 0}, 'online.steps'), ({'noise_end': -1.0}, 'online.noise_end')])
def test_options_that_cannot_be_are_refused(options: dict[str, Any], said: str) -> None:
    """The error names the option."""
    with pytest.raises(TrainingError, match=said):
        life(**options)


def test_policy_that_does_not_learn_from_rewards_is_refused() -> None:
    """The error says what was found and what was expected."""
    config = ACTConfig(device='cpu', pretrained_backbone_weights=None)
    with pytest.raises(TrainingError, match='found act, expected a policy that learns'):
        life(config)


def test_actions_without_bounds_are_refused() -> None:
    """Random actions are drawn from a Box with bounds."""
    with pytest.raises(TrainingError, match='a Box with bounds'):
        life(make=_Unbounded)


class _Unbounded(PointMass):
    action_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
