# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The networks of the multi-task diffusion transformer (TRI LBM Team 2025).

The transformer reads the condition (observation and time) through one linear layer a block, which
holds most of its weights. As in Diffusion Policy, what those layers say is passed to it from
outside, so that a sampler computes it once for all its steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from apprentice_policies.clip import TextTower
from apprentice_policies.clip import VisionTower
from apprentice_policies.denoising import StepEmbedding
from apprentice_policies.features import STATE
from apprentice_policies.multi_task_dit.config import MultiTaskDiTConfig
from apprentice_policies.processors.tokenize import MASK
from apprentice_policies.processors.tokenize import TOKENS
from apprentice_policies.vision import crop
from apprentice_policies.vision import resize
import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional


class VisionEncoder(nn.Module):
    """CLIP's picture tower, trained along."""

    def __init__(self, name: str) -> None:
        """Take the name of the CLIP model."""
        super().__init__()
        self.model = VisionTower(name)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, width)."""
        return self.model(pictures)


class TextEncoder(nn.Module):
    """CLIP's text tower, frozen, and a projection, trained."""

    def __init__(self, name: str, width: int) -> None:
        """Take the name of the CLIP model and the width of what comes out."""
        super().__init__()
        self.text_encoder = TextTower(name).requires_grad_(False)
        self.projection = nn.Linear(self.text_encoder.width, width)

    def forward(self, tokens: Tensor, known: Tensor) -> Tensor:
        """Map token numbers (B, L) and where they are no padding to (B, width)."""
        # A batch holds few tasks; each is read once.
        with torch.no_grad():
            both, which = torch.unique(torch.stack((tokens, known.to(tokens.dtype)), 1), dim=0,
                                       return_inverse=True)
            described = self.text_encoder(both[:, 0], both[:, 1])[which]
        return self.projection(described)


class ObservationEncoder(nn.Module):
    """Observations of several steps, and the task, as one vector."""

    def __init__(self, config: MultiTaskDiTConfig) -> None:
        """Build one picture tower, or one a camera."""
        super().__init__()
        self._config = config
        width = config.robot_state.shape[0] + config.hidden_dim
        if config.images and config.use_separate_rgb_encoder_per_camera:
            self.vision_encoders = nn.ModuleList(
                VisionEncoder(config.vision_encoder_name) for _ in config.images)
            width += sum(encoder.model.width for encoder in self.vision_encoders)
        elif config.images:
            self.vision_encoder = VisionEncoder(config.vision_encoder_name)
            width += self.vision_encoder.model.width * len(config.images)
        if config.environment_state is not None:
            width += config.environment_state.shape[0]
        self.text_encoder = TextEncoder(config.text_encoder_name, config.hidden_dim)
        self.width = width * config.n_obs_steps

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return (B, width) for observations (B, n_obs_steps, ...) and tokens (B, L)."""
        config = self._config
        parts = [batch[STATE], *self._features(batch)]
        if config.environment_state is not None:
            parts.append(batch[config.environment_key])
        text = self.text_encoder(batch[TOKENS], batch[MASK])
        parts.append(text[:, None].expand(-1, config.n_obs_steps, -1))
        return torch.cat(parts, -1).flatten(1)

    def _features(self, batch: dict[str, Tensor]) -> list[Tensor]:
        cameras = [batch[key] for key in self._config.images]
        if not cameras:
            return []
        lead = cameras[0].shape[:2]
        if self._config.use_separate_rgb_encoder_per_camera:
            return [encoder(self._cut(pictures.flatten(0, 1))).unflatten(0, lead)
                    for encoder, pictures in zip(self.vision_encoders, cameras)]
        pictures = self._cut(torch.stack(cameras, 2).flatten(0, 2))
        return [self.vision_encoder(pictures).view(*lead, -1)]

    def _cut(self, pictures: Tensor) -> Tensor:
        config = self._config
        if config.image_resize_shape:
            pictures = resize(pictures, config.image_resize_shape)
        if config.image_crop_shape:
            pictures = crop(pictures, config.image_crop_shape,
                            self.training and config.image_crop_is_random)
        return pictures


class RotaryAttention(nn.Module):
    """Self-attention that turns queries and keys by their place (Su et al. 2021)."""

    def __init__(self, config: MultiTaskDiTConfig) -> None:
        """Compute the angles of all places once."""
        super().__init__()
        width, self._heads = config.hidden_dim, config.num_heads
        self._dropout = config.dropout
        self.qkv_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)
        size = width // self._heads
        rates = config.rope_base ** (-torch.arange(0, size, 2, dtype=torch.float32) / size)
        angles = torch.arange(config.horizon)[:, None] * rates.repeat(2)
        # The first half takes the second's part with a minus.
        sign = torch.ones(size)
        sign[:size // 2] = -1
        self.register_buffer('_cosine', angles.cos(), persistent=False)
        self.register_buffer('_sine', angles.sin() * sign, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (B, T, C) to the same."""
        packed = self.qkv_proj(tokens).unflatten(-1, (3 * self._heads, -1)).transpose(1, 2)
        turned, value = packed.split((2 * self._heads, self._heads), 1)
        turned = turned * self._cosine + turned.roll(turned.shape[-1] // 2, -1) * self._sine
        query, key = turned.chunk(2, 1)
        seen = functional.scaled_dot_product_attention(
            query, key, value, dropout_p=self._dropout if self.training else 0.0)
        return self.out_proj(seen.transpose(1, 2).flatten(2))


class Modulation(NamedTuple):
    """What the condition does to a block: for attention, then for the MLP, each (B, 1, C)."""

    shift: Tensor
    scale: Tensor
    gate: Tensor
    shift_mlp: Tensor
    scale_mlp: Tensor
    gate_mlp: Tensor


class Block(nn.Module):
    """A transformer layer without norms of its own: scale, shift and gate follow the condition."""

    def __init__(self, config: MultiTaskDiTConfig, condition: int) -> None:
        """Take the width of the condition; start as the identity (AdaLN-Zero)."""
        super().__init__()
        width = config.hidden_dim
        if config.use_rope:
            self.attn = RotaryAttention(config)
        else:
            self.multihead_attn = nn.MultiheadAttention(width, config.num_heads, config.dropout,
                                                        batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU('tanh'),
                                 nn.Linear(4 * width, width))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(condition, 6 * width))
        nn.init.zeros_(self.adaLN_modulation[1].weight)
        nn.init.zeros_(self.adaLN_modulation[1].bias)

    def forward(self, tokens: Tensor, modulation: Tensor) -> Tensor:
        """Map (B, T, C), with (B, 6 C) of the condition, to (B, T, C)."""
        by = Modulation(*modulation[:, None].chunk(6, -1))
        seen = self._attend(_modulate(tokens, by.shift, by.scale))
        tokens = torch.addcmul(tokens, by.gate, seen)
        thought = self.mlp(_modulate(tokens, by.shift_mlp, by.scale_mlp))
        return torch.addcmul(tokens, by.gate_mlp, thought)

    def _attend(self, tokens: Tensor) -> Tensor:
        if hasattr(self, 'attn'):
            return self.attn(tokens)
        return self.multihead_attn(tokens, tokens, tokens, need_weights=False)[0]


def _modulate(tokens: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    normed = functional.layer_norm(tokens, tokens.shape[-1:], eps=1e-6)
    return torch.addcmul(shift, normed, 1 + scale)


class NoisePredictor(nn.Module):
    """A diffusion transformer (Peebles and Xie 2022) over action sequences."""

    def __init__(self, config: MultiTaskDiTConfig, condition: int) -> None:
        """Take the width of the observation's condition."""
        super().__init__()
        step, width = config.timestep_embed_dim, config.hidden_dim
        actions = config.action.shape[0]
        self.time_mlp = nn.Sequential(StepEmbedding(step), nn.Linear(step, 2 * step), nn.GELU(),
                                      nn.Linear(2 * step, step), nn.GELU())
        self.input_proj = nn.Linear(actions, width)
        self.pos_embedding = None
        if config.use_positional_encoding:
            self.pos_embedding = nn.Parameter(0.02 * torch.randn(1, config.horizon, width))
        self.transformer_blocks = nn.ModuleList(
            Block(config, step + condition) for _ in range(config.num_layers))
        self.output_proj = nn.Linear(width, actions)

    def modulations(self, time: Tensor, condition: Tensor) -> list[Tensor]:
        """Return the modulation of each block, for times (B,) and conditions (B, C)."""
        joint = functional.silu(torch.cat((self.time_mlp(time), condition), 1))
        return [block.adaLN_modulation[1](joint) for block in self.transformer_blocks]

    def modulations_of_steps(self, times: Tensor,
                             condition: Tensor) -> Callable[[int], list[Tensor]]:
        """Return a function that gives `modulations` by the index of a time, of all (K,)."""
        embedded = functional.silu(self.time_mlp(times))
        known = functional.silu(condition)
        parts = []
        for block in self.transformer_blocks:
            layer = block.adaLN_modulation[1]
            of_time, of_condition = layer.weight.split((embedded.shape[1], known.shape[1]), 1)
            parts.append((functional.linear(embedded, of_time),
                          functional.linear(known, of_condition, layer.bias)))
        return lambda index: [time[index] + rest for time, rest in parts]

    def forward(self, actions: Tensor, modulations: list[Tensor]) -> Tensor:
        """Map noisy actions (B, T, A) to what the process asks for, of the same shape."""
        tokens = self.input_proj(actions)
        if self.pos_embedding is not None:
            tokens = tokens + self.pos_embedding
        for block, modulation in zip(self.transformer_blocks, modulations):
            tokens = block(tokens, modulation)
        return self.output_proj(tokens)
