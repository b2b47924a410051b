# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write an edited dataset, an episode at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
import math
from pathlib import Path
from typing import Any

from apprentice_dataset.decoding import to_rgb
from apprentice_dataset.edit.extras import carry_extras
from apprentice_dataset.edit.plan import Piece
from apprentice_dataset.edit.plan import Plan
from apprentice_dataset.edit.plan import Progress
from apprentice_dataset.edit.rows import EpisodeRows
from apprentice_dataset.edit.rows import given
from apprentice_dataset.edit.rows import numbers
from apprentice_dataset.edit.rows import one_form
from apprentice_dataset.edit.rows import result_schema
from apprentice_dataset.edit.rows import stored
from apprentice_dataset.edit.videos import CameraFiles
from apprentice_dataset.edit.videos import decoded
from apprentice_dataset.edit.videos import picture_statistics
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.features import RESERVED
from apprentice_dataset.files import write_file
from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.info import Info
from apprentice_dataset.layout import DATA_PATH
from apprentice_dataset.layout import EPISODES_PATH
from apprentice_dataset.layout import INFO
from apprentice_dataset.layout import STATS
from apprentice_dataset.layout import TASKS
from apprentice_dataset.layout import to_json
from apprentice_dataset.metadata import stats_to_json
from apprentice_dataset.metadata import VideoPlace
from apprentice_dataset.publication import episodes_schema
from apprentice_dataset.statistics import combine
from apprentice_dataset.statistics import NAMES
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import parquet_bytes
from apprentice_dataset.tables import tasks_table
from apprentice_dataset.v2.output import TableFiles
import numpy as np
import pyarrow as pa

# So many rows of meta/episodes wait in memory for a row group.
_EPISODES_AT_ONCE = 100


def write_dataset(plan: Plan, folder: Path, progress: Progress) -> Info:
    """
    Write the dataset that a plan describes into an empty folder; the sources stay as they are.

    mp4s of which every episode stays, in order, are linked; else packets are copied where an
    episode begins with a key frame, and only what does not is encoded anew. Statistics of whole
    episodes are taken over, those of the reserved columns and of what changed are computed.

    :returns: what info.json of the result says.
    :raises DatasetBroken: a source is broken where it is read.
    :raises OSError: the disk is full or fails.
    """
    if not plan.pieces:
        raise DatasetError('found no episode that stays, expected at least one')
    return _Edit(plan, folder).run(progress)


class _Edit:
    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan, self._folder, self._info = plan, folder, plan.info
        self._rows = [EpisodeRows(source) for source in plan.sources]
        self._limit = int((plan.info.extra or {}).get('data_files_size_in_mb', 100)) << 20
        self._columns = plan.info.columns
        self._schema = result_schema(self._columns, plan.names, list(plan.sources))
        repeated = [name for name, feature in self._columns.items()
                    if name in ('episode_index', 'task_index') or feature.dtype == 'string']
        self._data = TableFiles(folder, DATA_PATH, self._schema, self._limit,
                                plan.info.chunks_size, repeated)
        self._cameras = {camera: CameraFiles(plan, folder, camera)
                         for camera in plan.info.cameras}
        self._numbers = {task: number for number, task in enumerate(plan.tasks)}
        self._episodes: TableFiles | None = None
        self._episodes_schema: pa.Schema | None = None
        self._waiting: list[dict[str, Any]] = []
        self._stats: Mapping[str, Statistics] = {}
        self._total = 0

    def run(self, progress: Progress) -> Info:
        try:
            for position, piece in enumerate(self._plan.pieces):
                self._episode(position, piece)
                progress(position + 1, len(self._plan.pieces))
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
        info = replace(plan.info, total_episodes=len(plan.pieces), total_frames=self._total,
                       total_tasks=len(plan.tasks))
        write_file(folder / INFO, to_json(info.to_json()))
        return info

    def _episode(self, position: int, piece: Piece) -> None:
        plan, length = self._plan, piece.end - piece.begin
        source = plan.sources[piece.source]
        where = f'{source.root}: rows of episode {piece.episode}'
        table = self._rows[piece.source].of(piece.episode).slice(piece.begin, length)
        arrays, tasks = self._arrays(where, position, piece, table)
        number = self._data.place(length)
        self._data.write(pa.Table.from_arrays(
            [stored(f'{where}: {name}', array, self._columns[name], field.type)
             for (name, array), field in zip(arrays.items(), self._schema)],
            schema=self._schema))
        places = {}
        for camera, files in self._cameras.items():
            old = plan.names[camera]
            places[camera] = files.place(position) if not files.from_images else \
                files.place_images(f'{where}: {old}', one_form(
                    where, table, old, source.info.features[old], None))
        stats = self._statistics(where, piece, arrays)
        self._stats = combine([self._stats, stats]) if self._stats else stats
        if self._episodes_schema is None:
            self._episodes_schema = episodes_schema(self._info, stats)
        self._waiting.append({
            'episode_index': position, 'tasks': tasks, 'length': length,
            'data/chunk_index': number.chunk, 'data/file_index': number.file,
            'dataset_from_index': self._total, 'dataset_to_index': self._total + length,
            **video_columns(places),
            **{f'stats/{name}/{key}': value.tolist()
               for name, found in stats.items() for key, value in found.items()}})
        self._total += length
        if len(self._waiting) == _EPISODES_AT_ONCE:
            self._flush()

    def _arrays(
        self, where: str, position: int, piece: Piece, table: pa.Table,
    ) -> tuple[dict[str, pa.Array], list[str]]:
        """Return every column of the result in one form, and the episode's tasks."""
        plan, length = self._plan, piece.end - piece.begin
        frames = np.arange(length, dtype=np.int64)
        old = table['task_index'].to_numpy()
        known = plan.sources[piece.source].tasks
        found = dict.fromkeys(old.tolist())
        strange = [task for task in found if not 0 <= task < len(known)]
        if strange:
            raise DatasetBroken(f'{where}: task_index', str(strange), f'0 to {len(known) - 1}')
        new = {task: plan.task_of(piece, known[task]) for task in found}
        reserved = {
            'timestamp': (frames / self._info.fps).astype(np.float32), 'frame_index': frames,
            'episode_index': np.full(length, position), 'index': frames + self._total,
            'task_index': np.array([self._numbers[new[task]] for task in old.tolist()])}
        arrays: dict[str, pa.Array] = {}
        for (name, feature), field in zip(self._columns.items(), self._schema):
            if name in reserved:
                arrays[name] = pa.array(reserved[name].astype(RESERVED[name].dtype))
            elif name in plan.values:
                arrays[name] = given(f'{where}: new {name}', plan.values[name](position, table),
                                     feature, length)
            else:
                arrays[name] = one_form(where, table, plan.names[name], feature, field.type)
        return arrays, list(dict.fromkeys(new[task] for task in found))

    def _statistics(
        self, where: str, piece: Piece, arrays: Mapping[str, pa.Array],
    ) -> dict[str, Statistics]:
        plan, found = self._plan, {}
        source = plan.sources[piece.source]
        stored_ones = source.episode_stats(piece.episode)
        for name, feature in self._info.features.items():
            old = stored_ones.get(plan.names.get(name, ''), {})
            kept = old if name not in RESERVED and plan.is_whole(piece) \
                and name not in plan.recompute else {}
            if feature.dtype in ('string', 'language'):
                continue
            if _is_sound(kept, feature):
                found[name] = kept
                continue
            computed = self._computed(f'{where}: {name}', name, piece, arrays.get(name))
            if computed:
                found[name] = {**computed, **(kept if _same_shape(kept, computed) else {})}
            elif _is_sound(old, feature):
                # Depth is not decoded here: what the whole episode had comes nearest.
                found[name] = old
        return found

    def _computed(self, where: str, name: str, piece: Piece, array: pa.Array) -> Statistics:
        feature = self._info.features[name]
        if feature.dtype in ('video', 'image') and feature.shape[-1] == 1:
            return {}
        if feature.is_video and self._cameras[name].from_images:
            raise DatasetBroken(where, 'no statistics', 'those of the images',
                                'recompute them first')
        if feature.is_video:
            path, first = self._cameras[name].source(piece)
            return picture_statistics(path, first, piece.end - piece.begin, self._info.fps)
        if feature.dtype == 'image':
            return _of_images(where, array, feature)
        values = numbers(array, feature)
        if values is None:
            raise DatasetBroken(where, 'a value that is missing', 'one in every row')
        return numeric_statistics(values)

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


def video_columns(videos: Mapping[str, VideoPlace]) -> dict[str, Any]:
    """Return the columns of meta/episodes that say where pictures lie."""
    columns: dict[str, Any] = {}
    for camera, place in videos.items():
        columns.update({
            f'videos/{camera}/chunk_index': place.number.chunk,
            f'videos/{camera}/file_index': place.number.file,
            f'videos/{camera}/from_timestamp': place.begin_s,
            f'videos/{camera}/to_timestamp': place.end_s})
    return columns


def _is_sound(stats: Statistics, feature: Feature) -> bool:
    """Return whether all statistics are there in the shape that the format asks for."""
    if any(name not in stats for name in NAMES):
        return False
    camera = feature.dtype in ('video', 'image')
    size = 3 * math.prod(feature.height_width) if camera and feature.shape[-1] != 1 else 0
    channels = 3 if size == math.prod(feature.shape) else 1
    shape = (channels, 1, 1) if camera else feature.shape[-1:]
    return all(stats[name].shape == shape for name in NAMES if name != 'count')


def _same_shape(kept: Statistics, computed: Statistics) -> bool:
    return 'mean' in kept and kept['mean'].shape == computed['mean'].shape


def _of_images(where: str, array: pa.Array, feature: Feature) -> Statistics:
    sampler = PictureSampler()
    for row, frame in enumerate(decoded(where, array, feature)):
        if sampler.wants(row):
            sampler.take(to_rgb(frame))
    return sampler.statistics()
