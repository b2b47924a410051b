# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The first stage: chunks of actions as two codes each.

A residual VQ-VAE. Codebooks are moved by running means of what falls to each code (van den Oord
et al. 2017, appendix A.1), not by gradients, so they are buffers.
"""

from __future__ import annotations

import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional

LEVELS = 2
DECAY = 0.8
SMOOTHING = 1e-5
COMMITMENT = 5.0
"""Weight of keeping what is encoded near its code, beside the reconstruction."""


class Codebook(nn.Module):
    """K vectors of a width, and the running sums from which they follow."""

    def __init__(self, codes: int, width: int) -> None:
        """Start from random vectors that count as filled."""
        super().__init__()
        embed = nn.init.kaiming_uniform_(torch.empty(1, codes, width))
        self.register_buffer('initted', torch.ones(1))
        self.register_buffer('cluster_size', torch.zeros(1, codes))
        self.register_buffer('embed_avg', embed.clone())
        self.register_buffer('embed', embed)

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the code (N,) that lies nearest to each vector (N, width)."""
        return torch.cdist(vectors, self.embed[0]).argmin(-1)

    def look_up(self, codes: Tensor) -> Tensor:
        """Return the vectors (..., width) of codes (...)."""
        return self.embed[0][codes]

    @torch.no_grad()
    def follow(self, vectors: Tensor, codes: Tensor) -> None:
        """Move each vector towards the mean of what fell to it."""
        belongs = functional.one_hot(codes, self.embed.shape[1]).float()
        # Running sums need all their digits, also where the network computes in bfloat16.
        with torch.autocast(vectors.device.type, enabled=False):
            sums = belongs.T @ vectors.float()
        self.cluster_size.lerp_(belongs.sum(0, keepdim=True), 1 - DECAY)
        self.embed_avg.lerp_(sums[None], 1 - DECAY)
        # Laplace smoothing: a code to which nothing falls keeps a size that can be divided by.
        total = self.cluster_size.sum()
        share = ((self.cluster_size + SMOOTHING)
                 / (total + self.cluster_size.shape[1] * SMOOTHING))
        self.embed.copy_(self.embed_avg / (share * total)[..., None])


class Level(nn.Module):
    """One codebook of the residual quantizer, under LeRobot's name."""

    def __init__(self, codes: int, width: int) -> None:
        """Start from a random codebook."""
        super().__init__()
        self._codebook = Codebook(codes, width)

    @property
    def codebook(self) -> Codebook:
        """Return the vectors."""
        return self._codebook


class ResidualQuantizer(nn.Module):
    """Name a vector by one code a level; each level quantizes what the one before left over."""

    def __init__(self, codes: int, width: int) -> None:
        """Start from random codebooks that move."""
        super().__init__()
        self.register_buffer('freeze_codebook', torch.tensor(False))
        self.layers = nn.ModuleList(Level(codes, width) for _ in range(LEVELS))

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Return the sum of the codes' vectors (N, width), the codes (N, 2) and a loss a level (2,).

        The gradient passes through each level as if nothing was quantized. In training the
        codebooks follow, unless they are frozen.
        """
        moves = self.training and not self.freeze_codebook
        rest, total, found, losses = vectors, torch.zeros_like(vectors), [], []
        for level in self.layers:
            codes = level.codebook.nearest(rest)
            quantized = level.codebook.look_up(codes)
            if moves:
                level.codebook.follow(rest.detach(), codes)
            losses.append(functional.mse_loss(quantized.detach(), rest))
            passed = rest + (quantized - rest).detach()
            total = total + passed
            rest = rest - passed.detach()
            found.append(codes)
        return total, torch.stack(found, -1), torch.stack(losses)

    def look_up(self, codes: Tensor) -> Tensor:
        """Return the vectors (N, width) that codes (N, 2) stand for."""
        return sum(level.codebook.look_up(codes[:, number])
                   for number, level in enumerate(self.layers))


class ActionVqVae(nn.Module):
    """Encode a chunk of actions, quantize, decode."""

    def __init__(self, chunk: int, action_dim: int, codes: int, width: int, hidden: int) -> None:
        """Take the sizes; `width` is that of the codes, `hidden` that of the layers."""
        super().__init__()
        self.chunk, self.action_dim = chunk, action_dim
        self.register_buffer('discretized', torch.tensor(False))
        self.vq_layer = ResidualQuantizer(codes, width)
        self.encoder = _layers(chunk * action_dim, hidden, width)
        self.decoder = _layers(width, hidden, chunk * action_dim)

    def finish(self) -> None:
        """End the first stage: from now on the codes stand."""
        self.discretized.fill_(True)
        self.vq_layer.freeze_codebook.fill_(True)

    def encode(self, windows: Tensor) -> Tensor:
        """Return the codes (N, 2) of chunks (N, T, A)."""
        return self.vq_layer(self.encoder(windows.flatten(1)))[1]

    def decode(self, codes: Tensor) -> Tensor:
        """Return the chunks (N, T, A) of codes (N, 2)."""
        return self._shaped(self.decoder(self.vq_layer.look_up(codes)))

    def loss(self, windows: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Return how badly chunks (N, T, A) come back, with the commitment; figures."""
        quantized, codes, commitment = self.vq_layer(self.encoder(windows.flatten(1)))
        error = functional.l1_loss(self._shaped(self.decoder(quantized)), windows)
        return error + COMMITMENT * commitment.sum(), {
            'recon_l1_error': error.item(),
            'n_different_codes': float(sum(len(level.unique()) for level in codes.unbind(1))),
            'n_different_combinations': float(len(codes.unique(dim=0)))}

    def _shaped(self, flat: Tensor) -> Tensor:
        return flat.unflatten(1, (self.chunk, self.action_dim))


def _layers(entering: int, hidden: int, leaving: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(entering, hidden), nn.ReLU(), nn.Linear(hidden, hidden),
                         nn.ReLU(), nn.Linear(hidden, leaving))
