# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Damage any file: bits, ends, holes, blocks."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from random import Random

Change = Callable[[bytes, Random], bytes]
"""Returns a file's bytes damaged; LookupError or ValueError where there is nothing to damage."""
_MOST_FLIPS = 8


def flip(data: bytes, random: Random) -> bytes:
    """Turn some bits round."""
    changed = bytearray(data)
    for _ in range(random.randint(1, _MOST_FLIPS)):
        changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def scribble(data: bytes, random: Random) -> bytes:
    """Write noise over a few bytes."""
    begin = random.randrange(len(data))
    noise = random.randbytes(min(random.choice((1, 2, 4, 8, 64)), len(data) - begin))
    return data[:begin] + noise + data[begin + len(noise):]


def cut(data: bytes, random: Random) -> bytes:
    """Cut the end off."""
    return data[:random.randrange(len(data) + 1)]


def cut_begin(data: bytes, random: Random) -> bytes:
    """Cut the beginning off."""
    return data[random.randrange(len(data) + 1):]


def zero(data: bytes, random: Random) -> bytes:
    """Fill a stretch with zeros, as a disk does with what it lost."""
    begin = random.randrange(len(data))
    size = min(random.choice((1, 4, 16, 512, 4096)), len(data) - begin)
    return data[:begin] + bytes(size) + data[begin + size:]


def double(data: bytes, random: Random) -> bytes:
    """Repeat a stretch."""
    begin, end = sorted((random.randrange(len(data)), random.randrange(len(data) + 1)))
    return data[:end] + data[begin:end] * random.randint(1, 3) + data[end:]


def take_out(data: bytes, random: Random) -> bytes:
    """Leave a stretch out."""
    begin = random.randrange(len(data))
    return data[:begin] + data[begin + random.choice((1, 2, 4, 16, 512)):]


def swap(data: bytes, random: Random) -> bytes:
    """Exchange two stretches."""
    size = random.choice((1, 4, 16, 512))
    one, other = sorted(random.sample(range(max(2, len(data) // size)), 2))
    parts = [data[place * size:(place + 1) * size] for place in (one, other)]
    return data[:one * size] + parts[1] + data[(one + 1) * size:other * size] + parts[0] \
        + data[(other + 1) * size:]


def append(data: bytes, random: Random) -> bytes:
    """Append noise."""
    return data + random.randbytes(random.choice((1, 8, 100, 5000)))


def empty(data: bytes, random: Random) -> bytes:
    """Leave nothing."""
    return b''


BYTES: Mapping[str, Change] = {
    f'bytes.{change.__name__}': change
    for change in (flip, scribble, cut, cut_begin, zero, double, take_out, swap, append, empty)}
