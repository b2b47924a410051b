# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep meta/episodes as columns, and make an episode of a row when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
import operator
from typing import Any
from typing import NamedTuple
from typing import overload

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import Problem
from apprentice_dataset.layout import FileNumber
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa

PLACE = ('chunk_index', 'file_index', 'from_timestamp', 'to_timestamp')
EPISODE_NUMBERS = ('episode_index', 'length', 'data/chunk_index', 'data/file_index',
                   'dataset_from_index', 'dataset_to_index')
_TASKS = pa.list_(pa.string())
# No sum of 10^5 of these leaves 64 bits.
_TOO_MUCH = 1 << 48
# More of one kind tell nothing new.
_MOST = 10


@dataclass(frozen=True)
class VideoPlace:
    """Say where an episode lies in an mp4: file, begin and end in seconds."""

    number: FileNumber
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Episode:
    """Describe an episode: tasks, number of rows, where rows and pictures lie."""

    index: int
    tasks: tuple[str, ...]
    length: int
    data: FileNumber
    rows: range
    videos: Mapping[str, VideoPlace]


class FileRun(NamedTuple):
    """Hold a file and the run of episodes in it."""

    number: FileNumber
    episodes: range


class Episodes(Sequence[Episode]):
    """
    Hold all episodes as columns; an item is made when it is asked for, a slice is a view.

    `table` has every column of meta/episodes but the statistics.
    """

    def __init__(self, table: pa.Table, cameras: Iterable[str]) -> None:
        """Take the columns as `checked` returned them."""
        self.table = table
        self.cameras = tuple(cameras)
        self._columns: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        """Return the number of episodes."""
        return self.table.num_rows

    def column(self, name: str) -> NDArray[Any]:
        """
        Return a column of numbers by episode, read-only: int64, or float64 for times in seconds.

        :raises DatasetError: there is no such column, or it holds no numbers.
        """
        if name not in self._columns:
            kind = self.table.schema.field(name).type if name in self.table.column_names else None
            if kind is None or not pa.types.is_integer(kind) and not pa.types.is_floating(kind):
                raise DatasetError(f'meta/episodes: found no column of numbers {name!r}')
            values = self.table[name].to_numpy()
            values.flags.writeable = False
            self._columns[name] = values
        return self._columns[name]

    @overload
    def __getitem__(self, place: int) -> Episode: ...

    @overload
    def __getitem__(self, place: slice) -> Episodes: ...

    def __getitem__(self, place: int | slice) -> Episode | Episodes:
        """Return an episode, or episodes from a place to another."""
        if isinstance(place, slice):
            begin, end, step = place.indices(len(self))
            table = self.table.slice(begin, max(0, end - begin)) if step == 1 \
                else self.table.take(pa.array(range(begin, end, step), pa.int64()))
            return Episodes(table, self.cameras)
        number = operator.index(place)
        if not -len(self) <= number < len(self):
            raise IndexError(f'found episode {number}, expected 0 to {len(self) - 1}')
        number %= len(self)
        index, length, chunk, file, begin, end = (
            int(self.column(name)[number]) for name in EPISODE_NUMBERS)
        tasks = self.table['tasks'][number].as_py() if 'tasks' in self.table.column_names else ()
        return Episode(index, tuple(tasks or ()), length, FileNumber(chunk, file),
                       range(begin, end),
                       {camera: self._place(camera, number) for camera in self.cameras})

    def _place(self, camera: str, number: int) -> VideoPlace:
        chunk, file, begin, end = (
            self.column(f'videos/{camera}/{name}')[number] for name in PLACE)
        return VideoPlace(FileNumber(int(chunk), int(file)), float(begin), float(end))

    def file_runs(self, camera: str | None = None) -> list[FileRun]:
        """Return files, a camera's or those of the rows, with the run of episodes in each."""
        if not len(self):
            return []
        folder = 'data' if camera is None else f'videos/{camera}'
        chunks, files = (self.column(f'{folder}/{name}') for name in PLACE[:2])
        changes = np.flatnonzero((np.diff(chunks) != 0) | (np.diff(files) != 0)) + 1
        begins = [0, *changes.tolist()]
        return [FileRun(FileNumber(int(chunks[begin]), int(files[begin])), range(begin, end))
                for begin, end in zip(begins, [*begins[1:], len(self)])]

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process without what was made on the way."""
        return Episodes, (self.table, self.cameras)


def checked(where: str, table: pa.Table, cameras: Iterable[str]) -> pa.Table:
    """
    Return the columns of a file of meta/episodes in the types that `Episodes` works on.

    :raises DatasetBroken: a column that reading needs is missing, of another type, or holds a
        null, a number below zero or a time that is none.
    """
    kinds = {name: pa.int64() for name in EPISODE_NUMBERS}
    for camera in cameras:
        kinds.update({f'videos/{camera}/{name}': pa.int64() for name in PLACE[:2]})
        kinds.update({f'videos/{camera}/{name}': pa.float64() for name in PLACE[2:]})
    for name, kind in kinds.items():
        if name not in table.column_names:
            raise DatasetBroken(f'{where}: {name}', 'no such column', f'a column of {kind}')
        column = _cast(f'{where}: {name}', table[name], kind)
        table = table.set_column(table.column_names.index(name), name, column)
    if 'tasks' in table.column_names:
        column = _tasks(f'{where}: tasks', table['tasks'])
        table = table.set_column(table.column_names.index('tasks'), 'tasks', column)
    return table


def _cast(where: str, column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    found = column.type
    fits = pa.types.is_integer(found) or kind == pa.float64() and pa.types.is_floating(found)
    if not fits or column.null_count:
        raise DatasetBroken(where, 'null' if fits else str(found), f'a column of {kind}')
    try:
        column = column.cast(kind)
    except pa.ArrowInvalid as error:
        raise DatasetBroken(where, str(error).splitlines()[0], f'a column of {kind}') from None
    values = column.to_numpy()
    wrong = values[~((values >= 0) & (values < _TOO_MUCH))]
    if wrong.size:
        raise DatasetBroken(where, str(wrong[0]), 'a number from 0 to 2^48')
    return column


def _tasks(where: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        column = column.cast(_TASKS)
        column.validate(full=True)
        return column
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DatasetBroken(where, str(column.type), 'lists of strings') from None


def sequence_problems(where: str, episodes: Episodes) -> Iterator[Problem]:
    """Yield what is wrong with the order of episodes and of their rows, by position."""
    index, length = episodes.column('episode_index'), episodes.column('length')
    numbers = np.arange(len(episodes))
    for number in np.flatnonzero(index != numbers)[:1].tolist():
        yield Problem(f'{where}: episode_index', str(index[number]), str(number),
                      'episodes must be in order without a gap')
    ends = np.cumsum(length)
    found_begin = episodes.column('dataset_from_index')
    found_end = episodes.column('dataset_to_index')
    # Each against its forerunner, so that one wrong entry is told once.
    begins = np.concatenate([[0], found_end[:-1]]) if len(episodes) else ends
    wrong = (found_begin != begins) | (found_end != found_begin + length)
    for number in np.flatnonzero(wrong)[:_MOST].tolist():
        begin = int(begins[number])
        yield Problem(f'{where}: episode {number}: dataset_from_index to dataset_to_index',
                      f'{found_begin[number]} to {found_end[number]}',
                      f'{begin} to {begin + int(length[number])}')
    for number in np.flatnonzero(length < 1)[:_MOST].tolist():
        yield Problem(f'{where}: episode {number}: length', '0', 'at least one row')
