# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold meta/ to the format, and the names of files to what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from apprentice_dataset.episodes import sequence_problems
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import Problem
from apprentice_dataset.layout import STATS
from apprentice_dataset.layout import TASKS
from apprentice_dataset.metadata import episode_files
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.statistics import NAMES
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import index_column
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.v2.reading import is_v2
from apprentice_dataset.validate_videos import TOLERANCE_S
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_MOST = 10
_HIGHEST = 999


def meta_problems(metadata: Metadata, live: bool) -> Iterator[Problem]:
    """
    Yield what is wrong with meta/ and with which files there are.

    :param live: a process writes the dataset: files that nobody names yet are no fault.
    """
    where = f'{metadata.root}/meta/episodes'
    yield from _counters(metadata)
    yield from sequence_problems(where, metadata.episodes)
    yield from _features(metadata)
    yield from _stats(metadata)
    yield from _known_tasks(where, metadata)
    yield from _times(where, metadata)
    if not is_v2(metadata.info.codebase_version):
        yield from _task_file(metadata)
        yield from _columns(metadata)
        yield from _numbers(where, metadata)
        if not live:
            yield from _strays(metadata)


def _counters(metadata: Metadata) -> Iterator[Problem]:
    info = metadata.info
    where = str(metadata.root / 'meta/info.json')
    for name, found, expected in (
            ('total_frames', info.total_frames, int(metadata.episodes.column('length').sum())),
            ('total_tasks', info.total_tasks, len(metadata.tasks))):
        if found != expected:
            yield Problem(f'{where}: {name}', str(found), str(expected))


def _features(metadata: Metadata) -> Iterator[Problem]:
    where = metadata.root / 'meta/info.json'
    for name, feature in metadata.info.features.items():
        if 'image' in name and feature.dtype not in ('video', 'image'):
            yield Problem(f'{where}: features.{name}', f'{feature.dtype}, no camera',
                          'a name without "image"', 'LeRobot takes it for a camera; rename it')


def _known_tasks(where: str, metadata: Metadata) -> Iterator[Problem]:
    episodes = metadata.episodes
    if 'tasks' not in episodes.table.column_names:
        return
    column = episodes.table['tasks']
    known = pc.is_in(pc.list_flatten(column), pa.array(metadata.tasks, pa.string()))
    parents = pc.list_parent_indices(column)
    wrong = np.unique(parents.to_numpy()[~known.to_numpy(zero_copy_only=False)])
    for number in wrong[:_MOST].tolist():
        unknown = sorted(set(episodes[number].tasks) - set(metadata.tasks))
        yield Problem(f'{where}: episode {number}: tasks', str(unknown), 'tasks of tasks.parquet')


def _times(where: str, metadata: Metadata) -> Iterator[Problem]:
    """Yield episodes whose times in an mp4 are too short or between two frames."""
    fps, episodes = metadata.info.fps, metadata.episodes
    lengths = episodes.column('length')
    for camera in metadata.info.cameras:
        begin = episodes.column(f'videos/{camera}/from_timestamp')
        end = episodes.column(f'videos/{camera}/to_timestamp')
        # More than a row's worth happens: some writers left frames of discarded takes.
        for number in np.flatnonzero(np.rint((end - begin) * fps) < lengths)[:_MOST].tolist():
            least = begin[number] + lengths[number] / fps
            yield Problem(f'{where}: episode {number}: videos/{camera}/to_timestamp',
                          f'{end[number]:g}', f'at least {least:g}')
        off = np.abs(begin - np.rint(begin * fps) / fps) > TOLERANCE_S
        for number in np.flatnonzero(off)[:_MOST].tolist():
            yield Problem(f'{where}: episode {number}: videos/{camera}/from_timestamp',
                          f'{begin[number]:.6f}', f'a multiple of 1/{fps:g} s',
                          'LeRobot refuses every frame of it')


def _task_file(metadata: Metadata) -> Iterator[Problem]:
    path = metadata.root / TASKS
    if len(set(metadata.tasks)) != len(metadata.tasks):
        twice = sorted({task for task in metadata.tasks if metadata.tasks.count(task) > 1})
        yield Problem(f'{path}: task', f'{twice[:3]} more than once', 'each task once')
    if path.exists() and not index_column(open_parquet(path).schema_arrow)[1]:
        yield Problem(f'{path}: footer', 'no pandas index', "'pandas' with index_columns ['task']",
                      'LeRobot would read numbers for task texts')


def _columns(metadata: Metadata) -> Iterator[Problem]:
    """Yield differences between the files of meta/episodes, and statistics nobody can read."""
    first: pa.Schema | None = None
    for path in episode_files(metadata.root):
        try:
            schema = open_parquet(path).schema_arrow.remove_metadata()
        except DatasetBroken as error:
            yield error.problem
            return
        for name in schema.names:
            parts = name.split('/')
            if parts[0] == 'stats' and (len(parts) != 3 or parts[2] not in NAMES):
                yield Problem(f'{path}: column {name}', 'this name', 'stats/FEATURE/STATISTIC')
        first = first or schema
        for field in schema:
            if field.name in first.names and field.type != first.field(field.name).type:
                yield Problem(f'{path}: {field.name}', str(field.type),
                              f'{first.field(field.name).type}, as in the first file',
                              'LeRobot cannot load files of different types')
                return


def _numbers(where: str, metadata: Metadata) -> Iterator[Problem]:
    families = ['data', *(f'videos/{camera}' for camera in metadata.info.cameras)]
    for family in families:
        chunks, files = (metadata.episodes.column(f'{family}/{name}')
                         for name in ('chunk_index', 'file_index'))
        for name, values in (('chunk_index', chunks), ('file_index', files)):
            if len(values) and values.max() > _HIGHEST:
                yield Problem(f'{where}: {family}/{name}', str(values.max()),
                              f'at most {_HIGHEST}', 'readers sort names as text; compact it')
        steps = np.diff(chunks), np.diff(files)
        back = np.flatnonzero((steps[0] < 0) | (steps[0] == 0) & (steps[1] < 0))
        if family == 'data' and back.size:
            number = int(back[0]) + 1
            yield Problem(f'{where}: episode {number}: data/file_index',
                          f'{chunks[number]}/{files[number]} after '
                          f'{chunks[number - 1]}/{files[number - 1]}',
                          'files in the order of episodes', 'LeRobot reads rows in file order')


def _strays(metadata: Metadata) -> Iterator[Problem]:
    """Yield files that every reader would take along, and pictures of an interrupted take."""
    root, info = metadata.root, metadata.info
    named = {root / run.number.path(info.data_path) for run in metadata.episodes.file_runs()}
    strays = [path for path in sorted((root / 'data').glob('*/*.parquet')) if path not in named]
    for path in strays[:_MOST]:
        yield Problem(str(path), 'a file of no episode', 'files that meta/episodes names',
                      'LeRobot would read its rows too; move it away')
    # LeRobot leaves the folders of its cameras there, empty.
    picture = next((path for path in (root / 'images').rglob('*') if path.is_file()), None)
    if picture is not None:
        yield Problem(str(picture), 'a picture of an unfinished episode', 'no files in images/',
                      'remove the folder if the episode is lost')


def _stats(metadata: Metadata) -> Iterator[Problem]:
    if not metadata.info.total_episodes:
        return
    where = metadata.root / STATS
    if not metadata.stats:
        yield Problem(str(where), 'no statistics', 'those of every feature',
                      'training needs them: dataset recompute-stats DIR --in-place')
        return
    for name, feature in metadata.info.features.items():
        if feature.dtype in ('string', 'language') or name not in metadata.stats:
            continue
        camera = feature.dtype in ('video', 'image')
        shape = (feature.shape[2 if feature.height_width == feature.shape[:2] else 0], 1, 1) \
            if camera else feature.shape[-1:]
        yield from _values(where, name, metadata.stats[name], shape)


def _values(
    where: Path, name: str, stats: Statistics, shape: tuple[int, ...],
) -> Iterator[Problem]:
    for key, value in stats.items():
        if key != 'count' and value.shape != shape:
            yield Problem(f'{where}: {name}.{key}', f'shape {list(value.shape)}', f'{list(shape)}')
            return
        if not np.isfinite(value).all():
            yield Problem(f'{where}: {name}.{key}', 'a value that is not finite', 'numbers')
            return
    if (stats['count'] < 1).any() or (stats['std'] < 0).any() \
            or (stats['min'] > stats['max']).any():
        yield Problem(f'{where}: {name}', 'a count below 1, a std below 0 or a min above max',
                      'statistics of values', 'dataset recompute-stats DIR --in-place')
