# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read what lies in meta/: schema, tasks, episodes, statistics."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import astuple
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from apprentice_dataset.episode_statistics import EpisodeStatistics
from apprentice_dataset.episodes import checked
from apprentice_dataset.episodes import Episode
from apprentice_dataset.episodes import EPISODE_NUMBERS
from apprentice_dataset.episodes import Episodes
from apprentice_dataset.episodes import PLACE
from apprentice_dataset.episodes import sequence_problems
from apprentice_dataset.episodes import VideoPlace
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.info import Info
from apprentice_dataset.info import read_info
from apprentice_dataset.layout import read_json
from apprentice_dataset.layout import STATS
from apprentice_dataset.layout import TASKS
from apprentice_dataset.statistics import NAMES
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.tables import parquet_errors
from apprentice_dataset.tables import read_tasks
from apprentice_dataset.v2 import reading as v2
import numpy as np
import pyarrow as pa

SUBTASKS = 'meta/subtasks.parquet'
__all__ = ['Episode', 'Episodes', 'Metadata', 'VideoPlace', 'episode_files', 'read_metadata',
           'read_stats', 'stats_to_json']


@dataclass(frozen=True)
class Metadata:
    """
    Hold everything below meta/; `episodes_schema` is None before the first episode.

    `subtasks` are those of datasets of older writers, by `subtask_index`.
    """

    root: Path
    info: Info
    tasks: Sequence[str]
    stats: Mapping[str, Statistics]
    episodes: Episodes
    episodes_schema: pa.Schema | None
    subtasks: Sequence[str] = ()
    _episode_stats: EpisodeStatistics | None = field(default=None, repr=False, compare=False)

    def episode_stats(self, episode: int) -> dict[str, Statistics]:
        """
        Read the statistics of an episode, quantiles among them where they are stored.

        Only its row group is read, and kept until another one is asked for. {} where there are
        none.

        :raises DatasetBroken: they cannot be read or are no numbers.
        """
        if not 0 <= episode < len(self.episodes):
            raise DatasetError(f'found episode {episode}, expected 0 to {len(self.episodes) - 1}')
        return self._episode_stats.of(episode) if self._episode_stats else {}


def read_metadata(root: Path, strict: bool = True) -> Metadata:
    """
    Read meta/ of a dataset; statistics of episodes are left until they are asked for.

    Episodes that info.json does not count yet are left out: another process is publishing them.

    :param strict: refuse episodes and rows that do not follow each other without a gap.
    :raises DatasetBroken: a file is missing, unreadable, or contradicts another.
    """
    info = read_info(root)
    if v2.is_v2(info.codebase_version):
        return _read_v2(root, info)
    tasks = read_tasks(root / TASKS)
    table, schema, files = _read_episodes(root, info)
    if table.num_rows < info.total_episodes:
        raise DatasetBroken(str(root / 'meta/episodes'), f'{table.num_rows} episodes',
                            f'{info.total_episodes}, as info.json says',
                            'restore the missing file from a copy')
    episodes = Episodes(table, info.cameras)[:info.total_episodes]
    for problem in sequence_problems(str(root / 'meta/episodes'), episodes) if strict else ():
        raise DatasetBroken(*astuple(problem))
    subtasks = read_tasks(root / SUBTASKS, 'subtask')
    return Metadata(root, info, tasks, read_stats(root / STATS), episodes, schema, subtasks,
                    EpisodeStatistics(files))


def _read_v2(root: Path, info: Info) -> Metadata:
    path = root / v2.EPISODES
    table = v2.episodes_table(root, info.cameras, info.chunks_size, info.fps)
    if table.num_rows != info.total_episodes:
        raise DatasetBroken(str(path), f'{table.num_rows} episodes',
                            f'{info.total_episodes}, as info.json says')
    episodes = Episodes(checked(str(path), table, info.cameras), info.cameras)
    whole = read_json(root / STATS) if (root / STATS).exists() else {}
    return Metadata(
        root, info, v2.read_tasks(root), v2.read_stats(root, whole, info.total_frames), episodes,
        table.schema, (), EpisodeStatistics((), lambda: v2.episode_stats(root)))


def episode_files(root: Path) -> list[Path]:
    """Return the files of meta/episodes in the order in which every reader takes them."""
    return sorted((root / 'meta/episodes').glob('*/*.parquet'))


def _read_episodes(
    root: Path, info: Info,
) -> tuple[pa.Table, pa.Schema | None, list[tuple[Path, int]]]:
    """Read all files of meta/episodes; DatasetBroken when they disagree."""
    tables, files, begin = [], [], 0
    schema: pa.Schema | None = None
    # One after the other: parsing footers holds the interpreter's lock, and each takes memory.
    for path in episode_files(root):
        found, table = _read_file(path, info)
        if schema is not None and set(found.names) != set(schema.names):
            odd = sorted(set(found.names) ^ set(schema.names))
            raise DatasetBroken(str(path), f'columns that differ: {odd[:6]}',
                                'the same columns in every file of meta/episodes')
        schema = schema or found.remove_metadata()
        tables.append(table.select(tables[0].column_names) if tables else table)
        files.append((path, begin))
        begin += table.num_rows
    if not tables:
        return checked('', _no_episodes(info), info.cameras), None, []
    try:
        whole = pa.concat_tables(tables, promote_options='permissive').combine_chunks()
    except pa.ArrowException as error:
        raise DatasetBroken(str(root / 'meta/episodes'), str(error).splitlines()[0],
                            'the same types in every file') from None
    return whole, schema, files


def _read_file(path: Path, info: Info) -> tuple[pa.Schema, pa.Table]:
    with open_parquet(path) as file, parquet_errors(path):
        found = file.schema_arrow
        if len(set(found.names)) != len(found.names):
            raise DatasetBroken(str(path), f'columns {sorted(found.names)[:9]}', 'each name once')
        wanted = [name for name in found.names if not name.startswith('stats/')]
        table = file.read(columns=wanted)
    return found, checked(str(path), table.replace_schema_metadata(None), info.cameras)


def _no_episodes(info: Info) -> pa.Table:
    names = [*EPISODE_NUMBERS,
             *(f'videos/{camera}/{name}' for camera in info.cameras for name in PLACE)]
    return pa.table({name: pa.array([], pa.int64()) for name in names})


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
        except (AttributeError, TypeError, ValueError, OverflowError):
            whole = False
        if not whole:
            raise DatasetBroken(f'{path}: {feature}', 'other contents',
                                'lists of numbers for min, max, mean, std and count')
    return found


def stats_to_json(stats: Mapping[str, Statistics]) -> dict[str, Any]:
    """Return statistics as stats.json holds them."""
    return {feature: {name: value.tolist() for name, value in one.items()}
            for feature, one in stats.items()}
