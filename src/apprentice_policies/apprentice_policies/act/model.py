# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The network of ACT: a conditional VAE around a transformer (Zhao et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterable
import math
from typing import Any

from apprentice_policies.act.attention import Decoder
from apprentice_policies.act.attention import Encoder
from apprentice_policies.act.config import ACTConfig
from apprentice_policies.features import ACTION
from apprentice_policies.features import STATE
from apprentice_policies.vision import ResNetBackbone
import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional

Latent = tuple[Tensor, Tensor]
"""Mean and log variance, (B, latent_dim) each."""


class ACT(nn.Module):
    """
    Predict a chunk of actions from one observation.

    In training a second encoder reads the demonstrated chunk into a latent; else that is zero.
    Modules stand in LeRobot's order, which is the order of an optimiser's state.
    """

    def __init__(self, config: ACTConfig) -> None:
        """Start from random weights."""
        super().__init__()
        self.config = config
        width, action = config.dim_model, config.action.shape[0]
        state, environment = config.robot_state, config.environment_state
        if config.use_vae:
            self._build_vae(action)
        if config.images:
            self.backbone = ResNetBackbone(
                config.vision_backbone, 'frozen',
                dilate=bool(config.replace_final_stride_with_dilation),
                weights=config.pretrained_backbone_weights)
        self.encoder = Encoder(config, config.n_encoder_layers)
        self.decoder = Decoder(config)
        if state:
            self.encoder_robot_state_input_proj = nn.Linear(state.shape[0], width)
        if environment:
            self.encoder_env_state_input_proj = nn.Linear(environment.shape[0], width)
        self.encoder_latent_input_proj = nn.Linear(config.latent_dim, width)
        if config.images:
            self.encoder_img_feat_input_proj = nn.Conv2d(self.backbone.channels, width, 1)
        self.encoder_1d_feature_pos_embed = nn.Embedding(
            1 + bool(state) + bool(environment), width)
        self.decoder_pos_embed = nn.Embedding(config.chunk_size, width)
        self.action_head = nn.Linear(width, action)
        for part in (self.encoder, self.decoder):
            for parameter in part.parameters():
                if parameter.dim() > 1:
                    nn.init.xavier_uniform_(parameter)
        self._grid: Tensor | None = None

    def _build_vae(self, action: int) -> None:
        config, state = self.config, self.config.robot_state
        width = config.dim_model
        self.vae_encoder = Encoder(config, config.n_vae_encoder_layers)
        self.vae_encoder_cls_embed = nn.Embedding(1, width)
        if state:
            self.vae_encoder_robot_state_input_proj = nn.Linear(state.shape[0], width)
        self.vae_encoder_action_input_proj = nn.Linear(action, width)
        self.vae_encoder_latent_output_proj = nn.Linear(width, 2 * config.latent_dim)
        tokens = 1 + bool(state) + config.chunk_size
        table = _waves(torch.arange(tokens, dtype=torch.float64), width)
        self.register_buffer('vae_encoder_pos_enc', table.float()[None])

    def forward(self, batch: dict[str, Any]) -> tuple[Tensor, Latent | None]:
        """Return actions (B, chunk_size, A), and the latent's distribution where one was read."""
        latent = None
        if self.config.use_vae and self.training and batch.get(ACTION) is not None:
            latent = self.read_demonstration(batch)
            mean, log_variance = latent
            sample = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        else:
            sample = self._zeros(batch)
        tokens, positions = self._tokens(batch, sample)
        memory = self.encoder(tokens, positions)
        actions = self.decoder(self.decoder_pos_embed.weight, memory, memory + positions)
        return self.action_head(actions), latent

    def read_demonstration(self, batch: dict[str, Any]) -> Latent:
        """Return the latent's distribution for the demonstrated chunk, (B, chunk_size, A)."""
        actions = batch[ACTION]
        tokens = [self.vae_encoder_cls_embed.weight.expand(len(actions), 1, -1)]
        if self.config.robot_state:
            tokens.append(self.vae_encoder_robot_state_input_proj(batch[STATE])[:, None])
        valid = ~batch['action_is_pad']
        seen = torch.cat((valid.new_ones(len(valid), len(tokens)), valid), 1)
        tokens.append(self.vae_encoder_action_input_proj(actions))
        out = self.vae_encoder(torch.cat(tokens, 1), self.vae_encoder_pos_enc, seen, first=1)
        mean, log_variance = self.vae_encoder_latent_output_proj(out[:, 0]).chunk(2, -1)
        return mean, log_variance

    def _zeros(self, batch: dict[str, Any]) -> Tensor:
        some = batch[next(iter(self.config.input_features))]
        return torch.zeros(len(some), self.config.latent_dim, device=some.device,
                           dtype=self.encoder_latent_input_proj.weight.dtype)

    def _tokens(self, batch: dict[str, Any], latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoder's tokens (B, L, D) and their positions (L, D)."""
        config = self.config
        vectors = [self.encoder_latent_input_proj(latent)]
        if config.robot_state:
            vectors.append(self.encoder_robot_state_input_proj(batch[STATE]))
        if config.environment_state:
            vectors.append(self.encoder_env_state_input_proj(batch[config.environment_key]))
        tokens = [torch.stack(vectors, 1)]
        positions = [self.encoder_1d_feature_pos_embed.weight]
        project = self.encoder_img_feat_input_proj if config.images else None
        for maps in self._maps([batch[key] for key in config.images]):
            # A 1x1 convolution, as the matrix product that it is.
            tokens.append(functional.linear(maps.flatten(2).transpose(1, 2),
                                            project.weight.flatten(1), project.bias))
            positions.append(self._position_grid(maps))
        return torch.cat(tokens, 1), torch.cat(positions)

    def _maps(self, images: list[Tensor]) -> Iterable[Tensor]:
        """Return each camera's map (B, C, h, w); cameras of one size are read together."""
        if len({image.shape for image in images}) == 1:
            return self.backbone(torch.cat(images)).chunk(len(images))
        return [self.backbone(image) for image in images]

    def _position_grid(self, maps: Tensor) -> Tensor:
        """Return fixed positions (h w, D), rows first, those of the last size kept."""
        shape = maps.shape[-2:]
        kept = self._grid
        if kept is None or kept[0] != (shape, maps.device, maps.dtype):
            grid = position_grid(*shape, self.config.dim_model)
            self._grid = kept = ((shape, maps.device, maps.dtype), grid.to(maps))
        return kept[1]


def position_grid(height: int, width: int, channels: int) -> Tensor:
    """Return (height width, channels): waves of the row, then of the column, as in DETR."""
    half = channels // 2
    y, x = (_waves(torch.arange(1, size + 1, dtype=torch.float64) / (size + 1e-6) * 2 * math.pi,
                   half) for size in (height, width))
    return torch.cat((y[:, None].expand(-1, width, -1), x[None].expand(height, -1, -1)),
                     -1).flatten(0, 1).float()


def _waves(places: Tensor, channels: int) -> Tensor:
    """Return (places, channels): sines in even and cosines in odd channels, ever slower."""
    number = torch.arange(channels, dtype=torch.float64)
    angles = places[:, None] / 10000 ** (2 * torch.floor(number / 2) / channels)
    angles[:, 0::2] = angles[:, 0::2].sin()
    angles[:, 1::2] = angles[:, 1::2].cos()
    return angles
