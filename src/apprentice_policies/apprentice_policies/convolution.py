# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A convolution and the normalisation behind it in one pass, wherever statistics are fixed."""

from __future__ import annotations

from apprentice_policies.packing import kept
from apprentice_policies.packing import packs
import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation whose four vectors are buffers: neither learned nor tracked."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        """Start as the identity, but for `eps`."""
        super().__init__()
        self.eps = eps
        self.register_buffer('weight', torch.ones(channels))
        self.register_buffer('bias', torch.zeros(channels))
        self.register_buffer('running_mean', torch.zeros(channels))
        self.register_buffer('running_var', torch.ones(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Scale and shift each channel of (B, C, H, W)."""
        scale, shift = _affine(self)
        return torch.addcmul(shift.view(-1, 1, 1), maps, scale.view(-1, 1, 1))


def convolve(conv: nn.Conv2d, norm: nn.Module, maps: Tensor) -> Tensor:
    """
    Return `norm(conv(maps))`, in one pass where the statistics are fixed.

    Scaling the kernels costs less than scaling the maps. While gradients are taken a frozen
    norm's kernels are scaled at each call; without them the scaled kernels are kept.
    """
    frozen = isinstance(norm, FrozenBatchNorm2d)
    if not frozen and (torch.is_grad_enabled() or not _fixed(norm)):
        return norm(conv(maps))
    if torch.is_grad_enabled() or torch.compiler.is_compiling():
        weight, shift = _folded(conv, norm)
    else:
        make = _packed if maps.is_mkldnn else _folded
        sources = (conv.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var)
        weight, shift = kept(norm, sources, lambda: make(conv, norm), make)
    return functional.conv2d(maps, weight, shift, conv.stride, conv.padding, conv.dilation)


def arranged(images: Tensor, norm: nn.Module) -> Tensor:
    """
    Return pictures in the memory layout in which their device convolves fastest.

    On a CPU channels lie innermost; for predictions on x86 the layout is oneDNN's own, in which
    kernels stay packed between calls. `restored` is its inverse.
    """
    if images.device.type != 'cpu':
        return images
    if _fixed(norm) and packs(images):
        return images.to_mkldnn()
    return images.contiguous(memory_format=torch.channels_last)


def restored(maps: Tensor) -> Tensor:
    """Return maps in a layout that every operation takes."""
    return maps.to_dense() if maps.is_mkldnn else maps


def _fixed(norm: nn.Module) -> bool:
    return isinstance(norm, FrozenBatchNorm2d) or (
        isinstance(norm, nn.BatchNorm2d) and not norm.training)


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return scale, norm.bias - norm.running_mean * scale


def _folded(conv: nn.Conv2d, norm: nn.Module) -> tuple[Tensor, Tensor]:
    scale, shift = _affine(norm)
    return conv.weight * scale.view(-1, 1, 1, 1), shift


def _packed(conv: nn.Conv2d, norm: nn.Module) -> tuple[Tensor, Tensor]:
    weight, shift = _folded(conv, norm)
    return torch._C._nn.mkldnn_reorder_conv2d_weight(
        weight.to_mkldnn(), conv.padding, conv.stride, conv.dilation,
        conv.groups), shift.to_mkldnn()
