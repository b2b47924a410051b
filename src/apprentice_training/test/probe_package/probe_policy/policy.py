# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The probe itself."""

from __future__ import annotations

from apprentice_policies.features import ACTION
from apprentice_policies.features import STATE
from apprentice_policies.policy import Batch
from apprentice_policies.policy import Policy
from probe_policy.config import ProbeConfig
import torch
from torch import nn
from torch import Tensor


class ProbePolicy(Policy):
    """Act by one matrix."""

    config: ProbeConfig

    def __init__(self, config: ProbeConfig) -> None:
        """Draw the matrix."""
        super().__init__(config)
        self.net = nn.Linear(config.robot_state.shape[0], config.action.shape[0])
        self._batches = 0

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return the mean squared error."""
        state = batch[STATE]
        if self.training and self.config.noise:
            state = state + self.config.noise * torch.randn_like(state)
        if self.config.hoard:
            torch.empty(self.config.hoard)
        loss = (self.net(state) - batch[ACTION][:, 0]).square().mean()
        self._batches += self.training
        if self.training and self._batches == self.config.poison:
            loss = loss * float('nan')
        return loss, {'mse': loss.item()}

    def predict_chunk(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return one action."""
        return self.net(observation[STATE])[:, None]


POLICY = ProbePolicy
