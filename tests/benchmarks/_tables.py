# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make datasets of any number of episodes: whole tables, two cameras whose mp4s are not there."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.info import Info
from apprentice_dataset.info import new_info
from apprentice_dataset.layout import EPISODES_PATH
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.layout import INFO
from apprentice_dataset.layout import STATS
from apprentice_dataset.layout import TASKS
from apprentice_dataset.layout import to_json
from apprentice_dataset.metadata import stats_to_json
from apprentice_dataset.publication import episodes_schema
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import data_table
from apprentice_dataset.tables import parquet_bytes
from apprentice_dataset.tables import tasks_table
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa
import pyarrow.parquet as pq

FPS = 30
CAMERAS = ('observation.images.front', 'observation.images.wrist')
# As many as an mp4 of 200 MB and a data file of 100 MB hold of short episodes.
_EPISODES_A_FILE = 12_500
_JOINTS = 12


def spec() -> DatasetSpec:
    """Two cameras, a state and an action of twelve joints."""
    camera = Feature('video', (480, 640, 3), ['height', 'width', 'channels'])
    joints = Feature('float32', (_JOINTS,), [f'joint_{number}.pos' for number in range(_JOINTS)])
    return DatasetSpec(FPS, 'synthetic', {**dict.fromkeys(CAMERAS, camera),
                                          'observation.state': joints, 'action': joints})


def make(root: Path, episodes: int, rows: int, group: int) -> Info:
    """
    Write meta/ and data/.

    :param rows: rows of each episode.
    :param group: episodes of a row group of meta/episodes; lerobot's recorder has 10, its
        converters have all of a file in one.
    """
    info = new_info(spec())
    values = _values(rows)
    stats: dict[str, Statistics] = {
        name: numeric_statistics(values[name]) for name in info.columns}
    for camera in CAMERAS:
        stats[camera] = {name: value.reshape(-1, 1, 1) if name != 'count' else value
                         for name, value in numeric_statistics(np.random.rand(rows, 3)).items()}
    schema = episodes_schema(info, stats)
    for number, first in enumerate(range(0, episodes, _EPISODES_A_FILE)):
        count = min(_EPISODES_A_FILE, episodes - first)
        file = FileNumber(0, number)
        table = _episodes(schema, stats, file, first, count, rows)
        _write(root / file.path(EPISODES_PATH), table, group)
        _write_data(root / file.path(info.data_path), info, values, first, count, rows)
    for name, data in ((TASKS, parquet_bytes(tasks_table(['pick the cube']))),
                       (STATS, to_json(stats_to_json(stats)))):
        (root / name).write_bytes(data)
    value = {**info.to_json(), 'total_episodes': episodes, 'total_frames': episodes * rows,
             'total_tasks': 1, 'splits': {'train': f'0:{episodes}'}}
    (root / INFO).write_bytes(to_json(value))
    return info


def _values(rows: int) -> dict[str, Any]:
    frames = np.arange(rows, dtype=np.int64)
    generator = np.random.default_rng(1)
    return {'observation.state': generator.normal(size=(rows, _JOINTS)).astype(np.float32),
            'action': generator.normal(size=(rows, _JOINTS)).astype(np.float32),
            'timestamp': (frames / FPS).astype(np.float32), 'frame_index': frames,
            'episode_index': np.zeros(rows, np.int64), 'index': frames,
            'task_index': np.zeros(rows, np.int64)}


def _episodes(
    schema: pa.Schema, stats: dict[str, Statistics], file: FileNumber, first: int, count: int,
    rows: int,
) -> pa.Table:
    numbers = np.arange(first, first + count)
    begin_s = (numbers - first) * (rows / FPS)
    columns: dict[str, Any] = {
        'episode_index': numbers, 'length': np.full(count, rows),
        'tasks': pa.array([['pick the cube']] * count),
        'dataset_from_index': numbers * rows, 'dataset_to_index': (numbers + 1) * rows}
    for family in ('data', 'meta/episodes', *(f'videos/{camera}' for camera in CAMERAS)):
        columns[f'{family}/chunk_index'] = np.full(count, file.chunk)
        columns[f'{family}/file_index'] = np.full(count, file.file)
    for camera in CAMERAS:
        columns[f'videos/{camera}/from_timestamp'] = begin_s
        columns[f'videos/{camera}/to_timestamp'] = begin_s + rows / FPS
    for feature, found in stats.items():
        for name, value in found.items():
            kind = schema.field(f'stats/{feature}/{name}').type
            columns[f'stats/{feature}/{name}'] = _differing(value, count, kind)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _differing(value: NDArray[Any], count: int, kind: pa.DataType) -> pa.Array:
    """Return a statistic that differs from episode to episode, as real ones do."""
    noise = np.random.rand(count, value.size) if value.dtype.kind == 'f' else 0
    array = pa.array((value.reshape(1, -1) + noise).repeat(
        1 if value.dtype.kind == 'f' else count, axis=0).ravel())
    for size in value.shape[::-1]:
        array = pa.ListArray.from_arrays(
            np.arange(0, len(array) + 1, size, dtype=np.int32), array)
    return array.cast(kind)


def _write_data(
    path: Path, info: Info, values: dict[str, Any], first: int, count: int, rows: int,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(first)
    schema = data_table(info.columns, values).schema
    at_once = max(1, 100_000 // rows)
    with pq.ParquetWriter(path, schema, version='2.6', compression='snappy',
                          use_dictionary=['episode_index', 'task_index']) as writer:
        for begin in range(first, first + count, at_once):
            here = min(at_once, first + count - begin)
            frames = np.tile(np.arange(rows), here)
            states = generator.normal(size=(here * rows, _JOINTS)).astype(np.float32)
            writer.write_table(data_table(info.columns, {
                'observation.state': states, 'action': states,
                'timestamp': (frames / FPS).astype(np.float32), 'frame_index': frames,
                'episode_index': np.repeat(np.arange(begin, begin + here), rows),
                'index': np.arange(begin * rows, (begin + here) * rows),
                'task_index': np.zeros(here * rows, np.int64)}))


def _write(path: Path, table: pa.Table, group: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, version='2.6', compression='snappy', row_group_size=group)
