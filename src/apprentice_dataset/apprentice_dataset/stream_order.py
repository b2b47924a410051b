# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Decide which frames a reader of a stream gives, and in which order; nothing is read here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
import random
from typing import Any

from apprentice_dataset.errors import DatasetError
import numpy as np

# Frames that follow each other and are read at once: more save no time, and mix less.
_AT_ONCE, _MIXED = 32, 16


@dataclass(frozen=True)
class Plan:
    """
    Describe an epoch: episodes with their lengths, and how they are mixed.

    `run` episodes that follow each other are a shard, the least that one reader takes. `buffer` is
    the number of frames among which the next one is drawn, `shards` how many are open at once.
    """

    episodes: Sequence[int]
    lengths: Sequence[int]
    run: int = 1
    shuffle: bool = True
    buffer: int = 1000
    shards: int = 16
    seed: int = 42

    @property
    def chunk(self) -> int:
        """Return how many frames that follow each other are read at once."""
        return max(1, min(_MIXED, self.buffer // self.shards // 4)) if self.shuffle else _AT_ONCE

    def share(self, epoch: int, reader: int, readers: int) -> list[list[tuple[int, int]]]:
        """Return the shards of one of several readers, each as (episode, length) in order."""
        if not 0 <= reader < readers:
            raise DatasetError(f'found reader {reader} of {readers}, expected one from 0 on')
        # A shard of many episodes must not leave readers without any.
        run = max(1, min(self.run, len(self.episodes) // (4 * readers)))
        begins = np.arange(0, len(self.episodes), run)
        if self.shuffle:
            begins = np.random.default_rng([self.seed, epoch]).permutation(begins)
        return [[(int(self.episodes[place]), int(self.lengths[place]))
                 for place in range(begin, min(begin + run, len(self.episodes)))]
                for begin in begins[reader::readers].tolist()]


@dataclass
class Chunk:
    """Hold frames of an episode that are read together; `items` are those that were read."""

    episode: int
    left: set[int]
    items: dict[int, Any] = field(default_factory=dict)


class Order(Iterator[tuple[Chunk, int]]):
    """
    Give chunk and frame of one item after the other.

    Shards are read chunk by chunk into a buffer from which the next item is drawn. All of it
    follows from plan, epoch and reader, so that a place in the order is told by a number.
    """

    def __init__(self, plan: Plan, epoch: int, reader: int, readers: int) -> None:
        """Begin the epoch of one of several readers."""
        self._plan = plan
        self._shards = deque(plan.share(epoch, reader, readers))
        self._dice = random.Random(f'{plan.seed} {epoch} {reader} {readers}')
        self._open: list[tuple[list[tuple[int, int]], int, int]] = []
        self._ready: deque[tuple[Chunk, int]] = deque()
        self._buffer: list[tuple[Chunk, int]] = []

    def __next__(self) -> tuple[Chunk, int]:
        """Return the next; the frame is no longer among those that are left of its chunk."""
        most = self._plan.buffer if self._plan.shuffle else 1
        while len(self._buffer) < most and (self._ready or self._read()):
            self._buffer.append(self._ready.popleft())
        if not self._buffer:
            raise StopIteration
        place = self._dice.randrange(len(self._buffer)) if self._plan.shuffle else 0
        chunk, frame = self._buffer[place]
        self._buffer[place] = self._buffer[-1]
        self._buffer.pop()
        chunk.left.discard(frame)
        return chunk, frame

    def _read(self) -> bool:
        """Take the next chunk of one of the open shards; False when there is none."""
        most = self._plan.shards if self._plan.shuffle else 1
        while len(self._open) < most and self._shards:
            self._open.append((self._shards.popleft(), 0, 0))
        if not self._open:
            return False
        place = self._dice.randrange(len(self._open)) if self._plan.shuffle else 0
        shard, number, begin = self._open[place]
        episode, length = shard[number]
        end = min(length, begin + self._plan.chunk)
        chunk = Chunk(episode, set(range(begin, end)))
        self._ready.extend((chunk, frame) for frame in range(begin, end))
        if end < length:
            self._open[place] = shard, number, end
        elif number + 1 < len(shard):
            self._open[place] = shard, number + 1, 0
        else:
            del self._open[place]
        return True
