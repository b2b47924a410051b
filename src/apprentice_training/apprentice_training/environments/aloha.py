# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Two ViperX arms on a table, of the package gym_aloha."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apprentice_training.environments.config import EnvConfig
from apprentice_training.environments.config import require

if TYPE_CHECKING:
    import gymnasium


@EnvConfig.register_subclass('aloha')
@dataclass
class AlohaConfig(EnvConfig):
    """ALOHA: `observation.state` (14,) and `observation.images.top`; defaults are LeRobot's."""

    task: str | None = 'AlohaInsertion-v0'
    fps: int = 50
    episode_length: int = 400
    obs_type: str = 'pixels_agent_pos'
    observation_width: int = 640
    observation_height: int = 480

    def prepare(self, render: bool) -> None:
        """Refuse where the package is missing."""
        # dm_control reads what MuJoCo 4 has no longer.
        require('gym_aloha', 'pip install gym-aloha "mujoco<4"')

    def make(self, task: str, render: bool) -> gymnasium.Env:
        """Return one environment."""
        import gym_aloha  # noqa: F401 (registers the environments)
        import gymnasium
        return gymnasium.make(
            f'gym_aloha/{task}', max_episode_steps=self.episode_length, obs_type=self.obs_type,
            render_mode='rgb_array', observation_width=self.observation_width,
            observation_height=self.observation_height, disable_env_checker=True)
