# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read what lies in meta/: schema, tasks, episodes, statistics."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.info import Info
from apprentice_dataset.info import read_info
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.layout import read_json
from apprentice_dataset.layout import STATS
from apprentice_dataset.layout import TASKS
from apprentice_dataset.statistics import NAMES
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.tables import read_tasks
import numpy as np
import pyarrow as pa

_NEEDED = ('episode_index', 'length', 'dataset_from_index', 'dataset_to_index',
           'data/chunk_index', 'data/file_index')
_NEEDED_VIDEO = ('chunk_index', 'file_index', 'from_timestamp', 'to_timestamp')


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


@dataclass(frozen=True)
class Metadata:
    """Hold everything below meta/; `episodes_schema` is None before the first episode."""

    root: Path
    info: Info
    tasks: Sequence[str]
    stats: Mapping[str, Statistics]
    episodes: Sequence[Episode]
    episodes_schema: pa.Schema | None


def read_metadata(root: Path) -> Metadata:
    """
    Read meta/ of a dataset.

    Episodes that info.json does not count yet are left out: another process is publishing them.

    :raises DatasetBroken: a file is missing, unreadable, or contradicts another.
    """
    info = read_info(root)
    tasks = read_tasks(root / TASKS)
    episodes, schema = read_episodes(root, info)
    if len(episodes) < info.total_episodes:
        raise DatasetBroken(str(root / 'meta/episodes'), f'{len(episodes)} episodes',
                            f'{info.total_episodes}, as info.json says',
                            'restore the missing file from a copy')
    return Metadata(root, info, tasks, read_stats(root / STATS),
                    episodes[:info.total_episodes], schema)


def episode_files(root: Path) -> list[Path]:
    """Return the files of meta/episodes in the order in which every reader takes them."""
    return sorted((root / 'meta/episodes').glob('*/*.parquet'))


def read_episodes(root: Path, info: Info) -> tuple[list[Episode], pa.Schema | None]:
    """Read all files of meta/episodes; DatasetBroken when they disagree or leave a gap."""
    episodes: list[Episode] = []
    schema: pa.Schema | None = None
    for path in episode_files(root):
        file = open_parquet(path)
        found = file.schema_arrow
        if schema is not None and set(found.names) != set(schema.names):
            odd = sorted(set(found.names) ^ set(schema.names))
            raise DatasetBroken(str(path), f'columns that differ: {odd[:6]}',
                                'the same columns in every file of meta/episodes')
        schema = schema or found.remove_metadata()
        wanted = [name for name in found.names if not name.startswith('stats/')]
        try:
            rows = file.read(columns=wanted).to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise DatasetBroken(str(path), str(error).splitlines()[0], 'readable columns',
                                'restore it from a copy') from None
        for row in rows:
            episodes.append(_episode(path, row, info, len(episodes)))
    return episodes, schema


def _episode(path: Path, row: Mapping[str, Any], info: Info, position: int) -> Episode:
    def value(name: str, kind: type) -> Any:
        found = row.get(name)
        if not isinstance(found, (int, kind)):
            raise DatasetBroken(f'{path}: {name}', repr(found), f'a value of type {kind.__name__}')
        return found

    numbers = [value(name, int) for name in _NEEDED]
    index, length, begin, end, chunk, file = numbers
    if index != position:
        raise DatasetBroken(f'{path}: episode_index', str(index), str(position),
                            'episodes must be in order without a gap')
    videos = {}
    for camera in info.cameras:
        place = [value(f'videos/{camera}/{name}', float) for name in _NEEDED_VIDEO]
        videos[camera] = VideoPlace(FileNumber(*place[:2]), *place[2:])
    return Episode(index, tuple(row.get('tasks') or ()), length, FileNumber(chunk, file),
                   range(begin, end), videos)


def read_stats(path: Path) -> dict[str, Statistics]:
    """Read stats.json, {} where there is none; DatasetBroken when it holds something else."""
    if not path.exists():
        return {}
    found: dict[str, Statistics] = {}
    for feature, values in read_json(path).items():
        try:
            found[feature] = {
                name: np.array(value, np.int64 if name == 'count' else np.float64)
                for name, value in values.items() if name in NAMES}
            whole = {'min', 'max', 'mean', 'std', 'count'} <= found[feature].keys()
        except (AttributeError, TypeError, ValueError):
            whole = False
        if not whole:
            raise DatasetBroken(f'{path}: {feature}', 'other contents',
                                'lists of numbers for min, max, mean, std and count')
    return found


def stats_to_json(stats: Mapping[str, Statistics]) -> dict[str, Any]:
    """Return statistics as stats.json holds them."""
    return {feature: {name: value.tolist() for name, value in one.items()}
            for feature, one in stats.items()}
