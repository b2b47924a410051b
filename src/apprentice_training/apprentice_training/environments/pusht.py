# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Push a T to its place in the plane, of the package gym_pusht."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apprentice_training.environments.config import EnvConfig
from apprentice_training.environments.config import require

if TYPE_CHECKING:
    import gymnasium


@EnvConfig.register_subclass('pusht')
@dataclass
class PushTConfig(EnvConfig):
    """
    PushT; names and defaults are LeRobot's.

    `obs_type`: pixels_agent_pos (`observation.image`, `observation.state`) or
    environment_state_agent_pos (`observation.environment_state`, `observation.state`).
    """

    task: str | None = 'PushT-v0'
    fps: int = 10
    episode_length: int = 300
    obs_type: str = 'pixels_agent_pos'
    observation_width: int = 96
    observation_height: int = 96
    visualization_width: int = 384
    visualization_height: int = 384

    def prepare(self, render: bool) -> None:
        """Refuse where the package is missing."""
        # It calls what pymunk 7 has no longer.
        require('gym_pusht', 'pip install gym-pusht "pymunk<7"')

    def make(self, task: str, render: bool) -> gymnasium.Env:
        """Return one environment."""
        import gym_pusht  # noqa: F401 (registers the environments)
        import gymnasium
        return gymnasium.make(
            f'gym_pusht/{task}', max_episode_steps=self.episode_length, obs_type=self.obs_type,
            render_mode='rgb_array', observation_width=self.observation_width,
            observation_height=self.observation_height,
            visualization_width=self.visualization_width,
            visualization_height=self.visualization_height, disable_env_checker=True)
