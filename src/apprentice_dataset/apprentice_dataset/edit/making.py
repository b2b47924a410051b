# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make rows and statistics of episodes: work that needs nothing of its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
import json
from typing import Any
from typing import NamedTuple

from apprentice_dataset.columns import column_type
from apprentice_dataset.decoding import to_rgb
from apprentice_dataset.edit.pictures import decoded
from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.edit.rows import EpisodeRows
from apprentice_dataset.edit.rows import given
from apprentice_dataset.edit.rows import numbers
from apprentice_dataset.edit.rows import one_form
from apprentice_dataset.edit.rows import stored
from apprentice_dataset.edit.shards import begins
from apprentice_dataset.edit.shards import Shard
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
from apprentice_dataset.features import RESERVED
from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import open_parquet
import numpy as np
import pyarrow as pa


class RowsJob(NamedTuple):
    """Name a shard, and of each of its pieces the features whose statistics are missing."""

    shard: Shard
    computed: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Made:
    """Hold an episode: its rows, None where they lie in a linked file, tasks and statistics."""

    table: pa.Table | None
    tasks: list[str]
    stats: Mapping[str, Statistics]
    images: Mapping[str, pa.Array]


class RowsMaker:
    """Make the episodes of a shard; it can go to another process."""

    def __init__(self, plan: Plan, schema: pa.Schema) -> None:
        """Take the columns of the result's data files."""
        self._plan, self._schema = plan, schema
        self._columns = plan.info.columns
        self._begins = begins(plan)
        self._numbers = {task: number for number, task in enumerate(plan.tasks)}

    def __call__(self, job: RowsJob) -> list[Made]:
        """
        Return the episodes in order.

        :raises DatasetBroken: the file, a row or a picture is not what the source promises.
        """
        if job.shard.link and (found := self._unchanged(job)) is not None:
            return found
        piece = self._plan.pieces[job.shard.positions.start]
        rows = EpisodeRows(self._plan.sources[piece.source])
        return [self._made(position, rows, wanted)
                for position, wanted in zip(job.shard.positions, job.computed)]

    def _where(self, position: int) -> str:
        piece = self._plan.pieces[position]
        return f'{self._plan.sources[piece.source].root}: rows of episode {piece.episode}'

    def _unchanged(self, job: RowsJob) -> list[Made] | None:
        """Return the episodes of a file that holds what would be written; None: it does not."""
        shard, plan = job.shard, self._plan
        pieces = [plan.pieces[position] for position in shard.positions]
        file = open_parquet(shard.path)
        groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        if not _same_columns(file.schema_arrow, self._schema) \
                or groups != [piece.end for piece in pieces]:
            return None
        names = [name for name in self._columns if name in RESERVED
                 or any(name in wanted for wanted in job.computed)]
        rows, made = EpisodeRows(plan.sources[pieces[0].source], names), []
        for position, piece, wanted in zip(shard.positions, pieces, job.computed):
            where, table = self._where(position), rows.of(piece.episode)
            right, tasks = self._reserved(where, position, table)
            arrays = {name: self._column(where, table, name) for name in names}
            if not all(arrays[name].equals(array) for name, array in right.items()):
                return None
            made.append(Made(None, tasks, self._statistics(where, wanted, arrays), {}))
        return made

    def _made(self, position: int, rows: EpisodeRows, wanted: Sequence[str]) -> Made:
        plan, piece = self._plan, self._plan.pieces[position]
        where, length = self._where(position), piece.end - piece.begin
        table = rows.of(piece.episode).slice(piece.begin, length)
        reserved, tasks = self._reserved(where, position, table)
        arrays: dict[str, pa.Array] = {}
        for name, feature in self._columns.items():
            if name in reserved:
                arrays[name] = reserved[name]
            elif name in plan.values:
                arrays[name] = given(f'{where}: new {name}', plan.values[name](position, table),
                                     feature, length)
            else:
                arrays[name] = self._column(where, table, name)
        result = pa.Table.from_arrays(
            [stored(f'{where}: {name}', array, self._columns[name], field.type)
             for (name, array), field in zip(arrays.items(), self._schema)], schema=self._schema)
        old = plan.sources[piece.source].info.features
        images = {camera: one_form(where, table, name, old[name], None)
                  for camera, name in plan.names.items()
                  if camera in plan.info.cameras and not old[name].is_video}
        return Made(result, tasks, self._statistics(where, wanted, arrays), images)

    def _column(self, where: str, table: pa.Table, name: str) -> pa.Array:
        feature = self._columns[name]
        kind = column_type(feature) or self._schema.field(name).type
        return one_form(where, table, self._plan.names[name], feature, kind)

    def _reserved(
        self, where: str, position: int, table: pa.Table,
    ) -> tuple[dict[str, pa.Array], list[str]]:
        """Return the columns that are counted anew, and the episode's tasks."""
        plan, piece = self._plan, self._plan.pieces[position]
        length = piece.end - piece.begin
        frames = np.arange(length, dtype=np.int64)
        old = one_form(where, table, 'task_index', RESERVED['task_index'], pa.int64()).to_numpy(
            zero_copy_only=False)
        known = plan.sources[piece.source].tasks
        found = dict.fromkeys(old.tolist())
        strange = [task for task in found if not 0 <= task < len(known)]
        if strange:
            raise DatasetBroken(f'{where}: task_index', str(strange), f'0 to {len(known) - 1}')
        new = {task: plan.task_of(piece, known[task]) for task in found}
        columns = {
            'timestamp': (frames / plan.info.fps).astype(np.float32), 'frame_index': frames,
            'episode_index': np.full(length, position),
            'index': frames + self._begins[position],
            'task_index': np.array([self._numbers[new[task]] for task in old.tolist()])}
        return {name: pa.array(values.astype(RESERVED[name].dtype))
                for name, values in columns.items()}, \
            list(dict.fromkeys(new[task] for task in found))

    def _statistics(
        self, where: str, wanted: Sequence[str], arrays: Mapping[str, pa.Array],
    ) -> dict[str, Statistics]:
        found = {}
        for name in wanted:
            feature = self._columns[name]
            if feature.dtype == 'image':
                found[name] = _of_images(f'{where}: {name}', arrays[name], feature)
                continue
            values = numbers(arrays[name], feature)
            if values is None:
                raise DatasetBroken(f'{where}: {name}', 'a value that is missing',
                                    'one in every row')
            found[name] = numeric_statistics(values)
        return found


def _same_columns(found: pa.Schema, wanted: pa.Schema) -> bool:
    """Tell whether a file has the columns wanted, and the word of them that `datasets` reads."""
    return found.remove_metadata().equals(wanted.remove_metadata()) \
        and _features(found) == _features(wanted)


def _features(schema: pa.Schema) -> Any:
    try:
        return json.loads((schema.metadata or {})[b'huggingface'])['info']['features']
    except (KeyError, ValueError, TypeError):
        return None


def _of_images(where: str, array: pa.Array, feature: Feature) -> Statistics:
    sampler = PictureSampler()
    for row, frame in enumerate(decoded(where, array, feature)):
        if sampler.wants(row):
            sampler.take(to_rgb(frame))
    return sampler.statistics()
