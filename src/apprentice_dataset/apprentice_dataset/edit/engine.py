# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write an edited dataset, an episode at a time."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from apprentice_dataset.edit.extras import carry_extras
from apprentice_dataset.edit.making import Made
from apprentice_dataset.edit.making import RowsJob
from apprentice_dataset.edit.making import RowsMaker
from apprentice_dataset.edit.needs import Need
from apprentice_dataset.edit.needs import need_of
from apprentice_dataset.edit.pictures import done
from apprentice_dataset.edit.pictures import PictureJob
from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.edit.plan import Progress
from apprentice_dataset.edit.rows import result_schema
from apprentice_dataset.edit.shards import begins
from apprentice_dataset.edit.shards import Shard
from apprentice_dataset.edit.shards import shards
from apprentice_dataset.edit.videos import CameraFiles
from apprentice_dataset.edit.videos import link_or_copy
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import write_file
from apprentice_dataset.info import Info
from apprentice_dataset.layout import DATA_PATH
from apprentice_dataset.layout import EPISODES_PATH
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.layout import INFO
from apprentice_dataset.layout import STATS
from apprentice_dataset.layout import TASKS
from apprentice_dataset.layout import to_json
from apprentice_dataset.metadata import stats_to_json
from apprentice_dataset.output import TableFiles
from apprentice_dataset.output import video_columns
from apprentice_dataset.publication import episodes_schema
from apprentice_dataset.statistics import combine
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import parquet_bytes
from apprentice_dataset.tables import tasks_table
from apprentice_dataset.tasks import Each
from apprentice_dataset.tasks import in_threads
import pyarrow as pa

# So many rows of meta/episodes wait in memory for a row group.
_EPISODES_AT_ONCE = 100


def write_dataset(
    plan: Plan, folder: Path, progress: Progress, each: Each = in_threads,
) -> Info:
    """
    Write the dataset that a plan describes into an empty folder; the sources stay as they are.

    mp4s of which every episode stays, in order, are linked, and so are data files whose rows stay
    as they are and that no neighbour is joined to. Of other mp4s packets are copied where an
    episode begins with a key frame; only what does not is encoded anew. Statistics of whole
    episodes are taken over, those of the reserved columns and of what changed are computed.

    :param each: reads rows, encodes and computes statistics.
    :returns: what info.json of the result says.
    :raises DatasetBroken: a source is broken where it is read.
    :raises OSError: the disk is full or fails.
    """
    if not plan.pieces:
        raise DatasetError('found no episode that stays, expected at least one')
    return _Edit(plan, folder, each).run(progress)


class _Edit:
    def __init__(self, plan: Plan, folder: Path, each: Each) -> None:
        self._plan, self._folder, self._info, self._each = plan, folder, plan.info, each
        self._limit = int((plan.info.extra or {}).get('data_files_size_in_mb', 100)) << 20
        columns = plan.info.columns
        schema = result_schema(columns, plan.names, list(plan.sources))
        repeated = [name for name, feature in columns.items()
                    if name in ('episode_index', 'task_index') or feature.dtype == 'string']
        self._data = TableFiles(folder, DATA_PATH, schema, self._limit, plan.info.chunks_size,
                                repeated)
        self._maker = RowsMaker(plan, schema)
        self._shards = shards(plan, self._limit)
        self._begins = begins(plan)
        self._cameras = {camera: CameraFiles(plan, folder, camera)
                         for camera in plan.info.cameras}
        # Of episodes whose jobs have been made and that are not written yet.
        self._needs: dict[int, Need] = {}
        self._episodes: TableFiles | None = None
        self._episodes_schema: pa.Schema | None = None
        self._waiting: list[dict[str, Any]] = []
        self._stats: Mapping[str, Statistics] = {}

    def run(self, progress: Progress) -> Info:
        try:
            with closing(self._each(self._maker, self._rows_jobs())) as rows, \
                    closing(self._each(done, self._picture_jobs())) as pictures:
                for shard, found in zip(self._shards, rows):
                    self._shard(shard, found, pictures, progress)
            self._flush()
            for files in (self._data, *self._cameras.values(), self._episodes):
                if files is not None:
                    files.close()
        except BaseException:
            for tables in (self._data, self._episodes):
                if tables is not None:
                    tables.abandon()
            raise
        return self._finish()

    def _finish(self) -> Info:
        plan, folder = self._plan, self._folder
        carry_extras(plan, folder)
        write_file(folder / TASKS, parquet_bytes(tasks_table(plan.tasks)))
        write_file(folder / STATS, to_json(stats_to_json(self._stats)))
        total = sum(piece.end - piece.begin for piece in plan.pieces)
        info = replace(plan.info, total_episodes=len(plan.pieces), total_frames=total,
                       total_tasks=len(plan.tasks))
        write_file(folder / INFO, to_json(info.to_json()))
        return info

    def _need(self, position: int) -> Need:
        if position not in self._needs:
            self._needs[position] = need_of(self._plan, self._plan.pieces[position])
        return self._needs[position]

    def _rows_jobs(self) -> Iterator[RowsJob]:
        for shard in self._shards:
            yield RowsJob(shard, [
                [name for name in self._need(position).computed if name not in self._cameras]
                for position in shard.positions])

    def _picture_jobs(self) -> Iterator[PictureJob]:
        for position in range(len(self._plan.pieces)):
            for camera in self._cameras:
                job = self._picture_job(position, camera)
                if job is not None:
                    yield job

    def _picture_job(self, position: int, camera: str) -> PictureJob | None:
        return self._cameras[camera].job(position, camera in self._need(position).computed)

    def _shard(
        self, shard: Shard, found: list[Made], pictures: Iterator[Statistics], progress: Progress,
    ) -> None:
        number = None
        if found[0].table is None:
            number, path = self._data.next_path()
            link_or_copy(shard.path, path)
        for position, made in zip(shard.positions, found):
            self._episode(position, made, number or self._written(made.table), pictures)
            progress(position + 1, len(self._plan.pieces))

    def _written(self, table: pa.Table) -> FileNumber:
        number = self._data.place(table.num_rows)
        self._data.write(table)
        return number

    def _episode(
        self, position: int, made: Made, number: FileNumber, pictures: Iterator[Statistics],
    ) -> None:
        piece, need = self._plan.pieces[position], self._need(position)
        length, begin = piece.end - piece.begin, self._begins[position]
        where = f'{self._plan.sources[piece.source].root}: rows of episode {piece.episode}'
        places, computed = {}, dict(made.stats)
        for camera, files in self._cameras.items():
            if self._picture_job(position, camera) is not None:
                computed[camera] = next(pictures)
            elif camera in need.computed:
                raise DatasetBroken(f'{where}: {camera}', 'no statistics', 'those of the images',
                                    'recompute them first')
            places[camera] = files.place(position) if not files.from_images else \
                files.place_images(f'{where}: {self._plan.names[camera]}', position,
                                   made.images[camera])
        del self._needs[position]
        stats = need.merged(self._info.features, {
            name: one for name, one in computed.items() if name in need.computed})
        self._stats = combine([self._stats, stats]) if self._stats else stats
        if self._episodes_schema is None:
            self._episodes_schema = episodes_schema(self._info, stats)
        self._waiting.append({
            'episode_index': position, 'tasks': made.tasks, 'length': length,
            'data/chunk_index': number.chunk, 'data/file_index': number.file,
            'dataset_from_index': begin, 'dataset_to_index': begin + length,
            **video_columns(places),
            **{f'stats/{name}/{key}': value.tolist()
               for name, found in stats.items() for key, value in found.items()}})
        if len(self._waiting) == _EPISODES_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting or self._episodes_schema is None:
            return
        if self._episodes is None:
            self._episodes = TableFiles(
                self._folder, EPISODES_PATH, self._episodes_schema, self._limit,
                self._info.chunks_size, [])
        number = self._episodes.place(len(self._waiting))
        for row in self._waiting:
            row.update({'meta/episodes/chunk_index': number.chunk,
                        'meta/episodes/file_index': number.file})
        self._episodes.write(pa.Table.from_pylist(self._waiting, schema=self._episodes_schema))
        self._waiting = []
