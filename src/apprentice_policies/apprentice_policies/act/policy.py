# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""ACT's loss, actions and temporal ensemble."""

from __future__ import annotations

from typing import Any

from apprentice_policies.act.config import ACTConfig
from apprentice_policies.act.model import ACT
from apprentice_policies.features import ACTION
from apprentice_policies.policy import Batch
from apprentice_policies.policy import Policy
import torch
from torch import Tensor


class ACTPolicy(Policy):
    """Action chunking with transformers."""

    config: ACTConfig

    def __init__(self, config: ACTConfig) -> None:
        """Build the network from random weights."""
        super().__init__(config)
        self.model = ACT(config)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return the mean absolute error of unpadded actions, in training with the KL term."""
        actions, latent = self.model(batch)
        valid = ~batch['action_is_pad'][..., None]
        error = ((batch[ACTION] - actions).abs() * valid).sum()
        loss = error / (valid.sum() * actions.shape[-1]).clamp(min=1)
        figures = {'l1_loss': loss.item()}
        if latent is not None:
            mean, log_variance = latent
            divergence = (-0.5 * (1 + log_variance - mean ** 2 - log_variance.exp())).sum(-1)
            figures['kld_loss'] = divergence.mean().item()
            loss = loss + self.config.kl_weight * divergence.mean()
        return loss, figures

    def predict_chunk(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the coming actions (B, chunk_size, A); nothing is drawn."""
        return self.model(observation)[0]

    def optimizer_parameters(self) -> list[dict[str, Any]]:
        """Return two groups: all but the backbone, and the backbone with a rate of its own."""
        groups: tuple[list[Tensor], list[Tensor]] = ([], [])
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                groups[name.startswith('model.backbone')].append(parameter)
        return [{'params': groups[0]},
                {'params': groups[1], 'lr': self.config.optimizer_lr_backbone}]

    def reset(self) -> None:
        """Forget queue and ensemble."""
        super().reset()
        coefficient = self.config.temporal_ensemble_coeff
        self._ensemble = None if coefficient is None else Ensemble(coefficient,
                                                                   self.config.chunk_size)

    @torch.no_grad()
    def select_action(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the next action (B, A): from the queue, or averaged over chunks."""
        if self._ensemble is None:
            return super().select_action(observation, generator)
        self.eval()
        return self._ensemble.update(self.predict_chunk(self.remember(observation), generator))


class Ensemble:
    """Average every chunk that speaks of a step, weighing the i-th oldest by exp(-m i)."""

    def __init__(self, coefficient: float, chunk_size: int) -> None:
        """Take m: above 0 favours old chunks, below 0 new ones."""
        self._weights = torch.exp(-coefficient * torch.arange(chunk_size))
        self._sums = self._weights.cumsum(0)
        self._mean: Tensor | None = None
        self._counts: Tensor | None = None

    def update(self, chunk: Tensor) -> Tensor:
        """Add a chunk (B, T, A) that begins now; return this step's average (B, A)."""
        if self._mean is None:
            self._weights, self._sums = self._weights.to(chunk), self._sums.to(chunk)
            self._mean = chunk
            self._counts = torch.ones(chunk.shape[1], 1, dtype=torch.long, device=chunk.device)
        else:
            counts = self._counts
            mean = self._mean * self._sums[counts - 1] + chunk[:, :-1] * self._weights[counts]
            self._mean = torch.cat((mean / self._sums[counts], chunk[:, -1:]), 1)
            self._counts = torch.cat((counts + 1, torch.ones_like(counts[:1])))
        action, self._mean, self._counts = self._mean[:, 0], self._mean[:, 1:], self._counts[1:]
        return action


POLICY = ACTPolicy
