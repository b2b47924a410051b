# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Let one policy act in several trials at once without mixing them up."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import copy
from typing import Any
from typing import Protocol

from apprentice_policies.inference import LoadedPolicy
import numpy as np
import torch


class Players(Protocol):
    """What acts in a batch of trials."""

    def begin(self, seeds: Sequence[int]) -> None:
        """Forget all trials and begin new ones, whose noise follows from their seeds."""

    def act(self, observation: Mapping[str, Any], rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Return the actions of these rows of a batched observation, each (A,)."""


class Separate:
    """
    A policy a trial: its own history, queue and noise, the weights shared.

    A trial goes as it would alone, to the last bit, whatever goes on beside it.
    """

    def __init__(self, loaded: LoadedPolicy) -> None:
        """Take the policy with its processors."""
        self._loaded = loaded
        self._players: list[LoadedPolicy] = []
        self._generators: list[torch.Generator] = []

    def begin(self, seeds: Sequence[int]) -> None:
        """Forget all trials and begin new ones."""
        while len(self._players) < len(seeds):
            self._players.append(twin(self._loaded))
        for player in self._players:
            player.reset()
        self._generators = [_generator(self._loaded, seed) for seed in seeds]

    def act(self, observation: Mapping[str, Any], rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Ask each row's own policy."""
        return {
            row: self._players[row].act(
                {key: value[row:row + 1] for key, value in observation.items()},
                self._generators[row])[0]
            for row in rows}


class Together:
    """One call of the policy for all trials: faster, but rounding and noise depend on them all."""

    def __init__(self, loaded: LoadedPolicy) -> None:
        """Take the policy with its processors."""
        self._loaded = loaded
        self._generator: torch.Generator | None = None

    def begin(self, seeds: Sequence[int]) -> None:
        """Forget all trials and begin new ones."""
        self._loaded.reset()
        self._generator = _generator(self._loaded, seeds[0])

    def act(self, observation: Mapping[str, Any], rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Ask for all rows and return some: the queues are of all."""
        actions = self._loaded.act(observation, self._generator)
        return {row: actions[row] for row in rows}


def twin(loaded: LoadedPolicy) -> LoadedPolicy:
    """Return a copy that shares the weights and nothing else."""
    policy = loaded.policy
    shared = [*policy.parameters(), *policy.buffers()]
    return copy.deepcopy(loaded, {id(tensor): tensor for tensor in shared})


def _generator(loaded: LoadedPolicy, seed: int) -> torch.Generator:
    device = next(iter(loaded.policy.parameters()), torch.empty(0)).device
    return torch.Generator(device).manual_seed(seed)
