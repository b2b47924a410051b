# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Train and run the multi-task diffusion transformer."""

from __future__ import annotations

from typing import Any

from apprentice_policies.denoising import action_loss
from apprentice_policies.denoising import Diffusion
from apprentice_policies.denoising import FlowMatching
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import ACTION
from apprentice_policies.multi_task_dit.config import MultiTaskDiTConfig
from apprentice_policies.multi_task_dit.model import NoisePredictor
from apprentice_policies.multi_task_dit.model import ObservationEncoder
from apprentice_policies.policy import Batch
from apprentice_policies.policy import Policy
from apprentice_policies.processors.tokenize import TOKENS
import torch
from torch import Tensor


class MultiTaskDiTPolicy(Policy):
    """Predict a stretch of actions from a few observations and a task in words."""

    config: MultiTaskDiTConfig

    def __init__(self, config: MultiTaskDiTConfig) -> None:
        """Build the network with random weights."""
        super().__init__(config)
        self.observation_encoder = ObservationEncoder(config)
        self.noise_predictor = NoisePredictor(config, self.observation_encoder.width)
        self.process = (Diffusion if config.objective == 'diffusion' else FlowMatching)(config)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return the squared error at one random time a sample."""
        condition = self._condition(batch)
        noisy, time, target = self.process.corrupt(batch[ACTION])
        network = self.noise_predictor
        output = network(noisy, network.modulations(time, condition))
        padded = batch.get(f'{ACTION}_is_pad') if self.config.do_mask_loss_for_padding else None
        return action_loss(output, target, padded), {}

    @torch.no_grad()
    def predict_chunk(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the actions from now on, (B, n_action_steps, A)."""
        network = self.noise_predictor
        condition = self._condition(observation)
        modulations = network.modulations_of_steps(self.process.times, condition)
        shape = (len(condition), self.config.horizon, self.config.action.shape[0])
        noise = torch.randn(shape, dtype=condition.dtype, device=condition.device,
                            generator=generator)
        actions = self.process.sample(
            lambda sample, index: network(sample, modulations(index)), noise, generator)
        first = self.config.n_obs_steps - 1
        return actions[:, first:first + self.config.n_action_steps]

    def optimizer_parameters(self) -> list[dict[str, Any]]:
        """Return two groups; the picture towers learn at a fraction of the rate."""
        towers, others = [], []
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                tower = name.startswith('observation_encoder.vision_encoder')
                (towers if tower else others).append(parameter)
        rate = self.config.optimizer_lr * self.config.vision_encoder_lr_multiplier
        return [{'params': others}, {'params': towers, 'lr': rate}]

    def _condition(self, batch: Batch) -> Tensor:
        if TOKENS not in batch:
            raise PolicyError(f'batch: found no {TOKENS}, expected the tokens of the task; does '
                              'the preprocessor have its tokenizer step?')
        return self.observation_encoder(batch)


POLICY = MultiTaskDiTPolicy
