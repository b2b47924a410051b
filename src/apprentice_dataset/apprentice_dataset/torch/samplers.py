# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Shuffle a dataset in blocks of frames that lie together, which decode faster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apprentice_dataset.errors import DatasetError
import numpy as np
from torch.utils.data import Sampler


class EpisodeBlockSampler(Sampler[list[int]]):
    """
    Give batches of positions: runs of `block` frames of an episode, in random order.

    A batch mixes runs of as many places of the dataset as it has room for. Every position comes
    once an epoch; where runs begin differs from epoch to epoch. Give it to a DataLoader as
    `batch_sampler`.
    """

    def __init__(
        self, dataset: Any, batch_size: int, block: int = 8, seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        """
        Take a `LeRobotDataset`.

        :param block: frames of a run; 1 shuffles frame by frame.
        :param seed: what the order follows from, with `set_epoch`.
        :raises DatasetError: a size below 1.
        """
        if batch_size < 1 or block < 1:
            raise DatasetError(f'found batch_size={batch_size} and block={block}, expected '
                               'numbers from 1')
        items = dataset.items
        self._lengths = items.metadata.episodes.column('length')[items.episodes]
        self._batch, self._block, self._seed = batch_size, block, seed
        self._drop, self._epoch = drop_last, 0

    def set_epoch(self, epoch: int) -> None:
        """Take the order of another epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of batches."""
        total = int(self._lengths.sum())
        return total // self._batch if self._drop else -(-total // self._batch)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of an epoch; the next pass is another epoch."""
        rng = np.random.default_rng((self._seed, self._epoch))
        self._epoch += 1
        begins = np.cumsum(self._lengths) - self._lengths
        first = begins - rng.integers(0, self._block, begins.size)
        counts = -(-(begins + self._lengths - first) // self._block)
        which = np.repeat(np.arange(begins.size), counts)
        step = np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)
        starts = first[which] + step * self._block
        ends = np.minimum(starts + self._block, (begins + self._lengths)[which])
        starts = np.maximum(starts, begins[which])
        batch: list[int] = []
        for run in rng.permutation(starts.size):
            batch.extend(range(starts[run], ends[run]))
            while len(batch) >= self._batch:
                yield batch[:self._batch]
                del batch[:self._batch]
        if batch and not self._drop:
            yield batch
