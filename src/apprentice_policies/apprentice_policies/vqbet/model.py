# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The second stage of VQ-BeT: a GPT over observations predicts codes and offsets of chunks."""

from __future__ import annotations

from typing import NamedTuple

from apprentice_policies.features import STATE
from apprentice_policies.policy import Batch
from apprentice_policies.vision import RgbEncoder
from apprentice_policies.vqbet.config import VQBeTConfig
from apprentice_policies.vqbet.gpt import GPT
from apprentice_policies.vqbet.quantizer import ActionVqVae
from apprentice_policies.vqbet.quantizer import LEVELS
import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional


class Prediction(NamedTuple):
    """What the head says about N chunks: with K codes, T actions a chunk of A entries."""

    logits: Tensor
    """(N, 2, K), before the temperature."""
    codes: Tensor
    """(N, 2), drawn."""
    decoded: Tensor
    """(N, T, A), the chunk that the codes stand for, without gradient."""
    actions: Tensor
    """(N, T, A), with the offset."""


class ActionHead(nn.Module):
    """Draw a code a level and add the offset that belongs to the drawn codes."""

    def __init__(self, config: VQBeTConfig) -> None:
        """Start from random weights, in the first stage."""
        super().__init__()
        self.config = config
        chunk, (action_dim,) = config.action_chunk_size, config.action.shape
        width, codes = config.gpt_output_dim, config.vqvae_n_embed
        self.vqvae_model = ActionVqVae(chunk, action_dim, codes, config.vqvae_embedding_dim,
                                       config.vqvae_enc_hidden_dim)
        if config.sequentially_select:
            self.map_to_cbet_preds_primary_bin = _projector(width, codes)
            self.map_to_cbet_preds_secondary_bin = _projector(width + codes, codes)
        else:
            self.map_to_cbet_preds_bin = _projector(width, LEVELS * codes)
        self.map_to_cbet_preds_offset = _projector(width, LEVELS * codes * chunk * action_dim)

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Prediction:
        """Predict one chunk a feature vector, (N, width)."""
        if self.config.sequentially_select:
            logits, codes = self._codes_in_turn(features, generator)
        else:
            logits = self.map_to_cbet_preds_bin(features).unflatten(1, (LEVELS, -1))
            codes = self._draw(logits.flatten(0, 1), generator).view(-1, LEVELS)
        offsets = self.map_to_cbet_preds_offset(features)
        offsets = offsets.unflatten(1, (LEVELS, self.config.vqvae_n_embed, -1))
        rows = torch.arange(len(codes), device=codes.device)
        offset = sum(offsets[rows, level, codes[:, level]] for level in range(LEVELS))
        decoded = self.vqvae_model.decode(codes).detach()
        return Prediction(logits, codes, decoded, decoded + offset.view_as(decoded))

    def _codes_in_turn(self, features: Tensor, generator: torch.Generator | None
                       ) -> tuple[Tensor, Tensor]:
        """Draw the first code, then the second knowing the first."""
        first = self.map_to_cbet_preds_primary_bin(features)
        drawn = self._draw(first, generator)
        known = functional.one_hot(drawn, self.config.vqvae_n_embed).to(features.dtype)
        second = self.map_to_cbet_preds_secondary_bin(torch.cat((features, known), 1))
        return (torch.stack((first, second), 1),
                torch.stack((drawn, self._draw(second, generator)), 1))

    def _draw(self, logits: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return one code (N,) of logits (N, K)."""
        shares = functional.softmax(logits / self.config.bet_softmax_temperature, -1)
        return torch.multinomial(shares, 1, generator=generator)[:, 0]


class VQBeTModel(nn.Module):
    """Tokens of a picture, a state and a query for every step; chunks at the queries."""

    def __init__(self, config: VQBeTConfig) -> None:
        """Start from random weights."""
        super().__init__()
        self.config = config
        (self.image_key, image), = config.images.items()
        width = config.gpt_input_dim
        self.rgb_encoder = RgbEncoder(
            config.vision_backbone, image.shape, config.spatial_softmax_num_keypoints,
            crop_shape=config.crop_shape, crop_is_random=config.crop_is_random,
            norm='group' if config.use_group_norm else 'batch',
            weights=config.pretrained_backbone_weights)
        self.action_token = nn.Parameter(torch.randn(1, 1, width))
        self.state_projector = _projector(config.robot_state.shape[0], width)
        self.rgb_feature_projector = _projector(self.rgb_encoder.feature_dim, width)
        self.policy = GPT(width, config.gpt_output_dim, config.gpt_hidden_dim, config.gpt_n_layer,
                          config.gpt_n_head, config.gpt_block_size, config.dropout)
        self.action_head = ActionHead(config)
        begins = torch.arange(config.windows)[:, None]
        self.register_buffer('select_target_actions_indices',
                             begins + torch.arange(config.action_chunk_size))

    def windows(self, actions: Tensor) -> Tensor:
        """Return the chunks (B * windows, T, A) in a batch's actions (B, windows + T - 1, A)."""
        return actions[:, self.select_target_actions_indices].flatten(0, 1)

    def features(self, observation: Batch) -> Tensor:
        """Return one vector a window, (B * windows, gpt_output_dim)."""
        state, images = observation[STATE], observation[self.image_key]
        batch, steps = state.shape[:2]
        seen = self.rgb_encoder(images.flatten(0, 1)).view(batch, steps, -1)
        query = self.action_token.expand(batch, steps, -1)
        tokens = torch.stack((self.rgb_feature_projector(seen), self.state_projector(state),
                              query), 2).flatten(1, 2)
        later = self.action_token.expand(batch, self.config.n_action_pred_token - 1, -1)
        out = self.policy(torch.cat((tokens, later), 1))
        at_queries = torch.cat((out[:, 2:3 * steps:3], out[:, 3 * steps:]), 1)
        return at_queries.flatten(0, 1)


def _projector(entering: int, leaving: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(entering, leaving))
