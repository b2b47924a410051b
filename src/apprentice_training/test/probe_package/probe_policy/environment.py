# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""An environment of somebody else: do what the state says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import TYPE_CHECKING

from apprentice_training.environments.config import EnvConfig

if TYPE_CHECKING:
    import gymnasium


@EnvConfig.register_subclass('probe')
@dataclass
class ProbeEnvConfig(EnvConfig):
    """
    Three steps; every second seed is one in which nothing succeeds.

    `breaks`: the step that fails, 0: none.
    """

    task: str | None = 'follow'
    breaks: int = 0

    def make(self, task: str, render: bool) -> gymnasium.Env:
        """Return the environment."""
        import gymnasium
        import numpy as np
        breaks = self.breaks

        class Follow(gymnasium.Env):
            observation_space = gymnasium.spaces.Dict(
                {'agent_pos': gymnasium.spaces.Box(-9, 9, (3,), np.float32)})
            action_space = gymnasium.spaces.Box(-9, 9, (2,), np.float32)
            render_mode = 'rgb_array'

            def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
                super().reset(seed=seed)
                self.steps, self.easy = 0, (seed or 0) % 2 == 0
                return self.seen(), {}

            def seen(self) -> dict[str, Any]:
                return {'agent_pos': np.ones(3, np.float32)}

            def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
                self.steps += 1
                if self.steps == breaks:
                    raise KeyError('no such body')
                return self.seen(), 0.0, self.steps == 3, False, {'is_success': self.easy}

            def render(self) -> Any:
                return np.zeros((64, 64, 3), np.uint8)

        return Follow()
