# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What VQ-BeT learns in its two stages, and the chunk that it predicts."""

from __future__ import annotations

from typing import Any
import warnings

from apprentice_policies.features import ACTION
from apprentice_policies.policy import Batch
from apprentice_policies.policy import Policy
from apprentice_policies.vqbet.config import VQBeTConfig
from apprentice_policies.vqbet.model import Prediction
from apprentice_policies.vqbet.model import VQBeTModel
import torch
from torch import Tensor
import torch.nn.functional as functional

FOCUS = 2.0
"""The exponent of the focal loss (Lin et al. 2017)."""


class VQBeTPolicy(Policy):
    """Learn codes of action chunks first, then to predict them; the saved flags say which."""

    config: VQBeTConfig

    def __init__(self, config: VQBeTConfig) -> None:
        """Build the network, in the first stage."""
        super().__init__(config)
        self.vqbet = VQBeTModel(config)
        self._steps = 0

    @property
    def codes_are_learned(self) -> bool:
        """Tell whether the first stage is over."""
        return bool(self.vqbet.action_head.vqvae_model.discretized)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of the stage; padded actions count as others do."""
        windows = self.vqbet.windows(batch[ACTION])
        head = self.vqbet.action_head
        if not self.codes_are_learned:
            return head.vqvae_model.loss(windows)
        predicted = head(self.vqbet.features(batch))
        with torch.no_grad():
            codes = head.vqvae_model.encode(windows)
        return self._loss(predicted, windows, codes)

    def _loss(self, predicted: Prediction, windows: Tensor, codes: Tensor
              ) -> tuple[Tensor, dict[str, float]]:
        config = self.config
        primary, secondary = (focal_loss(predicted.logits[:, level], codes[:, level])
                              for level in range(2))
        classification = (config.primary_code_loss_weight * primary
                          + config.secondary_code_loss_weight * secondary)
        error = (windows - predicted.actions).abs()
        offset = error.mean()
        right = (predicted.codes == codes).float().mean(0)
        squared = (windows - predicted.actions).square().mean()
        return classification + config.offset_loss_weight * offset, {
            'classification_loss': classification.item(),
            'offset_loss': offset.item(),
            'equal_primary_code_rate': right[0].item(),
            'equal_secondary_code_rate': right[1].item(),
            'vq_action_error': (windows - predicted.decoded).abs().mean().item(),
            'offset_action_error': offset.item(),
            'action_error_max': error.max().item(),
            'action_mse_error': squared.item()}

    @torch.no_grad()
    def predict_chunk(self, observation: Batch,
                      generator: torch.Generator | None = None) -> Tensor:
        """Return the chunk (B, T, A) that begins now, its codes drawn."""
        if not self.codes_are_learned:
            warnings.warn('vqbet: the action codes are not learned yet, so the actions mean '
                          f'nothing; train for more than {self.config.n_vqvae_training_steps} '
                          'steps (policy.n_vqvae_training_steps)', stacklevel=2)
        predicted = self.vqbet.action_head(self.vqbet.features(observation), generator)
        chunks = predicted.actions.unflatten(0, (-1, self.config.windows))
        return chunks[:, self.config.n_obs_steps - 1]

    def after_step(self) -> None:
        """Count; end the first stage after its last step."""
        self._steps += 1
        if self._steps >= self.config.n_vqvae_training_steps and not self.codes_are_learned:
            self.vqbet.action_head.vqvae_model.finish()

    def continue_from(self, step: int) -> None:
        """Count on from the step at which a training goes on: no tensor of the file holds it."""
        self._steps = step

    def optimizer_parameters(self) -> list[dict[str, Any]]:
        """Return three groups, in LeRobot's order: what decays, the codes' network, the rest."""
        model, head = self.vqbet, self.vqbet.action_head
        decayed, rest = model.policy.decayed()
        bins = ([head.map_to_cbet_preds_primary_bin, head.map_to_cbet_preds_secondary_bin]
                if self.config.sequentially_select else [head.map_to_cbet_preds_bin])
        decayed += model.rgb_encoder.parameters()
        decayed += model.state_projector.parameters()
        decayed += model.rgb_feature_projector.parameters()
        decayed.append(model.action_token)
        for part in (head.map_to_cbet_preds_offset, *bins):
            decayed += part.parameters()
        codes = [*head.vqvae_model.encoder.parameters(), *head.vqvae_model.decoder.parameters()]
        return [{'params': decayed},
                {'params': codes, 'lr': self.config.optimizer_vqvae_lr,
                 'weight_decay': self.config.optimizer_vqvae_weight_decay},
                {'params': rest, 'weight_decay': 0.0}]


def focal_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of -(1 - p)^2 log p over the true codes (N,), given logits (N, K)."""
    chance = functional.log_softmax(logits, -1).gather(1, targets[:, None])[:, 0]
    return -((1 - chance.exp()) ** FOCUS * chance).mean()


POLICY = VQBeTPolicy
