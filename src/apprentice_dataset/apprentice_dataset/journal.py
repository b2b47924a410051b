# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep the rows of the open episode in a file, one write a row."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
import json
import os
from pathlib import Path
import struct

from apprentice_dataset.codecs import Encoding
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import check_features
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
                          if not feature.is_camera})


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
    try:
        header = _header(first[1])
        rows = Rows(header.layout)
        _read_rows(rows, records)
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError,
            struct.error) as error:
        raise DatasetBroken(str(path), f'other contents: {error}', 'what a writer takes down',
                            f'remove {path.parent} to give this episode up') from None
    return header, rows


def _read_rows(rows: Rows, records: Iterator[tuple[bytes, bytes]]) -> None:
    size = rows.layout.dtype.itemsize
    for kind, body in records:
        if kind == _TASK:
            rows.task_names.append(body.decode())
            continue
        place, = _NUMBER.unpack_from(body)
        numbers = body[_NUMBER.size:_NUMBER.size + size]
        strings = unpack_strings(body[_NUMBER.size + size:])
        if place >= len(rows.task_names) or kind != _RELABEL and (
                len(numbers), len(strings)) != (size, len(rows.layout.strings)):
            raise ValueError('a row of another kind')
        if kind == _RELABEL:
            rows.relabel(place)
        else:
            rows.append(numbers, strings, place)


def _header(body: bytes) -> EpisodeHeader:
    value = json.loads(body)
    features = {name: feature_from_json(one, f'journal: {name}')
                for name, one in value['features'].items()}
    check_features(features, 'journal: ')
    encodings = {name: Encoding(**one) for name, one in value['encodings'].items()}
    numbers = [value['fps'], *(one.g for one in encodings.values())]
    if any(type(number) is not int or not 0 < number <= 100_000 for number in numbers) or any(
            feature.is_video and name not in encodings for name, feature in features.items()):
        raise ValueError('a rate or an encoder that is none')
    for name, one in encodings.items():
        if not isinstance(one.codec, str) or type(one.crf) is not int \
                or type(one.preset) not in ((int, str) if one.is_video else (int,)) \
                or name not in features or features[name].is_video != one.is_video:
            raise ValueError(f'{name}: {one}, no encoder of this camera')
    return EpisodeHeader(value['fps'], features, encodings)
