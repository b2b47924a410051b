# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the settings of the two denoising policies have in common."""

from __future__ import annotations

from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.optimization import AdamConfig
from apprentice_policies.optimization import DiffuserSchedulerConfig
from apprentice_policies.optimization import Preset


class DenoisingConfig(PolicyConfig):
    """Adds no field, so that each policy keeps LeRobot's order of them."""

    horizon: int
    n_action_steps: int

    @property
    def observation_delta_indices(self) -> list[int]:
        """Return the last `n_obs_steps` frames."""
        return list(range(1 - self.n_obs_steps, 1))

    @property
    def action_delta_indices(self) -> list[int]:
        """Return `horizon` frames, the first beside the oldest observation."""
        return list(range(1 - self.n_obs_steps, 1 - self.n_obs_steps + self.horizon))

    def preset(self) -> Preset:
        """Return Adam with a warm-up and half a cosine."""
        return Preset(
            AdamConfig(lr=self.optimizer_lr, betas=self.optimizer_betas, eps=self.optimizer_eps,
                       weight_decay=self.optimizer_weight_decay),
            DiffuserSchedulerConfig(name=self.scheduler_name,
                                    num_warmup_steps=self.scheduler_warmup_steps))

    def check(self) -> None:
        """Refuse lengths and schedules that are not possible."""
        self.demand(self.n_obs_steps > 0, 'n_obs_steps', 'at least 1')
        left = self.horizon - self.n_obs_steps + 1
        self.demand(0 < self.n_action_steps <= left, 'n_action_steps',
                    f'1 to {left}, what the horizon has left from now on')
        self.demand(self.noise_scheduler_type in ('DDPM', 'DDIM'), 'noise_scheduler_type',
                    'DDPM or DDIM')
        self.demand(self.prediction_type in ('epsilon', 'sample'), 'prediction_type',
                    'epsilon or sample')
        self.demand(self.num_train_timesteps > 0, 'num_train_timesteps', 'at least 1')
        self.demand(0 < self.beta_start <= self.beta_end < 1, 'beta_start',
                    f'above 0 and at most beta_end ({self.beta_end}), which is below 1')
        count = self.num_inference_steps
        self.demand(count is None or 1 <= count <= self.num_train_timesteps,
                    'num_inference_steps',
                    f'null or 1 to num_train_timesteps ({self.num_train_timesteps})')

    def check_features(self) -> None:
        """Refuse features without a state or a scene, and pictures of several shapes."""
        if self.robot_state is None:
            raise PolicyError('policy.input_features: found no observation.state of type STATE, '
                              'expected one')
        if not self.images and self.environment_state is None:
            raise PolicyError('policy.input_features: found neither a picture nor an environment '
                              'state, expected one of them')
        if self.action is None:
            raise PolicyError('policy.output_features: found no action, expected one')
        shapes = {key: tuple(feature.shape) for key, feature in self.images.items()}
        if len(set(shapes.values())) > 1:
            raise PolicyError(f'policy.input_features: found pictures of several shapes, {shapes},'
                              ' expected one shape')
