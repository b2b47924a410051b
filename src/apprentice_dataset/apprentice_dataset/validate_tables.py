# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold every row of a data file to what the format and meta/ promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apprentice_dataset.columns import column_type
from apprentice_dataset.columns import in_one_form
from apprentice_dataset.episodes import Episodes
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import Problem
from apprentice_dataset.features import Feature
from apprentice_dataset.info import Info
from apprentice_dataset.pictures import check_picture
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.tables import parquet_errors
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# Of rows in memory: small enough for the processor's cache to serve most of the checks.
_AT_ONCE_BYTES = 8 << 20
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class TableJob:
    """Name a data file, the run of episodes in it, and what they must agree with."""

    path: Path
    info: Info
    tasks: tuple[str, ...]
    episodes: Episodes
    deep: bool = False

    def problems(self) -> list[Problem]:
        """Read the file in pieces and return what is wrong, at most one of each kind a column."""
        try:
            with open_parquet(self.path, _READ_BYTES) as file:
                names = file.schema_arrow.names
                if len(set(names)) != len(names):
                    raise DatasetBroken(str(self.path), f'columns {sorted(names)[:9]}',
                                        'each name once', 'write the file anew')
                found = list(self._columns(names))
                rows, expected = file.metadata.num_rows, int(self.episodes.column('length').sum())
                if rows != expected:
                    return [*found, Problem(str(self.path), f'{rows} rows', f'{expected}, as '
                                            'meta/episodes says', 'restore it from a copy')]
                return [*found, *_Checks(self).read(file)]
        except DatasetBroken as error:
            return [error.problem]

    def _columns(self, names: list[str]) -> Iterator[Problem]:
        declared = self.info.columns.keys()
        if set(names) - declared:
            yield Problem(str(self.path), f'columns {sorted(set(names) - declared)}',
                          'columns that info.json declares', 'LeRobot refuses this file')
        if declared - set(names):
            yield Problem(str(self.path), f'no columns {sorted(declared - set(names))}',
                          'every column that info.json declares')


class _Checks:
    """Keep what the pieces of one file are held to, and what was told already."""

    def __init__(self, job: TableJob) -> None:
        self._job = job
        lengths = job.episodes.column('length')
        self._episode = np.repeat(np.arange(len(lengths)), lengths)
        self._begins = np.cumsum(lengths) - lengths
        self._first = int(job.episodes.column('dataset_from_index')[0])
        self._first_episode = int(job.episodes.column('episode_index')[0])
        self._seen: dict[int, set[int]] = {}
        self._told: dict[tuple[str, str], Problem] = {}

    def read(self, file: pq.ParquetFile) -> list[Problem]:
        columns = self._job.info.columns
        names = [name for name in columns if name in file.schema_arrow.names]
        size = sum(file.metadata.row_group(number).total_byte_size
                   for number in range(file.num_row_groups))
        rows = max(1, file.metadata.num_rows)
        at_once = max(1, min(rows, rows * _AT_ONCE_BYTES // max(1, size)))
        row = 0
        try:
            with parquet_errors(self._job.path, 'readable rows'):
                for batch in file.iter_batches(at_once, columns=names):
                    for name in names:
                        self._column(name, columns[name], batch.column(name), row)
                    row += batch.num_rows
        except DatasetBroken as error:
            self._told['', 'read'] = error.problem
        else:
            if row != file.metadata.num_rows:
                self._tell('', 'read', f'{row} rows', 'as many as its footer says')
            self._tasks()
        return list(self._told.values())

    def _tell(
        self, name: str, kind: str, found: str, expected: str, cure: str = '',
        row: int | None = None,
    ) -> None:
        where = f'{self._job.path}: {name}' if name else str(self._job.path)
        if row is not None:
            episode = int(self._episode[row])
            where += f', row {row - int(self._begins[episode])} of episode ' \
                     f'{self._first_episode + episode}'
        self._told.setdefault((name, kind), Problem(where, found, expected, cure))

    def _column(self, name: str, feature: Feature, column: pa.Array, row: int) -> None:
        if column.null_count and feature.dtype != 'language':
            at = row + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
            self._tell(name, 'null', 'a value that is missing', 'one in every row', row=at)
            return
        kind = column_type(feature)
        if kind is None:
            if not pa.types.is_list(column.type) and not pa.types.is_null(column.type):
                self._tell(name, 'type', str(column.type), 'lists of language rows')
            return
        try:
            column = in_one_form(f'{self._job.path}: {name}', column, feature, kind)
        except DatasetBroken as error:
            self._told.setdefault((name, 'type'), error.problem)
            return
        if feature.dtype == 'image':
            self._pictures(name, feature, column, row)
        elif feature.dtype != 'string':
            self._numbers(name, feature, column, row)

    def _numbers(self, name: str, feature: Feature, column: pa.Array, row: int) -> None:
        values = column.flatten() if pa.types.is_fixed_size_list(column.type) else column
        width = max(1, len(values) // max(1, len(column)))
        if values.null_count:
            at = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False))) // width
            self._tell(name, 'null', 'a value that is missing', 'a number', row=row + at)
            return
        found = values.to_numpy(zero_copy_only=False)
        if name in ('index', 'episode_index', 'frame_index', 'timestamp', 'task_index'):
            self._reserved(name, found, row)
        elif found.dtype.kind == 'f' and name.startswith(('observation', 'action')):
            # A sum over something that is not finite is not finite, and takes no memory.
            with np.errstate(over='ignore', invalid='ignore'):
                suspect = not np.isfinite(np.add.reduce(found))
            wrong = np.flatnonzero(~np.isfinite(found)) if suspect else ()
            if len(wrong):
                self._tell(name, 'finite', f'{found[wrong[0]]}, not finite', 'a number',
                           row=row + int(wrong[0]) // width)

    def _reserved(self, name: str, found: NDArray[Any], row: int) -> None:
        rows = np.arange(row, row + len(found))
        episode = self._episode[row:row + len(found)]
        if name == 'task_index':
            self._see_tasks(found, episode, row)
            return
        fps = self._job.info.fps
        expected = {
            'index': lambda: rows + self._first,
            'episode_index': lambda: episode + self._first_episode,
            'frame_index': lambda: rows - self._begins[episode],
            'timestamp': lambda: (rows - self._begins[episode]) / fps}[name]()
        # Older writers rounded the time in other ways; half a frame is another frame.
        wrong = np.flatnonzero(~(np.abs(found - expected) <= 0.5 / fps)
                               if name == 'timestamp' else found != expected)
        if wrong.size:
            at = int(wrong[0])
            self._tell(name, 'order', f'{found[at]:g}', f'{expected[at]:g}',
                       'rows must be in order without a gap', row=row + at)

    def _see_tasks(self, found: NDArray[Any], episode: NDArray[Any], row: int) -> None:
        wrong = np.flatnonzero((found < 0) | (found >= len(self._job.tasks)))
        if wrong.size:
            self._tell('task_index', 'range', f'{found[wrong[0]]}',
                       f'0 to {len(self._job.tasks) - 1}', row=row + int(wrong[0]))
            return
        changes = np.flatnonzero((np.diff(found) != 0) | (np.diff(episode) != 0))
        for at in (0, *(changes + 1).tolist()) if len(found) else ():
            one = int(episode[at])
            self._seen.setdefault(one, set()).add(int(found[at]))

    def _tasks(self) -> None:
        episodes, tasks = self._job.episodes, self._job.tasks
        if 'tasks' not in episodes.table.column_names or ('task_index', 'range') in self._told:
            return
        known = episodes.table['tasks'].to_pylist()
        for number, seen in self._seen.items():
            found = {tasks[task] for task in seen}
            if known[number] and set(known[number]) != found:
                self._tell('task_index', 'tasks', str(sorted(found)), f'{sorted(known[number])}, '
                           f'as meta/episodes says of episode {self._first_episode + number}')
                return

    def _pictures(self, name: str, feature: Feature, column: pa.Array, row: int) -> None:
        data = column.field('bytes')
        if data.null_count:
            at = int(np.argmax(data.is_null().to_numpy(zero_copy_only=False)))
            self._tell(name, 'bytes', 'a path without bytes', 'the bytes of a picture',
                       'LeRobot moves datasets without such files', row=row + at)
            return
        begins = pc.binary_slice(data, 0, 4)
        for at, head in enumerate(begins.to_pylist()):
            problem = check_picture(data[at].as_py() if self._job.deep else head, feature,
                                    self._job.deep)
            if problem:
                self._tell(name, 'picture', problem, 'a whole PNG, or TIFF for depth',
                           row=row + at)
                return
