# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep what a policy has lived through, and give batches of trajectories from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apprentice_policies.features import ACTION
from apprentice_training.errors import TrainingError
import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Episode:
    """T steps: T + 1 observations (T + 1, D) by key, actions (T, A), rewards (T,)."""

    observation: Mapping[str, np.ndarray]
    action: np.ndarray
    reward: np.ndarray
    terminated: bool
    """The task was over after the last step; False where only time was up."""


class Replay:
    """
    The last episodes, as many as have room.

    An episode of T steps takes T + 1 rows in a ring; rows are counted from the first one ever
    written, and row i lies at place i modulo the capacity.
    """

    def __init__(self, capacity: int, observation: Mapping[str, tuple[int, ...]],
                 action: tuple[int, ...]) -> None:
        """Take the number of rows, and the shapes of what a row holds."""
        self._capacity, self._written = capacity, 0
        self._observation = {key: np.zeros((capacity, *shape), np.float32)
                             for key, shape in observation.items()}
        self._action = np.zeros((capacity, *action), np.float32)
        self._reward = np.zeros(capacity, np.float32)
        self._terminated = np.zeros(capacity, bool)
        self._last = np.zeros(capacity, np.int64)
        """The row of the last observation of each row's episode."""
        self._begins = np.zeros(0, np.int64)
        """The rows that have an action, from which trajectories may begin."""

    def __len__(self) -> int:
        """Return the number of steps kept."""
        return len(self._begins)

    def add(self, episode: Episode) -> None:
        """Keep an episode in the place of the oldest ones."""
        steps = len(episode.action)
        if steps + 1 > self._capacity:
            raise TrainingError(f'replay: found an episode of {steps} steps, expected at most '
                                f'{self._capacity - 1}; raise the capacity')
        rows = self._written + np.arange(steps + 1)
        places = rows % self._capacity
        for key, value in self._observation.items():
            value[places] = episode.observation[key]
        self._action[places[:-1]] = episode.action
        self._reward[places[:-1]] = episode.reward
        self._terminated[places] = False
        self._terminated[places[-2]] = episode.terminated
        self._last[places] = rows[-1]
        self._written = int(rows[-1]) + 1
        kept = self._begins >= self._written - self._capacity
        self._begins = np.concatenate((self._begins[kept], rows[:-1]))

    def sample(self, count: int, horizon: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """
        Return trajectories that begin at any step, as a dataset gives them: (count, horizon, ...).

        Observations are one more; what lies behind an episode repeats its end and is marked by
        `<key>_is_pad`.
        """
        begins = rng.choice(self._begins, count)[:, None]
        last = self._last[begins % self._capacity]
        seen = begins + np.arange(horizon + 1)
        past, over = seen > last, seen[:, :-1] >= last
        places = np.minimum(seen, last) % self._capacity
        steps = np.minimum(seen[:, :-1], last - 1) % self._capacity
        batch = {ACTION: self._action[steps], f'{ACTION}_is_pad': over,
                 'next.reward': self._reward[steps], 'next.reward_is_pad': over,
                 'next.terminated': self._terminated[steps]}
        for key, value in self._observation.items():
            batch |= {key: value[places], f'{key}_is_pad': past}
        return {key: torch.from_numpy(value) for key, value in batch.items()}

    def statistics(self) -> dict[str, dict[str, np.ndarray]]:
        """Return extremes, mean and standard deviation (D,); 1 where nothing ever changed."""
        found = {}
        for key, value in self._observation.items():
            seen = value[:self._written]
            std = seen.std(0)
            found[key] = {'min': seen.min(0), 'max': seen.max(0), 'mean': seen.mean(0),
                          'std': np.where(std > 0, std, 1)}
        return found
