# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Configuration of TD-MPC, with LeRobot's fields and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import ClassVar

from apprentice_policies.config import normalization
from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import NormalizationMode
from apprentice_policies.optimization import AdamConfig
from apprentice_policies.optimization import Preset

SMALLEST_PICTURE = 35
"""Pixels of a side from which the four convolutions of the encoder leave something."""


@PolicyConfig.register_subclass('tdmpc')
@dataclass
class TDMPCConfig(PolicyConfig):
    """A learned model of the task, and actions planned in it."""

    n_obs_steps: int = 1
    n_action_repeats: int = 2
    horizon: int = 5
    n_action_steps: int = 1
    normalization_mapping: dict[str, Any] = normalization(
        VISUAL='IDENTITY', STATE='IDENTITY', ENV='IDENTITY', ACTION='MIN_MAX')
    image_encoder_hidden_dim: int = 32
    state_encoder_hidden_dim: int = 256
    latent_dim: int = 50
    q_ensemble_size: int = 5
    mlp_dim: int = 512
    discount: float = 0.9
    use_mpc: bool = True
    cem_iterations: int = 6
    max_std: float = 2.0
    min_std: float = 0.05
    n_gaussian_samples: int = 512
    n_pi_samples: int = 51
    uncertainty_regularizer_coeff: float = 1.0
    n_elites: int = 50
    elite_weighting_temperature: float = 0.5
    gaussian_mean_momentum: float = 0.1
    max_random_shift_ratio: float = 0.0476
    reward_coeff: float = 0.5
    expectile_weight: float = 0.9
    value_coeff: float = 0.1
    consistency_coeff: float = 20.0
    advantage_scaling: float = 3.0
    pi_coeff: float = 0.5
    temporal_decay_coeff: float = 0.5
    target_model_momentum: float = 0.995
    optimizer_lr: float = 3e-4

    TITLE: ClassVar[str] = ('Finetuning Offline World Models in the Real World, Feng et al. 2023, '
                            'arXiv 2310.16029, after Temporal Difference Learning for Model '
                            'Predictive Control, Hansen et al. 2022, arXiv 2203.04955')

    @property
    def observation_delta_indices(self) -> list[int]:
        """Return now and every frame of the horizon."""
        return list(range(self.horizon + 1))

    @property
    def action_delta_indices(self) -> list[int]:
        """Return the frames of the horizon."""
        return list(range(self.horizon))

    @property
    def reward_delta_indices(self) -> list[int]:
        """Return the frames of the horizon."""
        return list(range(self.horizon))

    @property
    def history(self) -> int:
        """Return 0: to act it takes the present observation, without a time axis."""
        return 0

    def preset(self) -> Preset:
        """Return Adam at a constant rate."""
        return Preset(AdamConfig(lr=self.optimizer_lr))

    def check(self) -> None:
        """Refuse what the planner cannot carry out."""
        for name in ('horizon', 'n_gaussian_samples', 'n_action_repeats', 'n_action_steps',
                     'q_ensemble_size', 'cem_iterations', 'n_elites'):
            self.demand(getattr(self, name) >= 1, name, 'a number from 1')
        self.demand(self.n_obs_steps == 1, 'n_obs_steps', '1')
        self.demand(self.n_pi_samples >= 0, 'n_pi_samples', 'a number from 0')
        samples = self.n_gaussian_samples + self.n_pi_samples
        self.demand(self.n_elites <= samples, 'n_elites',
                    f'at most {samples}, the number of samples')
        self.demand(self.normalization_mapping.get('ACTION') == NormalizationMode.MIN_MAX,
                    'normalization_mapping', 'MIN_MAX for ACTION: plans lie between -1 and 1')
        if self.n_action_steps > 1:
            self.demand(self.n_action_repeats == 1, 'n_action_repeats',
                        '1 where n_action_steps is above 1')
            self.demand(self.use_mpc, 'use_mpc', 'true where n_action_steps is above 1')
            self.demand(self.n_action_steps <= self.horizon, 'n_action_steps',
                        f'at most the horizon, {self.horizon}')

    def check_features(self) -> None:
        """Refuse several pictures, pictures that are not square, and nothing to see."""
        images = self.images
        if len(images) > 1:
            raise PolicyError(f'tdmpc: found the pictures {sorted(images)}, expected at most one; '
                              'leave out the others in policy.input_features')
        for key, image in images.items():
            _, height, width = image.shape
            if height != width or height < SMALLEST_PICTURE:
                raise PolicyError(f'tdmpc: {key}: found {height} x {width} pixels, expected a '
                                  f'square of at least {SMALLEST_PICTURE}; record or resize such '
                                  'pictures')
        if not (images or self.robot_state or self.environment_state):
            raise PolicyError(f'tdmpc: found the inputs {sorted(self.input_features or ())}, '
                              'expected a picture, observation.state or an environment state')
        if self.action is None:
            raise PolicyError(f'tdmpc: found the outputs {sorted(self.output_features or ())}, '
                              'expected action')
