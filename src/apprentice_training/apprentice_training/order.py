# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
In which order samples are trained on: a function of seed and position, so that any step is near.

The order is one endless row of positions, epoch after epoch. A batch of B samples in each of W
processes takes B * W positions that follow each other, whatever number of workers loads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler


class Order:
    """
    Give samples by position; a sample is a number among those of all datasets in a row.

    An epoch has as many positions as there are samples. Datasets share its positions by weight,
    and each gives every sample once before it gives one twice.
    """

    def __init__(self, lengths: Sequence[int], weights: Sequence[float], seed: int,
                 shuffle: bool = True) -> None:
        """Take the number of samples and the weight of each dataset."""
        self._lengths = [int(length) for length in lengths]
        self._seed, self._shuffle = seed, shuffle
        self.length = sum(self._lengths)
        exact = np.asarray(weights, np.float64) / sum(weights) * self.length \
            if len(lengths) > 1 else np.array([float(self.length)])
        self.counts = np.floor(exact).astype(np.int64)
        short = self.length - int(self.counts.sum())
        self.counts[np.argsort(self.counts - exact, kind='stable')[:short]] += 1
        self._epoch, self._samples = -1, np.empty(0, np.int64)

    def samples(self, begin: int, count: int) -> NDArray[np.int64]:
        """Return the samples at `count` positions from `begin` on."""
        found = []
        while count:
            epoch, at = divmod(begin, self.length)
            piece = self._of_epoch(epoch)[at:at + count]
            found.append(piece)
            begin, count = begin + len(piece), count - len(piece)
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def _of_epoch(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            self._epoch, self._samples = epoch, self._drawn(epoch)
        return self._samples

    def _drawn(self, epoch: int) -> NDArray[np.int64]:
        if not self._shuffle:
            return np.arange(self.length)
        if len(self._lengths) == 1:
            return np.random.default_rng((self._seed, epoch)).permutation(self.length)
        which = np.random.default_rng((self._seed, epoch)).permutation(
            np.repeat(np.arange(len(self._lengths)), self.counts))
        found = np.empty(self.length, np.int64)
        first = 0
        for number, (length, count) in enumerate(zip(self._lengths, self.counts.tolist())):
            found[which == number] = first + self._of_dataset(number, length, epoch, count)
            first += length
        return found

    def _of_dataset(self, number: int, length: int, epoch: int, count: int) -> NDArray[np.int64]:
        """Go on in a dataset's own permutations where the epoch before ended."""
        begin, end = epoch * count, (epoch + 1) * count
        found = [np.random.default_rng((self._seed, turn, number + 1)).permutation(length)
                 for turn in range(begin // length, -(-end // length))]
        skip = begin - begin // length * length
        return np.concatenate(found)[skip:skip + count] if found else np.empty(0, np.int64)


class Batches(Sampler[list[int]]):
    """Give one process its batches, from a position on, for a number of batches."""

    def __init__(self, order: Order, size: int, begin: int, count: int, rank: int = 0,
                 world: int = 1) -> None:
        """Take the size of a process's batch; `begin` is a position of the order."""
        self._order, self._size = order, size
        self._begin, self._count = begin, count
        self._rank, self._world = rank, world

    def __len__(self) -> int:
        """Return the number of batches."""
        return self._count

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the samples of each batch."""
        for number in range(self._count):
            begin = self._begin + (number * self._world + self._rank) * self._size
            yield self._order.samples(begin, self._size).tolist()
