# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Pictures of a moving, noisy scene that carry their number, and the number back from a video.

Needs NumPy and PyAV alone, so that other Pythons can import it; drawing needs simplejpeg too.
"""
from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 640, 480
COUNT = 600
"""So many different pictures are replayed over and over; their numbers begin anew."""
UNREADABLE = -1

# The number's bits and then their opposites, as black and white blocks along the upper edge.
_BITS = 10
_BLOCK = WIDTH // (2 * _BITS)
_BLACK, _WHITE = 20, 235
_MARGIN = 8
_REACH = 60
# Pixels of a cell, and how far its light may lie off the middle.
_COARSE, _FINE = ((160, 70.0), (40, 35.0)), ((10, 30.0), (3, 20.0))
_NOISES = 16
_NOISE_LEVELS = 2.5
_QUALITY = 80


def write_pictures(folder: Path) -> list[int]:
    """Write every picture as JPEG into a new folder; return their sizes in bytes."""
    import simplejpeg
    folder.mkdir()
    sizes = []
    chance = np.random.default_rng(1)
    scene = _scene(chance)
    noises = [chance.normal(0.0, _NOISE_LEVELS, (HEIGHT, WIDTH, 3)).astype(np.int16)
              for _ in range(_NOISES)]
    for number in range(COUNT):
        picture = _view(scene, number) + noises[number * 7 % _NOISES]
        picture = picture.clip(0, 255).astype(np.uint8)
        picture[:_BLOCK] = _blocks(number)[None, :, None]
        data = simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=_QUALITY)
        _file(folder, number).write_bytes(data)
        sizes.append(len(data))
    return sizes


def read_pictures(folder: Path) -> list[bytes]:
    """Return every picture as JPEG, by number."""
    return [_file(folder, number).read_bytes() for number in range(COUNT)]


def numbers_in(path: Path) -> list[int]:
    """Return the number of every frame of a video, UNREADABLE where there is none."""
    found = []
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = 'AUTO'
        for frame in container.decode(video=0):
            luma = frame.planes[0]
            rows = np.frombuffer(luma, np.uint8).reshape(-1, luma.line_size)
            found.append(_number(rows[:_BLOCK, :WIDTH]))
    return found


def _file(folder: Path, number: int) -> Path:
    return folder / f'{number:03d}.jpg'


def _blocks(number: int) -> NDArray[np.uint8]:
    bits = np.array([number >> bit & 1 for bit in range(_BITS)])
    return np.where(np.concatenate([bits, 1 - bits]), _WHITE, _BLACK).astype(
        np.uint8).repeat(_BLOCK)


def _number(luma: NDArray[np.uint8]) -> int:
    inner = luma.reshape(_BLOCK, 2 * _BITS, _BLOCK)[_MARGIN:-_MARGIN, :, _MARGIN:-_MARGIN]
    light = inner.mean(axis=(0, 2)) > (_BLACK + _WHITE) / 2
    if (light[:_BITS] == light[_BITS:]).any():
        return UNREADABLE
    return sum(1 << bit for bit, one in enumerate(light[:_BITS]) if one)


def _scene(chance: np.random.Generator) -> NDArray[np.int16]:
    """Return colours that change over large distances, and light over small ones too."""
    shape = HEIGHT + 2 * _REACH, WIDTH + 2 * _REACH
    fine = sum(size * _smooth(chance, shape, cell) for cell, size in _FINE)
    colours = [sum(size * _smooth(chance, shape, cell) for cell, size in _COARSE)
               for _ in range(3)]
    return (128.0 + fine[:, :, None] + np.stack(colours, axis=2)).astype(np.int16)


def _smooth(
    chance: np.random.Generator, shape: tuple[int, int], cell: int,
) -> NDArray[np.float64]:
    """Return chance values of -1 to 1 on a grid of cells, interpolated in between."""
    coarse = chance.uniform(-1.0, 1.0, (shape[0] // cell + 2, shape[1] // cell + 2))
    columns = np.arange(shape[1]) / cell
    wide = np.stack([np.interp(columns, np.arange(coarse.shape[1]), row) for row in coarse])
    rows = np.arange(shape[0]) / cell
    above = rows.astype(int)
    share = (rows - above)[:, None]
    return wide[above] * (1.0 - share) + wide[above + 1] * share


def _view(scene: NDArray[np.int16], number: int) -> NDArray[np.int16]:
    """Return what a camera sees that wanders over the scene and comes back to its beginning."""
    turn = 2.0 * np.pi * number / COUNT
    left = round(_REACH * (1.0 + np.cos(5.0 * turn)))
    top = round(_REACH * (1.0 + np.sin(7.0 * turn)))
    return scene[top:top + HEIGHT, left:left + WIDTH]
