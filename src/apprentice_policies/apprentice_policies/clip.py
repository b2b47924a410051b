# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
CLIP's picture and text towers (Radford et al. 2021), with the tensor names of its checkpoints.

They start random. `clip_weights.load_clip` puts OpenAI's weights where a training begins.
"""

from __future__ import annotations

from apprentice_policies.clip_weights import find_sizes
from apprentice_policies.clip_weights import Sizes
from apprentice_policies.errors import PolicyError
import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional

LEGACY_END = 2
"""An `eos_token_id` that early configurations hold by mistake; the end is then the largest id."""


class Attention(nn.Module):
    """Scaled dot product attention of several heads."""

    def __init__(self, width: int, heads: int) -> None:
        """Take the width of tokens, which the heads share."""
        super().__init__()
        self._heads = heads
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, asking: Tensor, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, Q, C) that ask, (B, L, C) and a mask (B, 1, Q, L), True to see, to (B, Q, C)."""
        query, key, value = (
            layer(source).unflatten(-1, (self._heads, -1)).transpose(1, 2)
            for layer, source in ((self.q_proj, asking), (self.k_proj, tokens),
                                  (self.v_proj, tokens)))
        seen = functional.scaled_dot_product_attention(query, key, value, mask)
        return self.out_proj(seen.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """A transformer layer that normalises first."""

    def __init__(self, sizes: Sizes) -> None:
        """Take the sizes of the tower."""
        super().__init__()
        self.self_attn = Attention(sizes.hidden_size, sizes.num_attention_heads)
        self.layer_norm1 = nn.LayerNorm(sizes.hidden_size, sizes.layer_norm_eps)
        self.mlp = nn.ModuleDict({
            'fc1': nn.Linear(sizes.hidden_size, sizes.intermediate_size),
            'fc2': nn.Linear(sizes.intermediate_size, sizes.hidden_size)})
        self.layer_norm2 = nn.LayerNorm(sizes.hidden_size, sizes.layer_norm_eps)

    def forward(self, tokens: Tensor, mask: Tensor | None = None,
                first_only: bool = False) -> Tensor:
        """Map (B, L, C) to the same, or to (B, 1, C), the first token."""
        normed = self.layer_norm1(tokens)
        if first_only:
            tokens = tokens[:, :1]
        tokens = tokens + self.self_attn(normed[:, :tokens.shape[1]], normed, mask)
        hidden = self.mlp['fc1'](self.layer_norm2(tokens))
        # CLIP's quick GELU, x sigmoid(1.702 x), by a kernel that there is.
        hidden = functional.silu(1.702 * hidden).mul_(1 / 1.702)
        return tokens + self.mlp['fc2'](hidden)


def _layers(sizes: Sizes) -> nn.ModuleDict:
    return nn.ModuleDict({
        'layers': nn.ModuleList(Layer(sizes) for _ in range(sizes.num_hidden_layers))})


class VisionTower(nn.Module):
    """A vision transformer (Dosovitskiy et al. 2020); its first token describes the picture."""

    def __init__(self, name: str) -> None:
        """Take the name of the model, see `clip_weights.find_sizes`."""
        super().__init__()
        self.name = name
        sizes = find_sizes(name).vision
        self.side, self.width = sizes.image_size, sizes.hidden_size
        places = (sizes.image_size // sizes.patch_size) ** 2 + 1
        self.vision_model = nn.Module()
        parts = self.vision_model
        parts.embeddings = nn.Module()
        parts.embeddings.class_embedding = nn.Parameter(0.02 * torch.randn(self.width))
        parts.embeddings.patch_embedding = nn.Conv2d(3, self.width, sizes.patch_size,
                                                     sizes.patch_size, bias=False)
        parts.embeddings.position_embedding = _embedding(places, self.width)
        parts.pre_layrnorm = nn.LayerNorm(self.width, sizes.layer_norm_eps)
        parts.encoder = _layers(sizes)
        parts.post_layernorm = nn.LayerNorm(self.width, sizes.layer_norm_eps)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map (B, 3, side, side) to (B, width), before the last norm, which is not used."""
        if pictures.shape[-2:] != (self.side, self.side):
            raise PolicyError(
                f'{self.name}: found pictures of {tuple(pictures.shape[-2:])} pixels after '
                f'resizing and cropping, expected {self.side} x {self.side}; set '
                f'policy.image_resize_shape or policy.image_crop_shape')
        parts = self.vision_model
        patches = parts.embeddings.patch_embedding(pictures).flatten(2).transpose(1, 2)
        first = parts.embeddings.class_embedding.expand(len(patches), 1, -1)
        tokens = torch.cat((first, patches), 1) + parts.embeddings.position_embedding.weight
        tokens = parts.pre_layrnorm(tokens)
        *layers, last = parts.encoder['layers']
        for layer in layers:
            tokens = layer(tokens)
        return last(tokens, first_only=True)[:, 0]


class TextTower(nn.Module):
    """A causal transformer over tokens; the one at the text's end describes the text."""

    def __init__(self, name: str) -> None:
        """Take the name of the model, see `clip_weights.find_sizes`."""
        super().__init__()
        self.name = name
        sizes = find_sizes(name).text
        self.width, self._end = sizes.hidden_size, sizes.eos_token_id
        self.text_model = nn.Module()
        parts = self.text_model
        parts.embeddings = nn.ModuleDict({
            'token_embedding': _embedding(sizes.vocab_size, self.width),
            'position_embedding': _embedding(sizes.max_position_embeddings, self.width)})
        parts.encoder = _layers(sizes)
        parts.final_layer_norm = nn.LayerNorm(self.width, sizes.layer_norm_eps)

    def forward(self, tokens: Tensor, known: Tensor) -> Tensor:
        """
        Map token numbers (B, L), with `known` False at padding, to (B, width).

        No token sees later ones, so nothing is computed behind the last text's end.
        """
        ends = tokens if self._end == LEGACY_END else (tokens == self._end).int()
        ends = ends.argmax(1)
        length = int(ends.max()) + 1
        tokens, known = tokens[:, :length], known[:, :length].bool()
        parts = self.text_model
        hidden = (parts.embeddings['token_embedding'](tokens)
                  + parts.embeddings['position_embedding'].weight[:length])
        mask = known[:, None, None].expand(-1, 1, length, -1).tril()
        # A row that may see nothing would be no number, and spread.
        mask = mask | (torch.eye(length, dtype=torch.bool, device=mask.device)
                       & ~mask.any(-1, keepdim=True))
        for layer in parts.encoder['layers']:
            hidden = layer(hidden, mask)
        rows = torch.arange(len(tokens), device=tokens.device)
        return parts.final_layer_norm(hidden[rows, ends])


def _embedding(count: int, width: int) -> nn.Embedding:
    embedding = nn.Embedding(count, width)
    nn.init.normal_(embedding.weight, std=0.02)
    return embedding
