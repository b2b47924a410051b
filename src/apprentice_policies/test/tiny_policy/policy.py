# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run the tiny policy."""

from __future__ import annotations

from apprentice_policies.features import ACTION
from apprentice_policies.features import STATE
from apprentice_policies.policy import Batch
from apprentice_policies.policy import Policy
from tiny_policy.config import TinyConfig
import torch
from torch import nn
from torch import Tensor
from torch.nn import functional


class TinyPolicy(Policy):
    """Map the state, and the mean of each picture, to actions."""

    config: TinyConfig

    def __init__(self, config: TinyConfig) -> None:
        """Make the map; a backbone would be fetched here."""
        super().__init__(config)
        assert config.pretrained_backbone_weights is None, 'fetched'
        size = config.robot_state.shape[0] + 3 * len(config.images)
        self.net = nn.Linear(size, config.chunk_size * config.action.shape[0])
        self.register_buffer('steps', torch.zeros((), dtype=torch.int64))

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return the squared error."""
        loss = functional.mse_loss(self.predict_chunk(batch), batch[ACTION])
        return loss, {'loss': loss.item()}

    def predict_chunk(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the chunk, (B, T, A)."""
        seen = [observation[STATE], *(observation[key].mean((-1, -2))
                                      for key in self.config.images)]
        return self.net(torch.cat(seen, -1)).unflatten(-1, (self.config.chunk_size, -1))


POLICY = TinyPolicy
