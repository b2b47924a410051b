# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Frame records of an append-only file, so that a torn last one is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import struct
import zlib

_HEAD = struct.Struct('<II')


def record(kind: bytes, body: bytes) -> bytes:
    """Return a record: length, checksum, kind (one byte), body."""
    payload = kind + body
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def read_records(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of every whole record, up to the first that is torn."""
    data = path.read_bytes()
    place = 0
    while place + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, place)
        place += _HEAD.size
        payload = data[place:place + length]
        if not length or len(payload) < length or zlib.crc32(payload) != checksum:
            return
        yield payload[:1], payload[1:]
        place += length
