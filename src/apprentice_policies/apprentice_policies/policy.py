# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The interface of every policy, and the queues between its chunks and a robot's steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from apprentice_policies.config import PolicyConfig
from apprentice_policies.features import ACTION
import torch
from torch import nn
from torch import Tensor

Batch = dict[str, Any]


class Policy(nn.Module):
    """
    A network with LeRobot's tensor names, working on normalised values.

    Batches hold, by key, tensors (B, ...) or (B, T, ...) where the configuration asks for several
    frames; pictures are float32 (B, [T,] 3, H, W). See `processors` for what comes before and
    after.
    """

    def __init__(self, config: PolicyConfig) -> None:
        """Refuse features that the policy cannot take."""
        super().__init__()
        config.check_features()
        self.config = config
        self.reset()

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return the scalar loss of a training batch, and figures for the log."""
        raise NotImplementedError

    def predict_chunk(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """
        Return the coming actions, (B, T, A).

        With `config.history` every observation has a time axis of that length, newest last.
        Without a generator torch's own one is drawn from.
        """
        raise NotImplementedError

    def optimizer_parameters(self) -> Iterable[Any]:
        """Return parameters, or groups of them as torch's optimisers take them."""
        return [item for item in self.parameters() if item.requires_grad]

    def after_step(self) -> None:
        """Do what follows an optimiser step, such as moving a target network."""

    def continue_from(self, step: int) -> None:
        """Know that so many optimiser steps were taken before: a training is resumed."""

    def reset(self) -> None:
        """Forget everything about the running episode."""
        self._history: dict[str, deque[Tensor]] = {}
        self._actions: deque[Tensor] = deque()

    @torch.no_grad()
    def select_action(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """
        Return the next action, (B, A), for observations without a time axis.

        A chunk is predicted when the last one is used up; its first `n_action_steps` are used.
        """
        self.eval()
        stacked = self.remember(observation)
        if not self._actions:
            chunk = self.predict_chunk(stacked, generator)
            self._actions.extend(chunk[:, :self.config.n_action_steps].unbind(1))
        return self._actions.popleft()

    def remember(self, observation: Batch) -> Batch:
        """Queue an observation, the first one repeated; return them stacked on axis 1."""
        length = self.config.history
        observation = {key: value for key, value in observation.items()
                       if key != ACTION and not key.endswith('_is_pad')}
        if not length:
            return observation
        stacked = dict(observation)
        for key in self.config.input_features or ():
            if key in observation:
                queue = self._history.setdefault(key, deque(maxlen=length))
                queue.append(observation[key])
                while len(queue) < length:
                    queue.append(observation[key])
                stacked[key] = torch.stack(list(queue), 1)
        return stacked
