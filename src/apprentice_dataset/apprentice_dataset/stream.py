# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Stream the items of a dataset from wherever it lies, as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apprentice_dataset.decoder_cache import Limit
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.stores import open_store
from apprentice_dataset.stores import Store
from apprentice_dataset.stream_order import Order
from apprentice_dataset.stream_order import Plan
from apprentice_dataset.stream_reader import StreamReader
import numpy as np

BUFFER_BYTES = 1 << 30
"""Limit of the decoded pictures that wait in the shuffle buffer of one reader."""


class Stream:
    """
    Give the items of a dataset, shared out over readers without overlap or loss.

    A reader is one of `readers` that each call `items` with a number of their own, in processes
    or on machines of their own. What it gives follows from the arguments and the epoch alone.
    """

    def __init__(
        self, place: str | Path, episodes: Sequence[int] | None = None, *,
        delta_timestamps: Mapping[str, Sequence[float]] | None = None, tolerance_s: float = 1e-4,
        buffer_size: int = 1000, max_num_shards: int = 16, seed: int = 42, shuffle: bool = True,
        buffer_bytes: int = BUFFER_BYTES, depth_output_unit: str = 'mm',
        max_decoders: Limit = 'auto', **options: Any,
    ) -> None:
        """
        Read the metadata, which a store gives first; no rows and no pictures.

        :param place: a folder, or a URL that fsspec knows.
        :param episodes: those that are wanted, in whatever order; None: all.
        :param delta_timestamps: a feature's window, in seconds from the frame.
        :param tolerance_s: how far a window may lie from whole frames, and a frame of an mp4 from
            the time of its row.
        :param buffer_size: among how many frames the next one is drawn.
        :param max_num_shards: how many shards, row groups of an episode or more, are open at once.
        :param shuffle: False: in the order of the dataset.
        :param buffer_bytes: limit of the buffer; large pictures make it smaller than
            `buffer_size`.
        :param depth_output_unit: of distances, `mm` or `m`.
        :param max_decoders: how many mp4s a reader keeps open, see `DecoderCache`.
        :param options: for the store, see `open_store`.
        :raises DatasetError: an episode, feature or window that cannot be; or no dataset there.
        """
        for name, number in (('buffer_size', buffer_size), ('max_num_shards', max_num_shards)):
            if number < 1:
                raise DatasetError(f'{name}: found {number}, expected a number from 1')
        self.store: Store = open_store(place, **options)
        self.metadata: Metadata = read_metadata(self.store.metadata_folder())
        if depth_output_unit not in ('mm', 'm'):
            raise DatasetError(f'depth_output_unit: found {depth_output_unit!r}, expected mm or m')
        self.tolerance_s = tolerance_s
        self._more = depth_output_unit, max_decoders
        self.windows = windows(self.metadata, delta_timestamps or {}, tolerance_s)
        self.episodes = _chosen(self.store.name, self.metadata, episodes)
        reader = self.reader()
        self.plan = Plan(
            self.episodes, self.metadata.episodes.column('length')[self.episodes].tolist(),
            reader.episodes_together(self.episodes), shuffle,
            max(1, min(buffer_size, buffer_bytes // max(1, reader.picture_bytes()))),
            max_num_shards, seed)
        reader.close()

    def __len__(self) -> int:
        """Return the number of items of all readers together."""
        return sum(self.plan.lengths)

    def length(self, epoch: int, reader: int, readers: int) -> int:
        """Return the number of items of one reader."""
        return sum(length for shard in self.plan.share(epoch, reader, readers)
                   for _, length in shard)

    def reader(self) -> StreamReader:
        """Return what reads and decodes; it is to be closed."""
        return StreamReader(self.store, self.metadata, self.windows, self.tolerance_s,
                            *self._more)

    def items(
        self, epoch: int = 0, reader: int = 0, readers: int = 1, skip: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """
        Yield the items of a reader, those after `skip` of them; files are closed at the end.

        :raises DatasetBroken: a file is missing or contradicts the metadata.
        :raises StoreFailed: a store does not give a file.
        """
        order = Order(self.plan, epoch, reader, readers)
        for _ in range(skip):
            if next(order, None) is None:
                return
        with self.reader() as source:
            for chunk, frame in order:
                if frame not in chunk.items:
                    chunk.items = source.items(chunk.episode, sorted({frame, *chunk.left}))
                yield chunk.items.pop(frame)


def windows(
    metadata: Metadata, delta_timestamps: Mapping[str, Sequence[float]], tolerance_s: float,
) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    """
    Return windows in frames.

    :raises DatasetError: a feature that does not exist or is a string, a time between frames.
    """
    found = {}
    for name, times in delta_timestamps.items():
        feature = metadata.info.features.get(name)
        if feature is None or feature.dtype in ('string', 'language'):
            raise DatasetError(
                f'delta_timestamps: found {name!r}, expected one of '
                f'{sorted(one for one in metadata.info.features)} that is no text')
        exact = np.asarray(times, np.float64).reshape(-1) * metadata.info.fps
        offsets = np.rint(exact)
        off = np.abs(exact - offsets) / metadata.info.fps > tolerance_s
        if off.any() or not np.isfinite(exact).all() or not exact.size:
            raise DatasetError(
                f'delta_timestamps of {name!r}: found {list(times)}, expected times that are '
                f'multiples of 1/{metadata.info.fps} s within tolerance_s={tolerance_s}')
        found[name] = offsets.astype(np.int64)
    return found


def _chosen(where: str, metadata: Metadata, episodes: Sequence[int] | None) -> list[int]:
    count = len(metadata.episodes)
    chosen = list(range(count)) if episodes is None else sorted({int(one) for one in episodes})
    if not chosen or chosen[0] < 0 or chosen[-1] >= count:
        raise DatasetError(f'{where}: found episodes {chosen[:1]} to {chosen[-1:]}, expected some '
                           f'of 0 to {count - 1}')
    return chosen
