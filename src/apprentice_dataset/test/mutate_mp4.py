# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Damage mp4s where it hurts: boxes that lie about their size, missing ones, tables, times."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from random import Random
import struct
from typing import NamedTuple

from mutate_bytes import Change

_FOLDERS = (b'moov', b'trak', b'mdia', b'minf', b'stbl', b'edts', b'dinf', b'moof', b'traf',
            b'mvex', b'udta')
_TABLES = (b'stsz', b'stts', b'ctts', b'stco', b'co64', b'stsc', b'stss', b'elst', b'trun',
           b'tfhd', b'tfdt', b'trex', b'sidx', b'mfhd', b'tfra', b'mfro')
_WORDS = (0, 1, 2, 255, 0xffff, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 2, (1 << 32) - 1)


class Box(NamedTuple):
    """Hold a box: its kind, its first byte, that of its contents, the byte after its last."""

    kind: bytes
    begin: int
    body: int
    end: int


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield boxes and those in them, as far as they are whole."""
    end = len(data) if end is None else end
    while begin + 8 <= end:
        size, kind = struct.unpack_from('>I4s', data, begin)
        if size < 8 or begin + size > end:
            return
        box = Box(kind, begin, begin + 8, begin + size)
        yield box
        if kind in _FOLDERS:
            yield from boxes(data, box.body, box.end)
        begin = box.end


def _one(data: bytes, random: Random, kinds: tuple[bytes, ...] = ()) -> Box:
    found = [box for box in boxes(data) if not kinds or box.kind in kinds]
    # Of each kind as often, however many fragments there are.
    kind = random.choice(sorted({box.kind for box in found}))
    return random.choice([box for box in found if box.kind == kind])


def _put(data: bytes, place: int, word: int) -> bytes:
    return data[:place] + struct.pack('>I', word) + data[place + 4:]


def size(data: bytes, random: Random) -> bytes:
    """Lie about the size of a box."""
    box = _one(data, random)
    length = box.end - box.begin
    return _put(data, box.begin, random.choice(
        (*_WORDS, 8, 12, length - 1, length + 1, length * 2, len(data))) & 0xffffffff)


def large_size(data: bytes, random: Random) -> bytes:
    """Say the size of a box in 64 bits, and lie."""
    box = _one(data, random)
    length = random.choice((0, 15, 16, len(data), 1 << 40, (1 << 63) - 1, (1 << 64) - 1))
    return _put(data, box.begin, 1)[:box.body] + struct.pack('>Q', length) + data[box.body:]


def kind(data: bytes, random: Random) -> bytes:
    """Make another box of one."""
    box = _one(data, random)
    new = random.choice((b'free', b'moov', b'mdat', b'uuid', b'trak', b'\0\0\0\0', *_TABLES))
    return data[:box.begin + 4] + new + data[box.body:]


def remove(data: bytes, random: Random) -> bytes:
    """Leave a box out; sizes around it follow."""
    box = _one(data, random)
    return _resized(data[:box.begin] + data[box.end:], data, box, box.begin - box.end)


def double(data: bytes, random: Random) -> bytes:
    """Repeat a box."""
    box = _one(data, random)
    return _resized(data[:box.end] + data[box.begin:box.end] + data[box.end:], data, box,
                    box.end - box.begin)


def _resized(changed: bytes, data: bytes, box: Box, by: int) -> bytes:
    for around in boxes(data):
        if around.kind in _FOLDERS and around.begin < box.begin < around.end:
            length = around.end - around.begin + by
            changed = changed[:around.begin] + struct.pack('>I', length) \
                + changed[around.begin + 4:]
    return changed


def table(data: bytes, random: Random) -> bytes:
    """Lie in a table of samples, times, chunks or fragments."""
    box = _one(data, random, _TABLES)
    words = (box.end - box.body) // 4
    for _ in range(random.randint(1, 3)):
        # The first words are flags and counts, on which the rest hangs.
        place = random.randrange(min(words, 4) if random.random() < 0.5 else words)
        data = _put(data, box.body + 4 * place, random.choice(_WORDS))
    return data


def timescale(data: bytes, random: Random) -> bytes:
    """Give a track or the whole another clock, none among them."""
    box = _one(data, random, (b'mdhd', b'mvhd'))
    place = box.body + (20 if data[box.body] == 1 else 12)
    return _put(data, place, random.choice((0, 1, 3, 30, 1 << 31, (1 << 32) - 1)))


def edit_list(data: bytes, random: Random) -> bytes:
    """Show another part of a track."""
    track = _one(data, random, (b'trak',))
    entries = b''.join(struct.pack('>IiI', random.choice(_WORDS), random.choice(
        (-1, 0, 1, 512, (1 << 31) - 1)), random.choice((0, 1 << 16, 1 << 31)))
        for _ in range(random.randint(0, 3)))
    count = random.choice((len(entries) // 12, 1, 1000, (1 << 32) - 1))
    inner = struct.pack('>I4sII', 16 + len(entries), b'elst', 0, count) + entries
    made = struct.pack('>I4s', 8 + len(inner), b'edts') + inner
    header = next(iter(boxes(data, track.body, track.end)), track)
    end = header.end if header is not track else track.body
    return _resized(data[:end] + made + data[end:], data, Box(b'edts', end, 0, 0), len(made))


def picture(data: bytes, random: Random) -> bytes:
    """Lie about the size of the pictures, or in the decoder's own settings."""
    box = _one(data, random, (b'stsd', b'tkhd'))
    if box.kind == b'tkhd' or random.random() < 0.4:
        place = box.end - 8 if box.kind == b'tkhd' else box.body + 40
        return _put(data, min(place, box.end - 4), random.choice(_WORDS))
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(box.body, box.end)] = random.randrange(256)
    return bytes(changed)


def samples(data: bytes, random: Random) -> bytes:
    """Write noise into the pictures themselves."""
    box = _one(data, random, (b'mdat',))
    changed = bytearray(data)
    for _ in range(random.randint(1, 40)):
        changed[random.randrange(box.body, box.end)] = random.randrange(256)
    return bytes(changed)


MP4: Mapping[str, Change] = {
    f'mp4.{change.__name__}': change
    for change in (size, large_size, kind, remove, double, table, timescale, edit_list, picture,
                   samples)}
