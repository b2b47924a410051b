# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Transformer layers of ACT: positions are added to queries and keys in every layer (DETR)."""

from __future__ import annotations

from apprentice_policies.act.config import ACTConfig
from apprentice_policies.packing import linear
import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional


class Attention(nn.Module):
    """Attention of several heads, tensors named as in `torch.nn.MultiheadAttention`."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        """Draw the weights as torch's module does."""
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def constant(self, queries: Tensor, value: Tensor, batch: int) -> Tensor:
        """
        Attend from (T, D) to themselves where all values are one vector (D,).

        Weights add up to one, so only dropout tells positions apart: (B, T, D), else (D,).
        """
        width = len(value)
        value = functional.linear(value, self.in_proj_weight[2 * width:],
                                  self.in_proj_bias[2 * width:])
        if not (self.training and self.dropout):
            return self.out_proj(value)
        query, key = functional.linear(queries, self.in_proj_weight[:2 * width],
                                       self.in_proj_bias[:2 * width]).chunk(2, -1)
        query, key = self._split(query), self._split(key).transpose(-2, -1)
        weights = (query @ key / (width // self.heads) ** 0.5).softmax(-1)
        kept = functional.dropout(weights.expand(batch, -1, -1, -1), self.dropout).sum(-1)
        heads = kept[..., None] * value.view(self.heads, 1, -1)
        return self.out_proj(heads.transpose(1, 2).flatten(2))

    def forward(self, query: Tensor, key: Tensor, value: Tensor,
                seen: Tensor | None = None) -> Tensor:
        """
        Attend from (B, L, D) to keys and values (B, S, D); return (B, L, D).

        :param seen: bool (B, S), False where a key is padding.
        """
        width = query.shape[-1]
        if query is key:
            both = functional.linear(query, self.in_proj_weight[:2 * width],
                                     self.in_proj_bias[:2 * width])
            query, key = both.chunk(2, -1)
        else:
            query = functional.linear(query, self.in_proj_weight[:width],
                                      self.in_proj_bias[:width])
            key = functional.linear(key, self.in_proj_weight[width:2 * width],
                                    self.in_proj_bias[width:2 * width])
        value = functional.linear(value, self.in_proj_weight[2 * width:],
                                  self.in_proj_bias[2 * width:])
        heads = functional.scaled_dot_product_attention(
            self._split(query), self._split(key), self._split(value),
            None if seen is None else seen[:, None, None, :],
            self.dropout if self.training else 0.0)
        return self.out_proj(heads.transpose(1, 2).flatten(2))

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(-1, (self.heads, -1)).transpose(-3, -2)


class _Layer(nn.Module):
    """What layers of encoder and decoder share: the order of norm, dropout and shortcut."""

    def __init__(self, config: ACTConfig) -> None:
        super().__init__()
        self.pre_norm = config.pre_norm
        self.gelu = config.feedforward_activation == 'gelu'
        self.p = config.dropout
        self.self_attn = Attention(config.dim_model, config.n_heads, config.dropout)

    def add_feedforward(self, config: ACTConfig, norms: int) -> None:
        self.linear1 = nn.Linear(config.dim_model, config.dim_feedforward)
        self.linear2 = nn.Linear(config.dim_feedforward, config.dim_model)
        for number in range(1, norms + 1):
            self.add_module(f'norm{number}', nn.LayerNorm(config.dim_model))

    def drop(self, tokens: Tensor) -> Tensor:
        return functional.dropout(tokens, self.p, True) if self.training and self.p else tokens

    def feed(self, tokens: Tensor) -> Tensor:
        hidden = linear(self.linear1, tokens, relu=not self.gelu)
        return linear(self.linear2, self.drop(functional.gelu(hidden) if self.gelu else hidden))

    def before(self, norm: nn.Module, tokens: Tensor) -> Tensor:
        return norm(tokens) if self.pre_norm else tokens

    def join(self, norm: nn.Module, tokens: Tensor, change: Tensor) -> Tensor:
        tokens = tokens + self.drop(change)
        return tokens if self.pre_norm else norm(tokens)


class EncoderLayer(_Layer):
    """Self-attention and two linear layers."""

    def __init__(self, config: ACTConfig) -> None:
        """Take widths and dropout from the configuration."""
        super().__init__(config)
        self.add_feedforward(config, 2)

    def forward(self, tokens: Tensor, positions: Tensor, seen: Tensor | None,
                first: int | None = None) -> Tensor:
        """
        Return (B, L, D) for (B, L, D), or only the first tokens of what comes out.

        Positions are added to queries and keys.
        """
        value = self.before(self.norm1, tokens)
        key = value + positions
        query = key if first is None else key[:, :first]
        tokens = self.join(self.norm1, tokens[:, :first], self.self_attn(query, key, value, seen))
        return self.join(self.norm2, tokens, self.feed(self.before(self.norm2, tokens)))


class DecoderLayer(_Layer):
    """Self-attention, attention to the encoder's output, two linear layers."""

    def __init__(self, config: ACTConfig) -> None:
        """Take widths and dropout from the configuration."""
        super().__init__(config)
        self.multihead_attn = Attention(config.dim_model, config.n_heads, config.dropout)
        self.add_feedforward(config, 3)

    def forward(self, tokens: Tensor | None, queries: Tensor, memory: Tensor,
                keys: Tensor) -> Tensor:
        """
        Return (B, T, D); `keys` is `memory` (B, L, D) with its positions added.

        `tokens` None stands for zeros, which need next to no arithmetic.
        """
        if tokens is None:
            zeros = queries.new_zeros(queries.shape[-1])
            value = self.before(self.norm1, zeros)
            change = self.self_attn.constant(queries + value, value, len(memory))
            tokens = self.join(self.norm1, zeros, change.expand(len(memory), len(queries), -1))
        else:
            value = self.before(self.norm1, tokens)
            query = value + queries
            tokens = self.join(self.norm1, tokens, self.self_attn(query, query, value))
        query = self.before(self.norm2, tokens) + queries
        tokens = self.join(self.norm2, tokens, self.multihead_attn(query, keys, memory))
        return self.join(self.norm3, tokens, self.feed(self.before(self.norm3, tokens)))


class Encoder(nn.Module):
    """A stack of layers, normalised at the end where layers normalise before."""

    def __init__(self, config: ACTConfig, depth: int) -> None:
        """Build `depth` layers."""
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(depth))
        self.norm = nn.LayerNorm(config.dim_model) if config.pre_norm else nn.Identity()

    def forward(self, tokens: Tensor, positions: Tensor, seen: Tensor | None = None,
                first: int | None = None) -> Tensor:
        """Return (B, L, D), or only the first tokens, which saves most of the last layer."""
        *layers, last = self.layers
        for layer in layers:
            tokens = layer(tokens, positions, seen)
        return self.norm(last(tokens, positions, seen, first))


class Decoder(nn.Module):
    """A stack of layers and a norm."""

    def __init__(self, config: ACTConfig) -> None:
        """Build the configured number of layers."""
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.n_decoder_layers))
        self.norm = nn.LayerNorm(config.dim_model)

    def forward(self, queries: Tensor, memory: Tensor, keys: Tensor) -> Tensor:
        """Return (B, T, D) for the queries' positions (T, D), beginning with zeros."""
        tokens = None
        for layer in self.layers:
            tokens = layer(tokens, queries, memory, keys)
        return self.norm(tokens)
