# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Check the rows of LeRobot's language columns and shape them for a table."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import json
from typing import Any

from apprentice_dataset.errors import BadRow
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import PERSISTENT
from apprentice_dataset.finite import finite
import pyarrow as pa

_TEXTS = ('role', 'content', 'style', 'camera')
# What is said of one camera's picture.
_OF_A_CAMERA = ('vqa', 'trace')


def packed(name: str, value: object) -> str:
    """
    Return a row's value as JSON.

    :param value: dicts of `role`, `content`, `style`, `camera`, `tool_calls`, in the persistent
        column `timestamp` too; what is left out is null.
    :raises BadRow: it is something else.
    """
    if not isinstance(value, (list, tuple)):
        raise BadRow(f'row: {name}: found {type(value).__name__}, expected a list of dicts')
    entries = [_entry(f'row: {name}: entry {number}', entry, name == PERSISTENT)
               for number, entry in enumerate(value)]
    return json.dumps(entries, ensure_ascii=False)


def _entry(where: str, entry: object, timed: bool) -> dict[str, Any]:
    known = {*_TEXTS, 'tool_calls', *(['timestamp'] if timed else [])}
    if not isinstance(entry, Mapping) or not entry.keys() <= known or 'role' not in entry:
        found = sorted(map(str, entry)) if isinstance(entry, Mapping) else type(entry).__name__
        raise BadRow(f'{where}: found {found}, expected a dict with role, and of {sorted(known)}')
    for key in _TEXTS:
        if not isinstance(entry.get(key), str) and (key == 'role' or entry.get(key) is not None):
            raise BadRow(f'{where}: {key}: found {entry.get(key)!r}, expected a string')
    if (entry.get('style') in _OF_A_CAMERA) != (entry.get('camera') is not None):
        raise BadRow(f'{where}: camera: found {entry.get("camera")!r} with style '
                     f'{entry.get("style")!r}, expected a camera for {" and ".join(_OF_A_CAMERA)}'
                     ', and none for others')
    found = {key: entry.get(key) for key in _TEXTS}
    if timed:
        time = finite(entry.get('timestamp'))
        if time is None:
            raise BadRow(f'{where}: timestamp: found {entry.get("timestamp")!r}, expected seconds')
        found['timestamp'] = time
    found['tool_calls'] = _calls(f'{where}: tool_calls', entry.get('tool_calls'))
    return found


def _calls(where: str, calls: object) -> list[Any] | None:
    if calls is None:
        return None
    try:
        if not isinstance(calls, (list, tuple)) or not all(
                isinstance(call, Mapping) for call in calls):
            raise TypeError('no list of dicts')
        plain = json.loads(json.dumps(calls, allow_nan=False))
        if any(_is_hollow(kind) for kind in _kinds(pa.infer_type(plain))):
            raise ValueError('an empty dict, which Parquet cannot hold')
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise BadRow(f'{where}: {error}; expected a list of calls, as OpenAI describes them'
                     ) from None
    return plain


def _kinds(kind: pa.DataType) -> Iterator[pa.DataType]:
    yield kind
    for number in range(kind.num_fields):
        yield from _kinds(kind.field(number).type)


def _is_hollow(kind: pa.DataType) -> bool:
    return pa.types.is_struct(kind) and not kind.num_fields


class CallTypes:
    """Remember the types of an episode's calls, for a table needs one type for all of them."""

    def __init__(self) -> None:
        """Begin without a call."""
        self._seen: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def check(self, name: str, text: str) -> None:
        """Raise BadRow for a row, as `packed` returned it, that contradicts an earlier one."""
        key, entries = self._of(name, text)
        if entries and key not in self._seen:
            try:
                language_array(name, [*(one for (column, _), one in self._seen.items()
                                        if column == name), entries])
            except DatasetError as error:
                raise BadRow(f'row: {error}') from None

    def keep(self, name: str, text: str) -> None:
        """Take note of a row that is taken."""
        key, entries = self._of(name, text)
        if entries:
            self._seen[key] = entries

    @staticmethod
    def _of(name: str, text: str) -> tuple[tuple[str, str], list[dict[str, Any]]]:
        entries = [entry for entry in json.loads(text) if entry['tool_calls']]
        kind = str(pa.infer_type([entry['tool_calls'] for entry in entries])) if entries else ''
        return (name, kind), entries


def language_array(name: str, values: Sequence[list[dict[str, Any]]]) -> pa.Array:
    """
    Return a column of checked rows; the type of the calls is what is found in them.

    :raises DatasetError: calls of two rows have one argument in two types.
    """
    calls = [entry['tool_calls'] for value in values for entry in value
             if entry['tool_calls'] is not None]
    try:
        kind = pa.infer_type(calls) if calls else pa.null()
        fields = [(key, pa.string()) for key in ('role', 'content', 'style')]
        times = [('timestamp', pa.float64())] if name == PERSISTENT else []
        return pa.array(values, pa.list_(pa.struct(
            [*fields, *times, ('camera', pa.string()), ('tool_calls', kind)])))
    except pa.ArrowException as error:
        raise DatasetError(f'{name}: tool_calls: {str(error).splitlines()[0]}; expected each '
                           'argument in one type over an episode') from None
