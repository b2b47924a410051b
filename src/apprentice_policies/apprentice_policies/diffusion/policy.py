# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Train and run Diffusion Policy."""

from __future__ import annotations

from apprentice_policies.denoising import action_loss
from apprentice_policies.denoising import Diffusion
from apprentice_policies.diffusion.config import DiffusionConfig
from apprentice_policies.diffusion.model import DiffusionModel
from apprentice_policies.features import ACTION
from apprentice_policies.policy import Batch
from apprentice_policies.policy import Policy
import torch
from torch import Tensor


class DiffusionPolicy(Policy):
    """Predict a stretch of actions from a few observations by denoising."""

    config: DiffusionConfig

    def __init__(self, config: DiffusionConfig) -> None:
        """Build the network with random weights."""
        super().__init__(config)
        self.diffusion = DiffusionModel(config)
        self.process = Diffusion(config)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return the squared error at one random step of diffusion a sample."""
        condition = self.diffusion.condition(batch)
        noisy, time, target = self.process.corrupt(batch[ACTION])
        unet = self.diffusion.unet
        output = unet(noisy, unet.modulations(time, condition))
        padded = batch.get(f'{ACTION}_is_pad') if self.config.do_mask_loss_for_padding else None
        return action_loss(output, target, padded), {}

    @torch.no_grad()
    def predict_chunk(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the actions from now on, (B, n_action_steps, A)."""
        unet = self.diffusion.unet
        condition = self.diffusion.condition(observation)
        modulations = unet.modulations_of_steps(self.process.times, condition)
        shape = (len(condition), self.config.horizon, self.config.action.shape[0])
        noise = torch.randn(shape, dtype=condition.dtype, device=condition.device,
                            generator=generator)
        actions = self.process.sample(
            lambda sample, index: unet(sample, modulations(index)), noise, generator)
        first = self.config.n_obs_steps - 1
        return actions[:, first:first + self.config.n_action_steps]


POLICY = DiffusionPolicy
