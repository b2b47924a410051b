# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep a camera's encoded pictures on disk until they are in a table, and give them to it."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import struct
import zlib

from apprentice_dataset.columns import IMAGE
from apprentice_dataset.files import write_all
import numpy as np
import pyarrow as pa

# Where a picture ends in the file of all, and its checksum.
_ENTRY = struct.Struct('<QI')
_ENTRIES = np.dtype([('end', '<u8'), ('checksum', '<u4')])
# So many seconds of pictures may wait for the disk.
_SYNC_S = 2
# Arrow counts the bytes of a column's piece in 32 bits.
_MOST_BYTES = (1 << 31) - 1


def _paths(path: Path) -> tuple[Path, Path]:
    return path.with_suffix('.pictures'), path.with_suffix('.index')


class PictureFile:
    """
    Append pictures to a file, and where they end to an index.

    A picture counts when it is in the index; `flushed` equals `frames`.
    """

    def __init__(self, path: Path, fps: int, keep: int = 0) -> None:
        """
        Begin both files, named after `path`.

        :param keep: go on behind so many pictures that are there.
        """
        self._fps, self.frames = fps, keep
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        entries = _entries(path)[:keep]
        self._end = int(entries['end'][-1]) if len(entries) else 0
        self._descriptors = [os.open(one, flags, 0o644) for one in _paths(path)]
        for descriptor, size in zip(self._descriptors, (self._end, keep * _ENTRY.size)):
            os.ftruncate(descriptor, size)

    @property
    def flushed(self) -> int:
        """Return how many pictures are in the files."""
        return self.frames

    def write(self, picture: bytes) -> None:
        """Append a picture."""
        data, index = self._descriptors
        write_all(data, picture)
        write_all(index, _ENTRY.pack(self._end + len(picture), zlib.crc32(picture)))
        self._end += len(picture)
        self.frames += 1
        if self.frames % (_SYNC_S * self._fps) == 0:
            os.fdatasync(data)

    def close(self) -> None:
        """Bring both files to the disk."""
        try:
            for descriptor in self._descriptors:
                os.fsync(descriptor)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let the files be as they are."""
        while self._descriptors:
            os.close(self._descriptors.pop())


def _entries(path: Path) -> np.ndarray:
    index = _paths(path)[1]
    data = index.read_bytes() if index.exists() else b''
    return np.frombuffer(data[:len(data) // _ENTRY.size * _ENTRY.size], _ENTRIES)


def size_of(path: Path) -> tuple[int, int]:
    """Return the number of pictures and their bytes."""
    entries = _entries(path)
    return len(entries), int(entries['end'][-1]) if len(entries) else 0


def read_pictures(path: Path) -> Iterator[bytes]:
    """Yield every picture up to the first that is not whole."""
    begin = 0
    data = _paths(path)[0]
    if not data.exists():
        return
    with open(data, 'rb') as file:
        for end, checksum in _entries(path).tolist():
            picture = file.read(max(0, end - begin))
            if len(picture) != end - begin or zlib.crc32(picture) != checksum:
                return
            yield picture
            begin = end


def image_column(path: Path, suffix: str) -> pa.ChunkedArray:
    """
    Return the pictures as a column of `bytes` and `path`; the bytes stay in the file.

    :param suffix: of the names that LeRobot gives pictures.
    """
    ends = _entries(path)['end'].astype(np.int64)
    begins = np.concatenate([[0], ends[:-1]])
    with pa.memory_map(str(_paths(path)[0])) as file:
        whole = file.read_buffer()
    pieces, first = [], 0
    while first < len(ends):
        # At least one: a picture of two gigabytes would not come this far.
        last = max(first + 1, int(np.searchsorted(ends, begins[first] + _MOST_BYTES, 'right')))
        offsets = np.append(begins[first:last], ends[last - 1]) - begins[first]
        data = pa.Array.from_buffers(pa.binary(), last - first, [
            None, pa.py_buffer(offsets.astype(np.int32)),
            whole.slice(int(begins[first]), int(offsets[-1]))])
        names = pa.array([f'frame-{number:06d}.{suffix}' for number in range(first, last)])
        pieces.append(pa.StructArray.from_arrays([data, names], fields=list(IMAGE)))
        first = last
    return pa.chunked_array(pieces, IMAGE)
