# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Damage the journal of an open episode so that every checksum is right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
import tempfile

from apprentice_dataset.records import read_records
from apprentice_dataset.records import record
from mutate_bytes import Change
from mutate_bytes import flip
from mutate_json import rename
from mutate_json import value


def _records(data: bytes) -> list[tuple[bytes, bytes]]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return list(read_records(Path(file.name)))


def _written(records: list[tuple[bytes, bytes]]) -> bytes:
    return b''.join(record(kind, body) for kind, body in records)


def header(data: bytes, random: Random) -> bytes:
    """Change what the header says of rate, features and encoders."""
    records = _records(data)
    change = random.choice((value, value, rename))
    records[0] = records[0][0], change(records[0][1], random)
    return _written(records)


def body(data: bytes, random: Random) -> bytes:
    """Damage a record: rows, tasks."""
    records = _records(data)
    place = random.randrange(len(records))
    kind, old = records[place]
    new = random.choice((flip(old, random), old[:-1], old[:2], b'', old + b'x', b'\xff' * 12))
    records[place] = random.choice((kind, kind, kind, b'T', b'L', b'R', b'H')), new
    return _written(records)


def order(data: bytes, random: Random) -> bytes:
    """Put records in another order."""
    records = _records(data)
    random.shuffle(records)
    return _written(records)


JOURNAL: Mapping[str, Change] = {
    f'journal.{change.__name__}': change for change in (header, body, order)}
