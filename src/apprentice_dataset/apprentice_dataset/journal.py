# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep the rows of the open episode in a file, one write a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
import json
import os
from pathlib import Path
import struct

from apprentice_dataset.codecs import Encoding
from apprentice_dataset.features import Feature
from apprentice_dataset.features import feature_from_json
from apprentice_dataset.files import write_all
from apprentice_dataset.records import read_records
from apprentice_dataset.records import record
from apprentice_dataset.rows import pack_strings
from apprentice_dataset.rows import RowLayout
from apprentice_dataset.rows import Rows
from apprentice_dataset.rows import unpack_strings

_HEADER, _ROW, _TASK, _RELABEL = b'H', b'R', b'T', b'L'
_NUMBER = struct.Struct('<I')
_VERSION = 1


@dataclass(frozen=True)
class EpisodeHeader:
    """Hold what an episode needs beside its rows: rate, user features, encoders by camera."""

    fps: int
    features: Mapping[str, Feature]
    encodings: Mapping[str, Encoding]

    @property
    def layout(self) -> RowLayout:
        """Return the layout of the rows."""
        return RowLayout({name: feature for name, feature in self.features.items()
                          if not feature.is_video})


class Journal:
    """Append rows to the file and to memory; the file first."""

    def __init__(self, path: Path, header: EpisodeHeader) -> None:
        """Begin a file with the header."""
        self.rows = Rows(header.layout)
        self._descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        text = json.dumps({
            'version': _VERSION, 'fps': header.fps,
            'features': {name: feature.to_json() for name, feature in header.features.items()},
            'encodings': {name: asdict(one) for name, one in header.encodings.items()}})
        try:
            write_all(self._descriptor, record(_HEADER, text.encode()))
        except OSError:
            self.close()
            raise

    def append(self, numbers: bytes, strings: tuple[str, ...], task: str) -> None:
        """Take a row as RowLayout.pack returned it."""
        place, head = self._task(task)
        body = _NUMBER.pack(place) + numbers + pack_strings(strings)
        write_all(self._descriptor, head + record(_ROW, body))
        self._keep(place, task)
        self.rows.append(numbers, strings, place)

    def relabel(self, task: str) -> None:
        """Give every row so far another task."""
        place, head = self._task(task)
        write_all(self._descriptor, head + record(_RELABEL, _NUMBER.pack(place)))
        self._keep(place, task)
        self.rows.relabel(place)

    def _task(self, task: str) -> tuple[int, bytes]:
        names = self.rows.task_names
        if task in names:
            return names.index(task), b''
        return len(names), record(_TASK, task.encode())

    def _keep(self, place: int, task: str) -> None:
        if place == len(self.rows.task_names):
            self.rows.task_names.append(task)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_journal(path: Path) -> tuple[EpisodeHeader, Rows] | None:
    """Read a journal up to a torn record; None: it ends before its header does."""
    records = read_records(path) if path.exists() else iter(())
    first = next(records, None)
    if first is None or first[0] != _HEADER:
        return None
    header = _header(first[1])
    rows = Rows(header.layout)
    size = rows.layout.dtype.itemsize
    for kind, body in records:
        if kind == _TASK:
            rows.task_names.append(body.decode())
            continue
        place, = _NUMBER.unpack_from(body)
        if kind == _RELABEL:
            rows.relabel(place)
        else:
            numbers = body[_NUMBER.size:_NUMBER.size + size]
            rows.append(numbers, unpack_strings(body[_NUMBER.size + size:]), place)
    return header, rows


def _header(body: bytes) -> EpisodeHeader:
    value = json.loads(body)
    features = {name: feature_from_json(one, f'journal: {name}')
                for name, one in value['features'].items()}
    return EpisodeHeader(value['fps'], features, {
        name: Encoding(**one) for name, one in value['encodings'].items()})
