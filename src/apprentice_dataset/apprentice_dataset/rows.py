# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Check the rows of an episode and keep them."""

from __future__ import annotations

from collections.abc import Mapping
import json
import struct
from typing import Any

from apprentice_dataset.errors import BadRow
from apprentice_dataset.features import Feature
from apprentice_dataset.features import PERSISTENT
from apprentice_dataset.language import CallTypes
from apprentice_dataset.language import packed
import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct('<I')
# Kept as strings: language as JSON.
_TEXTS = ('string', 'language')


class RowLayout:
    """Know how a row's values become bytes: numbers at fixed places, then strings."""

    def __init__(self, columns: Mapping[str, Feature]) -> None:
        """Take the user's columns, without cameras and without the reserved ones."""
        self.columns = dict(columns)
        self.strings = [name for name, feature in columns.items() if feature.dtype in _TEXTS]
        self.dtype = np.dtype([
            (name, np.dtype(feature.dtype).newbyteorder('<'),
             () if feature.shape == (1,) else feature.shape)
            for name, feature in columns.items() if feature.dtype not in _TEXTS])

    def pack(self, values: Mapping[str, Any]) -> tuple[bytes, tuple[str, ...]]:
        """
        Return the numbers as bytes and the strings of a row, language as JSON.

        :raises BadRow: a key missing or unknown, a shape or a type that differs, a number out
            of range, an observation or action that is not finite.
        """
        if values.keys() != self.columns.keys():
            missing = sorted(self.columns.keys() - values.keys())
            unknown = sorted(values.keys() - self.columns.keys())
            raise BadRow(f'row: missing {missing}, unknown {unknown}; expected exactly '
                         f'{sorted(self.columns)}')
        numbers = np.zeros((), self.dtype)
        for name in self.dtype.names or ():
            numbers[name] = _checked(name, self.columns[name], values[name])
        return numbers.tobytes(), tuple(
            _text(name, self.columns[name], values[name]) for name in self.strings)


def _text(name: str, feature: Feature, value: object) -> str:
    if feature.dtype == 'language':
        return packed(name, value)
    if not isinstance(value, str):
        raise BadRow(f'row: {name}: found {type(value).__name__}, expected a string')
    return value


def _checked(name: str, feature: Feature, value: object) -> NDArray[Any]:
    try:
        given = np.asarray(value)
        if feature.shape == (1,) and given.shape == ():
            given = given.reshape(1)
        if given.shape != feature.shape:
            raise BadRow(f'row: {name}: found shape {list(given.shape)}, expected '
                         f'{list(feature.shape)}')
        kind = np.dtype(feature.dtype)
        if given.dtype != kind and not np.can_cast(given.dtype, kind, 'same_kind') \
                and not (given.dtype.kind == 'i' and kind.kind == 'u'):
            raise BadRow(f'row: {name}: found {given.dtype}, expected {kind}')
        with np.errstate(over='ignore'):
            cast = given.astype(kind)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, BadRow):
            raise
        raise BadRow(f'row: {name}: {error}; expected {feature.dtype}') from None
    if kind.kind in 'iu' and not np.array_equal(cast, given):
        raise BadRow(f'row: {name}: found {given.tolist()}, expected values of {kind}')
    if kind.kind == 'f':
        _check_finite(name, kind, given, cast)
    return cast.reshape(()) if feature.shape == (1,) else cast


def _check_finite(name: str, kind: np.dtype[Any], given: NDArray[Any], cast: NDArray[Any]) -> None:
    finite = np.isfinite(cast)
    if finite.all():
        return
    # Bookkeeping may say "not known"; what a policy sees or does must be a number.
    if name.startswith(('observation', 'action')):
        raise BadRow(f'row: {name}: found {given.tolist()}, expected finite values of {kind}')
    if np.isfinite(given[~finite]).any():
        raise BadRow(f'row: {name}: found {given.tolist()}, too large for {kind}')


class Rows:
    """Hold the rows of an episode in memory: packed numbers, strings, task of each row."""

    def __init__(self, layout: RowLayout) -> None:
        """Begin without a row."""
        self.layout = layout
        self.task_names: list[str] = []
        self._tasks: list[int] = []
        self._numbers = bytearray()
        self._strings: dict[str, list[str]] = {name: [] for name in layout.strings}
        self._calls = CallTypes()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._tasks)

    def check(self, strings: tuple[str, ...]) -> None:
        """Raise BadRow for a row whose language does not go with that of the rows before."""
        for name, text in self._language(strings):
            self._calls.check(name, text)
        kept = self._strings.get(PERSISTENT)
        if kept and kept[0] != strings[self.layout.strings.index(PERSISTENT)]:
            raise BadRow(f'row: {PERSISTENT}: found another value than in the first row, expected '
                         'the same in every row of an episode')

    def _language(self, strings: tuple[str, ...]) -> list[tuple[str, str]]:
        return [(name, text) for name, text in zip(self.layout.strings, strings)
                if self.layout.columns[name].dtype == 'language']

    def append(self, numbers: bytes, strings: tuple[str, ...], task: int) -> None:
        """Take a row as RowLayout.pack returned it; `task` is a place in `task_names`."""
        self._numbers += numbers
        for kept, text in zip(self._strings.values(), strings):
            kept.append(text)
        for name, text in self._language(strings):
            self._calls.keep(name, text)
        self._tasks.append(task)

    def relabel(self, task: int) -> None:
        """Give every row so far this task."""
        self._tasks = [task] * len(self._tasks)

    def cut(self, length: int) -> None:
        """Keep the first rows only."""
        del self._numbers[length * self.layout.dtype.itemsize:]
        del self._tasks[length:]
        for kept in self._strings.values():
            del kept[length:]

    def tasks(self) -> list[str]:
        """Return the distinct tasks, in the order of their first row."""
        return [self.task_names[task] for task in dict.fromkeys(self._tasks)]

    def task_column(self, known: Mapping[str, int]) -> NDArray[np.int64]:
        """Return each row's index in the dataset's list of tasks."""
        numbers = np.array([known.get(name, -1) for name in self.task_names], np.int64)
        return numbers[np.array(self._tasks, np.int64)]

    def columns(self) -> dict[str, Any]:
        """Return (rows, *shape) arrays, (rows,) for scalars, lists for strings and language."""
        found: dict[str, Any] = {
            name: [json.loads(text) for text in texts]
            if self.layout.columns[name].dtype == 'language' else texts
            for name, texts in self._strings.items()}
        if self.layout.dtype.itemsize:
            packed_rows = np.frombuffer(bytes(self._numbers), self.layout.dtype)
            found.update({name: packed_rows[name] for name in self.layout.dtype.names or ()})
        return found


def pack_strings(strings: tuple[str, ...]) -> bytes:
    """Return strings as bytes, each after its length."""
    encoded = [text.encode() for text in strings]
    return b''.join(_LENGTH.pack(len(text)) + text for text in encoded)


def unpack_strings(data: bytes) -> tuple[str, ...]:
    """Return what pack_strings was given."""
    strings, place = [], 0
    while place < len(data):
        length, = _LENGTH.unpack_from(data, place)
        place += _LENGTH.size
        strings.append(data[place:place + length].decode())
        place += length
    return tuple(strings)
