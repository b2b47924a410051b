# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Look at an mp4's boxes: how many frames lie in whole fragments, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import os
from pathlib import Path
import struct
from typing import NamedTuple

_HEAD = struct.Struct('>I4s')
_LARGE = struct.Struct('>Q')
_COUNT = struct.Struct('>I')
# No box but mdat comes near this; a larger one is no mp4.
_MOST_BYTES = 1 << 28


class Fragment(NamedTuple):
    """Hold a pair of moof and mdat: first byte, byte after the last, number of frames."""

    begin: int
    end: int
    frames: int


@dataclass(frozen=True)
class Mp4:
    """
    Hold what the boxes of an mp4 say.

    `header` is everything before the first fragment, empty without a moov; `frames` counts the
    video frames of whole fragments and of the sample table; `end` is the byte after the last
    whole box that holds frames.
    """

    header: bytes
    moov: bytes
    fragments: tuple[Fragment, ...]
    frames: int
    end: int


class _Box(NamedTuple):
    kind: bytes
    begin: int
    body: int
    end: int


def scan(path: Path) -> Mp4:
    """Read the boxes of a file that may have been cut anywhere; OSError when there is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _scan(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _scan(descriptor: int, size: int) -> Mp4:
    moov, fragments, frames, end = b'', [], 0, 0
    moof: _Box | None = None
    for box in _file_boxes(descriptor, size):
        if box.kind == b'moov':
            moov = os.pread(descriptor, box.end - box.begin, box.begin)
            frames += _table_frames(moov)
            end = box.end
        elif box.kind == b'moof':
            moof = box
        elif box.kind == b'mdat' and moof is not None:
            body = os.pread(descriptor, moof.end - moof.begin, moof.begin)
            count = _fragment_frames(body)
            fragments.append(Fragment(moof.begin, box.end, count))
            frames, end, moof = frames + count, box.end, None
    header = os.pread(descriptor, fragments[0].begin if fragments else end, 0)
    return Mp4(header if moov else b'', moov, tuple(fragments), frames, end)


def _file_boxes(descriptor: int, size: int) -> Iterator[_Box]:
    place = 0
    while place + _HEAD.size <= size:
        head = os.pread(descriptor, _HEAD.size + _LARGE.size, place)
        box = _box(head, 0, size - place)
        if box is None or box.kind != b'mdat' and box.end > _MOST_BYTES:
            return
        yield _Box(box.kind, place, place + box.body, place + box.end)
        place += box.end


def _box(data: bytes, place: int, end: int) -> _Box | None:
    """Return the box at a place of data that ends at `end`; None where it is not whole."""
    if place + _HEAD.size > len(data):
        return None
    length, kind = _HEAD.unpack_from(data, place)
    body = place + _HEAD.size
    if length == 1 and body + _LARGE.size <= len(data):
        length, = _LARGE.unpack_from(data, body)
        body += _LARGE.size
    elif length == 0:
        length = end - place
    if length < body - place or place + length > end:
        return None
    return _Box(kind, place, body, place + length)


def _boxes(data: bytes, begin: int, end: int) -> Iterator[_Box]:
    while (box := _box(data, begin, end)) is not None:
        yield box
        begin = box.end


def _find(data: bytes, box: _Box, *path: bytes) -> Iterator[_Box]:
    for inner in _boxes(data, box.body, box.end):
        if inner.kind == path[0]:
            if len(path) == 1:
                yield inner
            else:
                yield from _find(data, inner, *path[1:])


def _whole(data: bytes) -> _Box:
    return _Box(data[4:8], 0, _HEAD.size, len(data))


def _table_frames(moov: bytes) -> int:
    for track in _find(moov, _whole(moov), b'trak'):
        handler = next(_find(moov, track, b'mdia', b'hdlr'), None)
        table = next(_find(moov, track, b'mdia', b'minf', b'stbl', b'stsz'), None)
        if handler is None or table is None or table.body + 12 > table.end:
            continue
        if moov[handler.body + 8:handler.body + 12] == b'vide':
            return _COUNT.unpack_from(moov, table.body + 8)[0]
    return 0


def _fragment_frames(moof: bytes) -> int:
    return sum(_COUNT.unpack_from(moof, run.body + 4)[0]
               for run in _find(moof, _whole(moof), b'traf', b'trun')
               if run.body + 8 <= run.end)


def moved(moof: bytes, fragments: int, ticks: int) -> bytes:
    """
    Return a fragment's bytes as it must be behind others.

    :param moof: a moof, with or without its mdat behind it.
    :param fragments: how many fragments come before.
    :param ticks: how long those last, in units of the track.
    """
    changed = bytearray(moof)
    length, = _COUNT.unpack_from(moof)
    whole = _Box(b'moof', 0, _HEAD.size, length)
    for box in _find(moof, whole, b'mfhd'):
        number, = _COUNT.unpack_from(moof, box.body + 4)
        _COUNT.pack_into(changed, box.body + 4, number + fragments)
    for box in _find(moof, whole, b'traf', b'tfdt'):
        form = _LARGE if moof[box.body] == 1 else _COUNT
        time, = form.unpack_from(moof, box.body + 4)
        form.pack_into(changed, box.body + 4, time + ticks)
    return bytes(changed)
