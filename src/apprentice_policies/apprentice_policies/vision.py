# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Networks that read pictures: ResNet (He et al. 2015) and what Diffusion and VQ-BeT put behind it.

Tensor names are torchvision's, so that ImageNet weights and LeRobot's checkpoints fit. Weights
start random; `imagenet.load_imagenet` puts ImageNet's where a configuration asks for them.
"""

from __future__ import annotations

from apprentice_policies.convolution import arranged
from apprentice_policies.convolution import convolve
from apprentice_policies.convolution import FrozenBatchNorm2d
from apprentice_policies.convolution import restored
from apprentice_policies.errors import PolicyError
import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional

STRIDE = 32
"""How many pixels of a side make one of the last map; a broken rest counts as one."""

NAMES = ('conv1', 'bn1', 'relu', 'maxpool', 'layer1', 'layer2', 'layer3', 'layer4')


def _frozen_norm(channels: int) -> nn.Module:
    return FrozenBatchNorm2d(channels)


def _group_norm(channels: int) -> nn.Module:
    return nn.GroupNorm(channels // 16, channels)


NORMS = {'frozen': _frozen_norm, 'batch': nn.BatchNorm2d, 'group': _group_norm}


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, in ResNet-18 and 34."""

    expansion = 1

    def __init__(self, entering: int, width: int, stride: int, dilation: int,
                 norm: str, downsample: nn.Sequential | None) -> None:
        """Take channels in and out; `downsample` is the shortcut, None the identity."""
        super().__init__()
        self.conv1 = _conv(entering, width, 3, stride)
        self.bn1 = NORMS[norm](width)
        self.conv2 = _conv(width, width, 3)
        self.bn2 = NORMS[norm](width)
        self.downsample = downsample

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, width, H / stride, W / stride)."""
        out = functional.relu(convolve(self.conv1, self.bn1, maps), inplace=True)
        out = convolve(self.conv2, self.bn2, out)
        return functional.relu(out.add_(_shortcut(self.downsample, maps)), inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut, in ResNet-50 and up; strides in the 3x3."""

    expansion = 4

    def __init__(self, entering: int, width: int, stride: int, dilation: int,
                 norm: str, downsample: nn.Sequential | None) -> None:
        """Take channels in and between; 4 times `width` come out."""
        super().__init__()
        self.conv1 = _conv(entering, width, 1)
        self.bn1 = NORMS[norm](width)
        self.conv2 = _conv(width, width, 3, stride, dilation)
        self.bn2 = NORMS[norm](width)
        self.conv3 = _conv(width, width * self.expansion, 1)
        self.bn3 = NORMS[norm](width * self.expansion)
        self.downsample = downsample

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, 4 width, H / stride, W / stride)."""
        out = functional.relu(convolve(self.conv1, self.bn1, maps), inplace=True)
        out = functional.relu(convolve(self.conv2, self.bn2, out), inplace=True)
        out = convolve(self.conv3, self.bn3, out)
        return functional.relu(out.add_(_shortcut(self.downsample, maps)), inplace=True)


def _shortcut(downsample: nn.Sequential | None, maps: Tensor) -> Tensor:
    return maps if downsample is None else convolve(downsample[0], downsample[1], maps)


def _conv(entering: int, leaving: int, size: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(entering, leaving, size, stride, dilation * (size // 2), dilation, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode='fan_out', nonlinearity='relu')
    return conv


DEPTHS: dict[str, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, ...]]] = {
    'resnet18': (BasicBlock, (2, 2, 2, 2)),
    'resnet34': (BasicBlock, (3, 4, 6, 3)),
    'resnet50': (Bottleneck, (3, 4, 6, 3)),
    'resnet101': (Bottleneck, (3, 4, 23, 3)),
    'resnet152': (Bottleneck, (3, 8, 36, 3)),
}


class ResNetBackbone(nn.Module):
    """A ResNet up to its last map."""

    def __init__(self, name: str, norm: str = 'frozen', named: bool = True, dilate: bool = False,
                 weights: str | None = None) -> None:
        """
        Start from random weights.

        :param norm: `frozen` (statistics and scale are buffers), `batch` or `group`.
        :param named: name children as torchvision, else by numbers, as in a Sequential.
        :param dilate: dilate the last stage instead of striding: a map of twice the sides.
        :param weights: torchvision's name of the ImageNet weights that `imagenet` may read.
        :raises PolicyError: an unknown name; dilation in a network that has none.
        """
        super().__init__()
        if name not in DEPTHS:
            raise PolicyError(f'vision_backbone: found {name!r}, expected one of '
                              f'{", ".join(DEPTHS)}')
        block, depths = DEPTHS[name]
        if dilate and block is BasicBlock:
            raise PolicyError(f'replace_final_stride_with_dilation: {name} has blocks that cannot '
                              'dilate; expected vision_backbone resnet50 or larger')
        self.name, self.norm, self.weights = name, norm, weights
        self.channels = 512 * block.expansion
        stages = []
        entering = 64
        for number, depth in enumerate(depths):
            stages.append(_stage(block, entering, 64 << number, depth, norm,
                                 1 if number == 0 else 2, dilate and number == 3))
            entering = (64 << number) * block.expansion
        stem = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        nn.init.kaiming_normal_(stem.weight, mode='fan_out', nonlinearity='relu')
        children = (stem, NORMS[norm](64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1), *stages)
        for number, (child_name, child) in enumerate(zip(NAMES, children)):
            self.add_module(child_name if named else str(number), child)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, channels, ceil(H / 32), ceil(W / 32))."""
        stem, norm, relu, pool, *stages = self.children()
        maps = pool(relu(convolve(stem, norm, arranged(images, norm))))
        for stage in stages:
            maps = stage(maps)
        return restored(maps)


def _stage(block: type[BasicBlock] | type[Bottleneck], entering: int, width: int, depth: int,
           norm: str, stride: int, dilate: bool) -> nn.Sequential:
    leaving = width * block.expansion
    step = 1 if dilate else stride
    downsample = None
    if stride != 1 or entering != leaving:
        downsample = nn.Sequential(_conv(entering, leaving, 1, step), NORMS[norm](leaving))
    # The first block still reads a map that is not spread, so it does not dilate itself.
    blocks = [block(entering, width, step, 1, norm, downsample)]
    blocks += [block(leaving, width, 1, stride if dilate else 1, norm, None)
               for _ in range(depth - 1)]
    return nn.Sequential(*blocks)


class SpatialSoftmax(nn.Module):
    """Where each learned map is bright: expected coordinates (Finn et al. 2016)."""

    def __init__(self, input_shape: tuple[int, int, int], num_keypoints: int) -> None:
        """Take the (C, H, W) of the maps; coordinates go from -1 to 1, x to the right, y down."""
        super().__init__()
        channels, height, width = input_shape
        self.nets = nn.Conv2d(channels, num_keypoints, 1)
        y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width),
                              indexing='ij')
        self.register_buffer('pos_grid', torch.stack((x.reshape(-1), y.reshape(-1)), 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, num_keypoints, 2)."""
        return functional.softmax(self.nets(maps).flatten(2), -1) @ self.pos_grid


def crop(images: Tensor, size: tuple[int, int], random: bool,
         generator: torch.Generator | None = None) -> Tensor:
    """
    Cut (..., h, w) out of (..., H, W), at one place for all pictures.

    The place is the middle, or drawn: top, then left; nothing is drawn where nothing is cut.
    """
    spare = [have - want for have, want in zip(images.shape[-2:], size)]
    if not any(spare):
        return images
    if random:
        device = generator.device if generator is not None else 'cpu'
        top, left = (int(torch.randint(0, room + 1, (1,), generator=generator, device=device))
                     for room in spare)
    else:
        top, left = (round(room / 2) for room in spare)
    return images[..., top:top + size[0], left:left + size[1]]


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale (B, C, H, W) to (B, C, h, w): bilinear, antialiased, untouched at the same size."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return functional.interpolate(images, size, mode='bilinear', antialias=True)


class RgbEncoder(nn.Module):
    """Resize, crop, ResNet, spatial softmax and a linear layer: a picture as a vector."""

    def __init__(self, name: str, image_shape: tuple[int, ...], num_keypoints: int,
                 resize_shape: tuple[int, int] | None = None,
                 crop_shape: tuple[int, int] | None = None, crop_is_random: bool = True,
                 norm: str = 'batch', weights: str | None = None) -> None:
        """Take the shape (3, H, W) before resizing and cropping; see `ResNetBackbone`."""
        super().__init__()
        self.resize_shape, self.crop_shape = resize_shape, crop_shape
        self.crop_is_random = crop_is_random
        height, width = crop_shape or resize_shape or image_shape[1:]
        self.backbone = ResNetBackbone(name, norm, named=False, weights=weights)
        self.pool = SpatialSoftmax(
            (self.backbone.channels, -(-height // STRIDE), -(-width // STRIDE)), num_keypoints)
        self.feature_dim = 2 * num_keypoints
        self.out = nn.Linear(self.feature_dim, self.feature_dim)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, feature_dim); in training one random crop for all."""
        if self.resize_shape:
            images = resize(images, self.resize_shape)
        if self.crop_shape:
            images = crop(images, self.crop_shape, self.training and self.crop_is_random)
        return functional.relu(self.out(self.pool(self.backbone(images)).flatten(1)))
