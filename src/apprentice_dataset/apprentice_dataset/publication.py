# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Turn a finished episode into the files of the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from pathlib import PurePosixPath
from typing import Any

from apprentice_dataset.depth import is_depth
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import NUMERIC
from apprentice_dataset.files import write_file
from apprentice_dataset.info import Info
from apprentice_dataset.layout import EPISODES_PATH
from apprentice_dataset.layout import EXTRA
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.layout import following
from apprentice_dataset.layout import INFO
from apprentice_dataset.layout import next_number
from apprentice_dataset.layout import STATS
from apprentice_dataset.layout import TASKS
from apprentice_dataset.layout import to_json
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import stats_to_json
from apprentice_dataset.picture_files import image_column
from apprentice_dataset.rows import Rows
from apprentice_dataset.staging import Staging
from apprentice_dataset.statistics import combine
from apprentice_dataset.statistics import NAMES
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import data_table
from apprentice_dataset.tables import parquet_bytes
from apprentice_dataset.tables import tasks_table
from apprentice_dataset.tables import write_parquet
from apprentice_dataset.transaction import below_root
from apprentice_dataset.transaction import Move
from apprentice_dataset.transaction import Step
import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class FinishedEpisode:
    """
    Hold an episode that is ready: rows, each camera's file and statistics, extra files.

    The file is an mp4, or what picture_files knows of pictures that go into the table.
    """

    rows: Rows
    cameras: Mapping[str, tuple[Path, Statistics]]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class FileNumbers:
    """Hold the numbers of the next episode's files, each family by itself."""

    data: FileNumber
    episodes: FileNumber
    videos: Mapping[str, FileNumber]

    def after(self, root: Path, chunks_size: int) -> FileNumbers:
        """Return the numbers after these."""
        def one(number: FileNumber, folder: str) -> FileNumber:
            return following(number, chunks_size, root / folder)

        return FileNumbers(
            one(self.data, 'data'), one(self.episodes, 'meta/episodes'),
            {camera: one(number, f'videos/{camera}') for camera, number in self.videos.items()})


def next_numbers(root: Path, info: Info) -> FileNumbers:
    """Find the numbers after the highest that exist."""
    def one(folder: str) -> FileNumber:
        return next_number(root / folder, info.chunks_size)

    return FileNumbers(one('data'), one('meta/episodes'),
                       {camera: one(f'videos/{camera}') for camera in info.cameras})


def check_extra(files: Mapping[str, bytes]) -> None:
    """Raise DatasetBroken for an extra file that would lie outside meta/apprentice."""
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or '..' in path.parts or not path.parts:
            raise DatasetBroken(f'extra file {name!r}', 'this name',
                                f'a path below {EXTRA}')


class _Stager:
    """Write files beside their places and remember where they go."""

    def __init__(self, staging: Staging, step: Step) -> None:
        self._staging, self._step = staging, step
        self.moves: list[Move] = []
        staging.staged.mkdir(exist_ok=True)

    def write(self, what: str, final: str, data: bytes | memoryview) -> None:
        path = self._next(what)
        write_file(path, data, sync=False)
        self.take(what, final, path)

    def write_table(self, what: str, final: str, table: pa.Table) -> None:
        path = self._next(what)
        write_parquet(path, table)
        self.take(what, final, path)

    def _next(self, what: str) -> Path:
        self._step(f'stage {what}')
        return self._staging.staged / f'{len(self.moves):03d}'

    def take(self, what: str, final: str, path: Path) -> None:
        self.moves.append(Move(what, below_root(self._staging, path), final))


def stage(
    metadata: Metadata, numbers: FileNumbers, episode: FinishedEpisode, step: Step,
) -> tuple[list[Move], Metadata]:
    """
    Write all files of an episode beside their places.

    :returns: the moves that publish it, in order, and the metadata when that is done.
    :raises OSError: the disk is full or fails; nothing is published.
    """
    staging = Staging(metadata.root)
    info, rows = metadata.info, episode.rows
    tasks = [*metadata.tasks, *(task for task in rows.tasks() if task not in metadata.tasks)]
    values = {**_all_columns(info, rows, tasks), **_pictures(info, episode)}
    stats = {**{camera: found for camera, (_, found) in episode.cameras.items()},
             **{name: numeric_statistics(values[name])
                for name, feature in info.columns.items() if feature.dtype in NUMERIC}}
    stats = {name: stats[name] for name in info.features if name in stats}
    schema = metadata.episodes_schema or episodes_schema(info, stats)
    after = replace(
        metadata, info=info.grown(len(rows), len(tasks)), tasks=tasks, episodes_schema=schema,
        stats=_dataset_stats(metadata, stats))
    stager = _Stager(staging, step)
    if len(tasks) > len(metadata.tasks):
        stager.write('tasks', TASKS, parquet_bytes(tasks_table(tasks)))
    for camera, number in numbers.videos.items():
        path, _ = episode.cameras[camera]
        stager.take('video', number.path(str(info.video_path), camera), path)
    table, final = data_table(info.columns, values), numbers.data.path(info.data_path)
    if any(feature.dtype == 'image' for feature in info.features.values()):
        stager.write_table('data', final, table)
    else:
        stager.write('data', final, parquet_bytes(table))
    row = _episode_row(info, numbers, rows, stats)
    stager.write('episodes', numbers.episodes.path(EPISODES_PATH), parquet_bytes(
        pa.Table.from_arrays([pa.array([row.get(field.name)], type=field.type)
                              for field in schema], schema=schema)))
    for name, data in episode.files.items():
        stager.write('extra', f'{EXTRA}/{name}', data)
    if after.stats:
        stager.write('statistics', STATS, to_json(stats_to_json(after.stats)))
    stager.write('info', INFO, to_json(after.info.to_json()))
    return stager.moves, after


def _dataset_stats(
    metadata: Metadata, episode: Mapping[str, Statistics],
) -> Mapping[str, Statistics]:
    if metadata.info.total_episodes and not metadata.stats:
        # Those of the earlier episodes are gone; of one episode alone they would be wrong.
        return {}
    return combine([metadata.stats, episode]) if metadata.stats else dict(episode)


def _all_columns(info: Info, rows: Rows, tasks: list[str]) -> dict[str, Any]:
    count = len(rows)
    frames = np.arange(count, dtype=np.int64)
    reserved = {
        'timestamp': (frames / info.fps).astype(np.float32),
        'frame_index': frames,
        'episode_index': np.full(count, info.total_episodes, np.int64),
        'index': frames + info.total_frames,
        'task_index': rows.task_column({task: place for place, task in enumerate(tasks)})}
    return {**rows.columns(), **reserved}


def _pictures(info: Info, episode: FinishedEpisode) -> dict[str, pa.ChunkedArray]:
    return {name: image_column(path, 'tiff' if is_depth(info.features[name]) else 'png')
            for name, (path, _) in episode.cameras.items() if not info.features[name].is_video}


def _episode_row(
    info: Info, numbers: FileNumbers, rows: Rows, stats: Mapping[str, Statistics],
) -> dict[str, Any]:
    count = len(rows)
    row: dict[str, Any] = {
        'episode_index': info.total_episodes, 'tasks': rows.tasks(), 'length': count,
        'data/chunk_index': numbers.data.chunk, 'data/file_index': numbers.data.file,
        'dataset_from_index': info.total_frames, 'dataset_to_index': info.total_frames + count,
        'meta/episodes/chunk_index': numbers.episodes.chunk,
        'meta/episodes/file_index': numbers.episodes.file}
    for camera, number in numbers.videos.items():
        row.update({
            f'videos/{camera}/chunk_index': number.chunk,
            f'videos/{camera}/file_index': number.file,
            f'videos/{camera}/from_timestamp': 0.0,
            f'videos/{camera}/to_timestamp': count / info.fps})
    row.update({f'stats/{feature}/{name}': value.tolist()
                for feature, found in stats.items() for name, value in found.items()})
    return row


def episodes_schema(info: Info, stats: Mapping[str, Statistics]) -> pa.Schema:
    """Return the columns of meta/episodes as LeRobot's recorder orders them."""
    whole, real = pa.int64(), pa.float64()
    columns = [('episode_index', whole), ('tasks', pa.list_(pa.string())), ('length', whole),
               ('data/chunk_index', whole), ('data/file_index', whole),
               ('dataset_from_index', whole), ('dataset_to_index', whole)]
    for camera in info.cameras:
        columns += [(f'videos/{camera}/chunk_index', whole),
                    (f'videos/{camera}/file_index', whole),
                    (f'videos/{camera}/from_timestamp', real),
                    (f'videos/{camera}/to_timestamp', real)]
    for feature, found in stats.items():
        for name in NAMES:
            kind = pa.int64() if name == 'count' else pa.float64()
            for _ in found[name].shape:
                kind = pa.list_(kind)
            columns.append((f'stats/{feature}/{name}', kind))
    columns += [('meta/episodes/chunk_index', whole), ('meta/episodes/file_index', whole)]
    return pa.schema(columns)
