# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Several environments side by side, each for one trial at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
from gymnasium.vector import AsyncVectorEnv
from gymnasium.vector import SyncVectorEnv
from gymnasium.vector import VectorEnv


class OneTrial(gymnasium.Wrapper):
    """
    Stand still when the trial is over, until a reset with a seed begins the next.

    A vector resets what has ended and goes on with it: no trial would see the time spent so.
    """

    def __init__(self, env: gymnasium.Env) -> None:
        """Wrap an environment that was not reset yet."""
        super().__init__(env)
        self._last: Any = None
        self._over = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Begin a trial; without a seed, a trial that is over stays so."""
        if seed is None and self._over:
            return self._last, {}
        self._over = False
        self._last, info = self.env.reset(seed=seed, options=options)
        return self._last, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Go on, or repeat the last observation with reward 0."""
        if self._over:
            return self._last, 0.0, False, False, {}
        self._last, reward, terminated, truncated, info = self.env.step(action)
        self._over = terminated or truncated
        return self._last, float(reward), terminated, truncated, info


def make_vector(
    make: Callable[[], gymnasium.Env], count: int, use_async: bool,
) -> VectorEnv:
    """Return `count` environments in this process, or each in a process of its own."""
    makers = [_Maker(make)] * count
    if use_async and count > 1:
        # Threads of torch and contexts of OpenGL do not outlive a fork.
        return AsyncVectorEnv(makers, context='spawn')
    return SyncVectorEnv(makers)


class _Maker:
    def __init__(self, make: Callable[[], gymnasium.Env]) -> None:
        self._make = make

    def __call__(self) -> gymnasium.Env:
        return OneTrial(self._make())
