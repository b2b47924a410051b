# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The networks of Diffusion Policy (Chi et al. 2023): a picture encoder and a conditional U-Net.

The U-Net reads the condition (observation and time) only through one linear layer a block. What
those layers say is passed to it from outside, because a sampler can compute their observation
part once a chunk and their time part for all its steps together.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator

from apprentice_policies.denoising import StepEmbedding
from apprentice_policies.diffusion.config import DiffusionConfig
from apprentice_policies.diffusion.config import FINAL_GROUPS
from apprentice_policies.features import STATE
from apprentice_policies.vision import RgbEncoder
import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional
from torch.utils.checkpoint import checkpoint


class Conv1d(nn.Conv1d):
    """
    A convolution over few steps and many channels.

    With fewer steps than output channels its weights are most of the data. oneDNN reorders them
    at every call, which then costs more than multiplying, so on a CPU the windows are laid out
    as rows of one matrix product instead.
    """

    def forward(self, sequence: Tensor) -> Tensor:
        """Map (B, C, T) to (B, out channels, T')."""
        batch, _, steps = sequence.shape
        if sequence.device.type != 'cpu' or batch * steps >= self.out_channels:
            return super().forward(sequence)
        size, stride, padding = self.kernel_size[0], self.stride[0], self.padding[0]
        if padding:
            sequence = functional.pad(sequence, (padding, padding))
        windows = sequence.unfold(2, size, stride).transpose(1, 2)
        rows = functional.linear(windows.flatten(2), self.weight.flatten(1), self.bias)
        return rows.transpose(1, 2)


class ConvBlock(nn.Module):
    """Convolution, group norm, Mish."""

    def __init__(self, entering: int, leaving: int, size: int, groups: int) -> None:
        """Take channels, the odd kernel size and the number of groups."""
        super().__init__()
        self.block = nn.Sequential(Conv1d(entering, leaving, size, padding=size // 2),
                                   nn.GroupNorm(groups, leaving), nn.Mish())

    def forward(self, sequence: Tensor) -> Tensor:
        """Map (B, C, T) to (B, leaving, T)."""
        return self.block(sequence)


class ResidualBlock(nn.Module):
    """Two convolution blocks with a modulation by the condition between them (FiLM)."""

    def __init__(self, entering: int, leaving: int, condition: int,
                 config: DiffusionConfig) -> None:
        """Take channels and the width of the condition."""
        super().__init__()
        self.scaled = config.use_film_scale_modulation
        size, groups = config.kernel_size, config.n_groups
        self.conv1 = ConvBlock(entering, leaving, size, groups)
        self.cond_encoder = nn.Sequential(
            nn.Mish(), nn.Linear(condition, leaving * (2 if self.scaled else 1)))
        self.conv2 = ConvBlock(leaving, leaving, size, groups)
        self.residual_conv = (nn.Identity() if entering == leaving
                              else Conv1d(entering, leaving, 1))

    def forward(self, sequence: Tensor, modulation: Tensor) -> Tensor:
        """Map (B, C, T), with (B, 2 leaving) of scales, then biases, or biases alone."""
        out = self.conv1(sequence)
        modulation = modulation[..., None]
        if self.scaled:
            scale, bias = modulation.chunk(2, 1)
            out = torch.addcmul(bias, scale, out)
        else:
            out = out + modulation
        return self.conv2(out) + self.residual_conv(sequence)


class Unet(nn.Module):
    """
    A one-dimensional U-Net over action sequences.

    As published it leaves the skip of the first width unused, and doubles the steps after every
    width on the way up.
    """

    def __init__(self, config: DiffusionConfig, condition: int) -> None:
        """Take the width of the observation's condition."""
        super().__init__()
        self._checkpointed = config.gradient_checkpointing
        step = config.diffusion_step_embed_dim
        actions = config.action.shape[0]
        self.diffusion_step_encoder = nn.Sequential(
            StepEmbedding(step), nn.Linear(step, 4 * step), nn.Mish(), nn.Linear(4 * step, step))

        def pair(entering: int, leaving: int) -> list[nn.Module]:
            return [ResidualBlock(entering, leaving, step + condition, config),
                    ResidualBlock(leaving, leaving, step + condition, config)]

        dims = tuple(config.down_dims)
        self.down_modules = nn.ModuleList()
        for entering, leaving in zip((actions, *dims), dims):
            shrink = (nn.Identity() if len(self.down_modules) == len(dims) - 1
                      else Conv1d(leaving, leaving, 3, 2, 1))
            self.down_modules.append(nn.ModuleList([*pair(entering, leaving), shrink]))
        self.mid_modules = nn.ModuleList(pair(dims[-1], dims[-1]))
        self.up_modules = nn.ModuleList(
            nn.ModuleList([*pair(2 * entering, leaving),
                           nn.ConvTranspose1d(leaving, leaving, 4, 2, 1)])
            for entering, leaving in zip(dims[:0:-1], dims[-2::-1]))
        self.final_conv = nn.Sequential(
            ConvBlock(dims[0], dims[0], config.kernel_size, FINAL_GROUPS),
            Conv1d(dims[0], actions, 1))

    def blocks(self) -> Iterator[ResidualBlock]:
        """Yield the residual blocks in the order of `forward`."""
        for first, second, _ in self.down_modules:
            yield from (first, second)
        yield from self.mid_modules
        for first, second, _ in self.up_modules:
            yield from (first, second)

    def modulations(self, time: Tensor, condition: Tensor) -> list[Tensor]:
        """Return what each block adds and multiplies with, for times (B,), conditions (B, C)."""
        joint = functional.mish(torch.cat((self.diffusion_step_encoder(time), condition), 1))
        return [block.cond_encoder[1](joint) for block in self.blocks()]

    def modulations_of_steps(self, times: Tensor,
                             condition: Tensor) -> Callable[[int], list[Tensor]]:
        """
        Return a function that gives `modulations` by the index of a time.

        Mish works on each number alone, so the linear layers split into a part of the time, for
        all times (K,) at once, and a part of the condition, which is the same at every step.
        """
        embedded = functional.mish(self.diffusion_step_encoder(times))
        known = functional.mish(condition)
        parts = []
        for block in self.blocks():
            layer = block.cond_encoder[1]
            of_time, of_condition = layer.weight.split((embedded.shape[1], known.shape[1]), 1)
            parts.append((functional.linear(embedded, of_time),
                          functional.linear(known, of_condition, layer.bias)))
        return lambda index: [time[index] + rest for time, rest in parts]

    def forward(self, actions: Tensor, modulations: list[Tensor]) -> Tensor:
        """Map noisy actions (B, T, A) to the noise in them, or to clean ones."""
        queue = iter(modulations)
        sequence = actions.transpose(1, 2)
        skips = []
        for first, second, shrink in self.down_modules:
            sequence = self._run(first, sequence, next(queue))
            sequence = self._run(second, sequence, next(queue))
            skips.append(sequence)
            sequence = shrink(sequence)
        for block in self.mid_modules:
            sequence = self._run(block, sequence, next(queue))
        for first, second, widen in self.up_modules:
            sequence = torch.cat((sequence, skips.pop()), 1)
            sequence = self._run(first, sequence, next(queue))
            sequence = widen(self._run(second, sequence, next(queue)))
        return self.final_conv(sequence).transpose(1, 2)

    def _run(self, block: ResidualBlock, sequence: Tensor, modulation: Tensor) -> Tensor:
        if self._checkpointed and torch.is_grad_enabled():
            return checkpoint(block, sequence, modulation, use_reentrant=False)
        return block(sequence, modulation)


class DiffusionModel(nn.Module):
    """What LeRobot keeps under `diffusion.`: the picture encoders and the U-Net."""

    def __init__(self, config: DiffusionConfig) -> None:
        """Build one encoder a camera, or one for all."""
        super().__init__()
        self._config = config
        width = config.robot_state.shape[0]
        if config.environment_state is not None:
            width += config.environment_state.shape[0]
        if config.images:
            encoders = [_rgb_encoder(config) for _ in config.images] if (
                config.use_separate_rgb_encoder_per_camera) else [_rgb_encoder(config)]
            width += encoders[0].feature_dim * len(config.images)
            self.rgb_encoder = (nn.ModuleList(encoders)
                                if config.use_separate_rgb_encoder_per_camera else encoders[0])
        self.unet = Unet(config, width * config.n_obs_steps)
        if config.compile_model:
            self.unet = torch.compile(self.unet, mode=config.compile_mode)

    def condition(self, batch: dict[str, Tensor]) -> Tensor:
        """Return all observations of (B, n_obs_steps, ...) as one vector, (B, C)."""
        parts = [batch[STATE], *self._features(batch)]
        if self._config.environment_state is not None:
            parts.append(batch[self._config.environment_key])
        return torch.cat(parts, -1).flatten(1)

    def _features(self, batch: dict[str, Tensor]) -> list[Tensor]:
        cameras = [batch[key] for key in self._config.images]
        if not cameras:
            return []
        lead = cameras[0].shape[:2]
        if self._config.use_separate_rgb_encoder_per_camera:
            return [encoder(pictures.flatten(0, 1)).unflatten(0, lead)
                    for encoder, pictures in zip(self.rgb_encoder, cameras)]
        pictures = torch.stack(cameras, 2).flatten(0, 2)
        return [self.rgb_encoder(pictures).view(*lead, -1)]


def _rgb_encoder(config: DiffusionConfig) -> RgbEncoder:
    return RgbEncoder(
        config.vision_backbone, next(iter(config.images.values())).shape,
        config.spatial_softmax_num_keypoints, config.resize_shape, config.crop_shape,
        config.crop_is_random, 'group' if config.use_group_norm else 'batch',
        config.pretrained_backbone_weights)
