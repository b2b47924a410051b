# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A GPT-2 (Radford et al. 2019) that reads vectors instead of words."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional

SCALE = 0.02
"""Standard deviation of the first weights."""


class CausalAttention(nn.Module):
    """Heads that look back only."""

    def __init__(self, width: int, heads: int, block_size: int, dropout: float) -> None:
        """Take the longest sequence as `block_size`."""
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        # Checkpoints hold the mask; torch's attention knows it by itself.
        mask = torch.tril(torch.ones(block_size, block_size))
        self.register_buffer('bias', mask.view(1, 1, block_size, block_size))

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (B, T, width) to the same shape."""
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                             for part in self.c_attn(tokens).chunk(3, -1))
        seen = functional.scaled_dot_product_attention(
            query, key, value, dropout_p=self.dropout if self.training else 0.0, is_causal=True)
        out = self.c_proj(seen.transpose(1, 2).flatten(2))
        return functional.dropout(out, self.dropout, self.training)


class Block(nn.Module):
    """Attention and two layers, each normalised first and added."""

    def __init__(self, width: int, heads: int, block_size: int, dropout: float) -> None:
        """See `CausalAttention`."""
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = CausalAttention(width, heads, block_size, dropout)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(),
                                 nn.Linear(4 * width, width), nn.Dropout(dropout))

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (B, T, width) to the same shape."""
        tokens = tokens + self.attn(self.ln_1(tokens))
        return tokens + self.mlp(self.ln_2(tokens))


class GPT(nn.Module):
    """Tokens (B, T, entering) to outputs (B, T, leaving), each made of those up to it."""

    def __init__(self, entering: int, leaving: int, width: int, layers: int, heads: int,
                 block_size: int, dropout: float) -> None:
        """Start from GPT-2's weights: normal, smaller where a layer adds to the stream."""
        super().__init__()
        self.transformer = nn.ModuleDict({
            'wte': nn.Linear(entering, width),
            'wpe': nn.Embedding(block_size, width),
            'drop': nn.Dropout(dropout),
            'h': nn.ModuleList(Block(width, heads, block_size, dropout) for _ in range(layers)),
            'ln_f': nn.LayerNorm(width),
        })
        self.lm_head = nn.Linear(width, leaving, bias=False)
        for name, parameter in self.named_parameters():
            if name.endswith('c_proj.weight'):
                nn.init.normal_(parameter, std=SCALE / math.sqrt(2 * layers))
            elif name.endswith('.weight') and parameter.ndim == 2:
                nn.init.normal_(parameter, std=SCALE)
            elif name.endswith('.bias'):
                nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (B, T, entering) to (B, T, leaving)."""
        parts = self.transformer
        places = torch.arange(tokens.shape[1], device=tokens.device)
        tokens = parts.drop(parts.wte(tokens) + parts.wpe(places))
        for block in parts.h:
            tokens = block(tokens)
        return self.lm_head(parts.ln_f(tokens))

    def decayed(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """
        Return the weights of linear layers, which may decay, and all else, by name.

        The order is that of an optimiser's state in LeRobot's training checkpoints.
        """
        linear = {f'{name}.weight' for name, part in self.named_modules()
                  if isinstance(part, nn.Linear)}
        named = sorted(self.named_parameters())
        return ([value for name, value in named if name in linear],
                [value for name, value in named if name not in linear])
