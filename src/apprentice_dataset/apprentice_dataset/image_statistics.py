# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Gather a camera's statistics while its pictures pass."""

from __future__ import annotations

from typing import Any

from apprentice_dataset.statistics import histogram_quantiles
from apprentice_dataset.statistics import Statistics
import numpy as np
from numpy.typing import NDArray

# Between half of this and this many pictures count, evenly spaced, however long it lasts.
_MOST = 256
_LEVELS = 256
_BINS = 5000
_MARGIN = 1e-10


def spatial_stride(height: int, width: int) -> int:
    """Return f, where every f-th row and column of a picture counts."""
    longer = max(height, width)
    return longer // 150 if longer >= 300 else 1


class _Sampler:
    """
    Keep what counts of evenly spaced pictures.

    The length of an episode is not known while it lasts: when enough are kept, every second
    one is dropped and the spacing doubled.
    """

    def __init__(self) -> None:
        """Begin without a picture."""
        self._spacing = 1
        self._kept: list[NDArray[Any]] = []

    def wants(self, frame: int) -> bool:
        """Return whether the picture of this frame counts."""
        return frame % self._spacing == 0

    def _keep(self, entry: NDArray[Any]) -> None:
        self._kept.append(entry)
        if len(self._kept) == _MOST:
            self._kept = self._kept[::2]
            self._spacing *= 2


class PictureSampler(_Sampler):
    """Keep histograms of evenly spaced pictures in colour."""

    def take(self, rgb: NDArray[np.uint8]) -> None:
        """Count a picture, (height, width, 3), that was wanted."""
        stride = spatial_stride(*rgb.shape[:2])
        thinned = rgb[::stride, ::stride].reshape(-1, 3)
        self._keep(np.stack([
            np.bincount(thinned[:, channel], minlength=_LEVELS) for channel in range(3)
        ]).astype(np.uint32))

    def statistics(self) -> Statistics:
        """Return them in [0, 1], each of shape (3, 1, 1); `count` is the number of pictures."""
        counts = np.sum(self._kept, axis=0, dtype=np.int64)
        levels = np.arange(_LEVELS, dtype=np.float64)
        total = counts.sum(axis=1)
        mean = counts @ levels / total
        square = np.sum(counts * np.square(levels - mean[:, None]), axis=1) / total
        low = np.array([np.flatnonzero(row)[0] for row in counts], np.float64)
        high = np.array([np.flatnonzero(row)[-1] for row in counts], np.float64)
        found = {'min': low, 'max': high, 'mean': mean, 'std': np.sqrt(square),
                 **_quantiles(counts, low, high)}
        shaped: dict[str, NDArray[Any]] = {
            name: (value / 255.0).reshape(3, 1, 1) for name, value in found.items()}
        return {**shaped, 'count': np.array([len(self._kept)], np.int64)}


class DepthSampler(_Sampler):
    """Keep evenly spaced pictures of distances."""

    def take(self, distances: NDArray[Any]) -> None:
        """Count a picture, (height, width), that was wanted."""
        stride = spatial_stride(*distances.shape[:2])
        self._keep(distances[::stride, ::stride].ravel())

    def statistics(self) -> Statistics:
        """Return them in the recorded unit, each (1, 1, 1); `count` is the number of pictures."""
        # Distances repeat: counted by value they take little time and memory.
        found, counts = np.unique(np.concatenate(self._kept), return_counts=True)
        values, total = found.astype(np.float64), counts.sum()
        mean = counts @ values / total
        square = counts @ np.square(values - mean) / total
        left, right = values[0] - _MARGIN, values[-1] + _MARGIN
        width = (right - left) / _BINS
        place = np.minimum((values - left) / width, _BINS - 1).astype(np.int64)
        fine = np.bincount(place, weights=counts, minlength=_BINS)[None]
        one = {'min': values[0], 'max': values[-1], 'mean': mean, 'std': np.sqrt(square),
               **histogram_quantiles(fine, np.array([left]), np.array([width]))}
        shaped: Statistics = {
            name: np.array(value, np.float64).reshape(1, 1, 1) for name, value in one.items()}
        return {**shaped, 'count': np.array([len(self._kept)], np.int64)}


def _quantiles(
    counts: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64],
) -> Statistics:
    left = low - _MARGIN
    width = (high + _MARGIN - left) / _BINS
    fine = np.zeros((3, _BINS), np.int64)
    for channel in range(3):
        present = np.flatnonzero(counts[channel])
        place = np.minimum((present - left[channel]) / width[channel], _BINS - 1)
        fine[channel, place.astype(np.int64)] = counts[channel, present]
    return histogram_quantiles(fine, left, width)
