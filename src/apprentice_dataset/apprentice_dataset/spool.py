# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Keep a camera's pictures on disk, as received, until their video is there.

The spool is the encoder's queue too: it reads the pictures back, from the page cache as long as
it keeps pace. So a backlog costs no memory, and a kill loses nothing that was taken.
"""

from __future__ import annotations

import os
from pathlib import Path
import struct
import zlib

from apprentice_dataset.files import write_all
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.images import Picture
from apprentice_dataset.images import RawImage

# Bytes of the picture, checksum, kind, width, height, step.
_HEAD = struct.Struct('<IIB3xIII')
_REPEAT = 0
_ENCODED = {'jpeg': 1, 'png': 2}
_RAW = {'rgb8': 3, 'bgr8': 4, 'mono8': 5, '16UC1': 6, '32FC1': 7}
_KIND = {code: name for name, code in {**_ENCODED, **_RAW}.items()}


class EndOfSpool(Exception):
    """Report that no whole picture follows."""


def _segment(folder: Path, number: int) -> Path:
    return folder / f'{number:08d}'


class SpoolWriter:
    """Append pictures, one segment a group of frames."""

    def __init__(self, folder: Path, group: int) -> None:
        """Make the folder."""
        folder.mkdir()
        self._folder, self._group = folder, group
        self._descriptor = -1
        self._last: Picture | None = None
        self.frames = 0
        self.bytes = 0

    def append(self, picture: Picture | None) -> None:
        """Take the next frame; None repeats the last one."""
        first = self.frames % self._group == 0
        if first:
            self._next_segment()
        if picture is None and first:
            # A segment can then be read without the one before it, which may be gone.
            picture = self._last
        if picture is None:
            write_all(self._descriptor, _HEAD.pack(0, 0, _REPEAT, 0, 0, 0))
            self.bytes += _HEAD.size
        else:
            payload = memoryview(picture.data).cast('B')
            write_all(self._descriptor, _head(picture, payload), payload)
            self.bytes += _HEAD.size + payload.nbytes
            self._last = picture
        self.frames += 1

    def _next_segment(self) -> None:
        self.close()
        self._descriptor = os.open(
            _segment(self._folder, self.frames // self._group),
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def close(self) -> None:
        """Close the open segment."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _head(picture: Picture, payload: memoryview) -> bytes:
    checksum = zlib.crc32(payload)
    if isinstance(picture, EncodedImage):
        return _HEAD.pack(payload.nbytes, checksum, _ENCODED[picture.kind], 0, 0, 0)
    return _HEAD.pack(payload.nbytes, checksum, _RAW[picture.encoding], picture.width,
                      picture.height, picture.step)


class SpoolReader:
    """Read pictures in order."""

    def __init__(self, folder: Path, group: int, begin: int = 0) -> None:
        """Begin at a frame that begins a segment."""
        self._folder, self._group = folder, group
        self._descriptor = -1
        self._place = 0
        self._released = begin // group
        self.frames = begin
        self.bytes = 0

    def next(self) -> Picture | None:
        """
        Return the next picture; None: the last one again.

        :raises EndOfSpool: the file ends, or is torn, before a whole picture.
        """
        if self._descriptor < 0 or self.frames % self._group == 0:
            self._next_segment()
        head = os.pread(self._descriptor, _HEAD.size, self._place)
        if len(head) < _HEAD.size:
            raise EndOfSpool
        length, checksum, kind, width, height, step = _HEAD.unpack(head)
        # Room for a length that lies may be more than there is.
        rest = os.fstat(self._descriptor).st_size - self._place - _HEAD.size
        payload = os.pread(self._descriptor, min(length, rest), self._place + _HEAD.size)
        if len(payload) < length or zlib.crc32(payload) != checksum or (
                kind != _REPEAT and kind not in _KIND):
            raise EndOfSpool
        self._place += _HEAD.size + length
        self.bytes += _HEAD.size + length
        self.frames += 1
        if kind == _REPEAT:
            return None
        name = _KIND[kind]
        return EncodedImage(payload, name) if name in _ENCODED else RawImage(
            payload, width, height, name, step)

    def _next_segment(self) -> None:
        self.close()
        path = _segment(self._folder, self.frames // self._group)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise EndOfSpool from None
        self._place = 0

    def release(self, frames: int) -> None:
        """Remove the segments whose frames all come before this one."""
        while self._released < frames // self._group:
            _segment(self._folder, self._released).unlink(missing_ok=True)
            self._released += 1

    def close(self) -> None:
        """Close the open segment."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def spooled_range(folder: Path, group: int) -> range:
    """Return the frames that can be read, from the first segment on; empty where none can."""
    numbers = sorted(int(path.name) for path in folder.glob('[0-9]*')) if folder.is_dir() else []
    if not numbers:
        return range(0)
    reader = SpoolReader(folder, group, numbers[0] * group)
    try:
        while True:
            reader.next()
    except EndOfSpool:
        return range(numbers[0] * group, reader.frames)
    finally:
        reader.close()
