# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Find what is wrong with a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from apprentice_dataset.boxes import scan
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import Problem
from apprentice_dataset.layout import STATS
from apprentice_dataset.lock import is_held
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.staging import Staging
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.validate_deep import deep_problems

__all__ = ['Problem', 'validate']


def validate(root: Path | str, deep: bool = False) -> list[Problem]:
    """
    Return what is wrong with a dataset; [] when nothing is.

    Without `deep` only metadata, parquet footers and mp4 boxes are read; with it every row and
    every frame. Where metadata cannot be read at all, that is the only problem returned.
    """
    root = Path(root)
    problems = list(_leftovers(root))
    try:
        metadata = read_metadata(root)
    except DatasetBroken as error:
        return [*problems, error.problem]
    except DatasetError as error:
        return [*problems, Problem(str(root), str(error), 'a dataset')]
    problems += [*_counters(metadata), *_episodes(metadata), *_data_files(metadata),
                 *_videos(metadata), *_stats(metadata)]
    if deep and not problems:
        problems += deep_problems(metadata)
    return problems


def _leftovers(root: Path) -> Iterator[Problem]:
    # What a living writer has open is no fault.
    if Staging(root).episode.exists() and not is_held(Staging(root).folder):
        yield Problem(str(Staging(root).folder), 'an unfinished episode', 'none',
                      'repair the dataset')


def _counters(metadata: Metadata) -> Iterator[Problem]:
    info = metadata.info
    where = str(metadata.root / 'meta/info.json')
    frames = sum(episode.length for episode in metadata.episodes)
    for name, found, expected in (
            ('total_frames', info.total_frames, frames),
            ('total_tasks', info.total_tasks, len(metadata.tasks))):
        if found != expected:
            yield Problem(f'{where}: {name}', str(found), str(expected))


def _episodes(metadata: Metadata) -> Iterator[Problem]:
    begin = 0
    for episode in metadata.episodes:
        where = f'{metadata.root}/meta/episodes: episode {episode.index}'
        expected = range(begin, begin + episode.length)
        if episode.length < 1:
            yield Problem(f'{where}: length', str(episode.length), 'at least one row')
        elif episode.rows != expected:
            yield Problem(f'{where}: dataset_from_index to dataset_to_index',
                          f'{episode.rows.start} to {episode.rows.stop}',
                          f'{expected.start} to {expected.stop}')
        begin = episode.rows.stop
        unknown = set(episode.tasks) - set(metadata.tasks)
        if unknown:
            yield Problem(f'{where}: tasks', str(sorted(unknown)), 'tasks of tasks.parquet')


def _data_files(metadata: Metadata) -> Iterator[Problem]:
    wanted: dict[Path, int] = {}
    for episode in metadata.episodes:
        path = metadata.root / episode.data.path(metadata.info.data_path)
        wanted[path] = wanted.get(path, 0) + episode.length
    for path, rows in wanted.items():
        try:
            file = open_parquet(path)
        except DatasetBroken as error:
            yield error.problem
            continue
        if file.metadata.num_rows != rows:
            yield Problem(str(path), f'{file.metadata.num_rows} rows', f'{rows}')
        names = set(file.schema_arrow.names)
        declared = set(metadata.info.columns)
        if names - declared:
            yield Problem(str(path), f'columns {sorted(names - declared)}',
                          'columns that info.json declares', 'LeRobot refuses this file')
        if declared - names:
            yield Problem(str(path), f'no columns {sorted(declared - names)}',
                          'every column that info.json declares')


def _videos(metadata: Metadata) -> Iterator[Problem]:
    wanted: dict[Path, int] = {}
    for episode in metadata.episodes:
        for camera, place in episode.videos.items():
            path = metadata.root / place.number.path(str(metadata.info.video_path), camera)
            end = round(place.begin_s * metadata.info.fps) + episode.length
            wanted[path] = max(wanted.get(path, 0), end)
            # More than a row's worth happens: some writers left frames of discarded takes.
            if round((place.end_s - place.begin_s) * metadata.info.fps) < episode.length:
                yield Problem(
                    f'{metadata.root}/meta/episodes: episode {episode.index}: '
                    f'videos/{camera}/to_timestamp', f'{place.end_s:g}',
                    f'at least {place.begin_s + episode.length / metadata.info.fps:g}')
    for path, frames in wanted.items():
        yield from _video(path, frames)


def _video(path: Path, frames: int) -> Iterator[Problem]:
    try:
        mp4 = scan(path)
    except FileNotFoundError:
        yield Problem(str(path), 'no such file', 'an mp4', 'restore it from a copy')
        return
    except OSError as error:
        yield Problem(str(path), str(error), 'a readable mp4')
        return
    if not mp4.moov:
        yield Problem(str(path), 'no moov box', 'an mp4 that was finished',
                      'restore it from a copy')
    elif mp4.frames < frames:
        yield Problem(str(path), f'{mp4.frames} frames', f'at least {frames}',
                      'restore it from a copy')


def _stats(metadata: Metadata) -> Iterator[Problem]:
    if not metadata.info.total_episodes:
        return
    where = metadata.root / STATS
    if not metadata.stats:
        yield Problem(str(where), 'no statistics', 'those of every feature',
                      'training needs them; recompute them with lerobot-edit-dataset')
        return
    for name, feature in metadata.info.features.items():
        if feature.dtype in ('string', 'language') or name not in metadata.stats:
            continue
        camera = feature.dtype in ('video', 'image')
        shape = (feature.shape[2 if feature.height_width == feature.shape[:2] else 0], 1, 1) \
            if camera else feature.shape[-1:]
        yield from _shapes(f'{where}: {name}', metadata.stats[name], shape)


def _shapes(where: str, stats: Statistics, shape: tuple[int, ...]) -> Iterator[Problem]:
    for key, value in stats.items():
        if key != 'count' and value.shape != shape:
            yield Problem(f'{where}.{key}', f'shape {list(value.shape)}', f'{list(shape)}')
            return
