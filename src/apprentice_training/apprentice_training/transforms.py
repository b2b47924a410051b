# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Change the pictures of a batch at random: colours, sharpness, place; on the training device.

What is drawn for a sample follows from the seed, its position in the order and the camera, so it
does not depend on workers, processes or where a training was resumed. All frames of a window are
changed alike.
"""

from __future__ import annotations

from collections.abc import Callable
import math
from typing import Any

from apprentice_training.config import ImageTransformsConfig
from apprentice_training.errors import TrainingError
import numpy as np
import torch
from torch import Tensor
import torch.nn.functional as functional

Change = tuple[str, tuple[float, ...]]
_COLOURS = ('brightness', 'contrast', 'saturation', 'hue')
_AFFINE = {'degrees', 'translate', 'scale'}


def _range(name: str, value: Any) -> tuple[float, float]:
    """Return bounds; a single number means so far around what changes nothing."""
    if isinstance(value, (int, float)):
        middle = 0.0 if name in ('hue', 'degrees') else 1.0
        low = middle - value if middle == 0 else max(0.0, middle - value)
        return low, middle + value
    low, high = value
    return float(low), float(high)


class ImageTransforms:
    """The changes of a configuration, ready to be drawn."""

    def __init__(self, config: ImageTransformsConfig, seed: int) -> None:
        """Refuse a kind of change or an argument that is not known."""
        self._seed, self._random_order = seed, config.random_order
        self._kinds: list[list[tuple[str, dict[str, Any]]]] = []
        weights = []
        for name, one in config.tfs.items():
            self._kinds.append(_kinds(name, one.type, one.kwargs))
            weights.append(one.weight)
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise TrainingError('--dataset.image_transforms.tfs: found no weight above 0 or one '
                                'below')
        self._chances = np.array(weights) / total
        self._count = min(config.max_num_transforms, int(np.count_nonzero(self._chances)))

    def __call__(self, pictures: Tensor, positions: range, camera: int) -> Tensor:
        """Return changed pictures, (B, [T,] 3, H, W) from 0 to 1, of samples at positions."""
        windowed = pictures.unsqueeze(1) if pictures.dim() == 4 else pictures
        drawn = [self.draw(position, camera) for position in positions]
        result = windowed.clone()
        for turn in range(max(map(len, drawn), default=0)):
            names = {changes[turn][0] for changes in drawn if turn < len(changes)}
            for name in sorted(names):
                which = [row for row, changes in enumerate(drawn)
                         if turn < len(changes) and changes[turn][0] == name]
                rows = torch.tensor(which, device=pictures.device)
                values = torch.tensor([drawn[row][turn][1] for row in which],
                                      dtype=pictures.dtype, device=pictures.device)
                result[rows] = _CHANGES[name](result[rows], values)
        return result.squeeze(1) if pictures.dim() == 4 else result

    def draw(self, position: int, camera: int) -> list[Change]:
        """Return the changes of a sample with their values, in order."""
        rng = np.random.default_rng((self._seed, position, camera))
        chosen = rng.choice(len(self._chances), self._count, replace=False, p=self._chances)
        if not self._random_order:
            chosen.sort()
        return [(name, _values(rng, name, kwargs))
                for number in chosen for name, kwargs in self._kinds[number]]


def _kinds(name: str, kind: str, kwargs: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    known = {'Identity': set(), 'ColorJitter': set(_COLOURS), 'SharpnessJitter': {'sharpness'},
             'RandomAffine': _AFFINE}
    where = f'--dataset.image_transforms.tfs: {name}'
    if kind not in known:
        raise TrainingError(f'{where}: found type {kind!r}, expected one of {", ".join(known)}')
    wrong = sorted(set(kwargs) - known[kind])
    if wrong:
        raise TrainingError(f'{where}: found arguments {wrong}, expected some of '
                            f'{sorted(known[kind])}')
    if kind == 'RandomAffine':
        return [('affine', kwargs)]
    return [(colour, {colour: kwargs[colour]}) for colour in (*_COLOURS, 'sharpness')
            if colour in kwargs]


def _values(rng: np.random.Generator, name: str, kwargs: dict[str, Any]) -> tuple[float, ...]:
    if name != 'affine':
        return (rng.uniform(*_range(name, kwargs[name])),)
    angle = rng.uniform(*_range('degrees', kwargs.get('degrees', 0.0)))
    across, down = kwargs.get('translate') or (0.0, 0.0)
    scale = rng.uniform(*_range('scale', kwargs.get('scale') or (1.0, 1.0)))
    return angle, rng.uniform(-across, across), rng.uniform(-down, down), scale


def _blend(one: Tensor, other: Tensor, values: Tensor) -> Tensor:
    share = values.view(-1, 1, 1, 1, 1)
    return (one * share + other * (1 - share)).clamp_(0, 1)


def _grey(pictures: Tensor) -> Tensor:
    """Return luma by ITU-R BT.601, (N, T, 1, H, W)."""
    red, green, blue = pictures.unbind(-3)
    return (0.299 * red + 0.587 * green + 0.114 * blue).unsqueeze(-3)


def brightness(pictures: Tensor, values: Tensor) -> Tensor:
    """Multiply by a value a sample, (N, 1)."""
    return _blend(pictures, torch.zeros_like(pictures), values)


def contrast(pictures: Tensor, values: Tensor) -> Tensor:
    """Move away from the mean grey of each picture."""
    return _blend(pictures, _grey(pictures).mean((-3, -2, -1), keepdim=True), values)


def saturation(pictures: Tensor, values: Tensor) -> Tensor:
    """Move away from grey."""
    return _blend(pictures, _grey(pictures), values)


def sharpness(pictures: Tensor, values: Tensor) -> Tensor:
    """Move away from the mean of 3 x 3 pixels, the middle one counted five times."""
    if min(pictures.shape[-2:]) < 3:
        return pictures
    kernel = torch.ones(3, 3, dtype=pictures.dtype, device=pictures.device)
    kernel[1, 1] = 5.0
    flat = pictures.flatten(0, 2).unsqueeze(1)
    smooth = pictures.clone()
    inner = functional.conv2d(flat, (kernel / kernel.sum())[None, None])
    smooth[..., 1:-1, 1:-1] = inner.view(*pictures.shape[:3], *inner.shape[-2:])
    return _blend(pictures, smooth, values)


def hue(pictures: Tensor, values: Tensor) -> Tensor:
    """Turn the hue by a share of the whole circle."""
    highest, which = pictures.max(-3)
    spread = highest - pictures.min(-3).values
    red, green, blue = pictures.unbind(-3)
    divisor = torch.where(spread > 0, spread, torch.ones_like(spread))
    sixth = torch.where(which == 0, (green - blue) / divisor,
                        torch.where(which == 1, (blue - red) / divisor + 2,
                                    (red - green) / divisor + 4))
    turned = sixth + values.view(-1, 1, 1, 1) * 6
    found = []
    # A channel is the highest value less the spread, by how far the hue is from its own.
    for offset in (5, 3, 1):
        at = (turned + offset) % 6
        found.append(highest - spread * torch.minimum(at, 4 - at).clamp(0, 1))
    return torch.stack(found, -3)


def affine(pictures: Tensor, values: Tensor) -> Tensor:
    """Turn by degrees, move by shares of width and height and scale; black comes in."""
    angle, across, down, scale = values.unbind(1)
    height, width = pictures.shape[-2:]
    angle = angle * (math.pi / 180)
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    # From a place of the result back to the picture, both from -1 to 1.
    matrix = torch.stack([cosine, sine * height / width,
                          -2 * (cosine * across + sine * down * height / width),
                          -sine * width / height, cosine,
                          -2 * (cosine * down - sine * across * width / height)], 1)
    matrix = matrix.view(-1, 2, 3)
    frames = pictures.shape[1]
    flat = pictures.flatten(0, 1)
    grid = functional.affine_grid(matrix.repeat_interleave(frames, 0), list(flat.shape), False)
    return functional.grid_sample(flat, grid, 'nearest', align_corners=False).view_as(pictures)


_CHANGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'affine': affine, 'brightness': brightness, 'contrast': contrast, 'hue': hue,
    'saturation': saturation, 'sharpness': sharpness}
