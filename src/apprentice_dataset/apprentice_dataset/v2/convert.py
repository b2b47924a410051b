# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert a dataset of v2.0 or v2.1 to v3.0, an episode at a time."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from dataclasses import replace
import os
from pathlib import Path
from typing import Any

from apprentice_dataset.edit.packets import Joiner
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import RESERVED
from apprentice_dataset.files import write_file
from apprentice_dataset.info import Info
from apprentice_dataset.info import VERSION
from apprentice_dataset.layout import DATA_PATH
from apprentice_dataset.layout import EPISODES_PATH
from apprentice_dataset.layout import INFO
from apprentice_dataset.layout import read_json
from apprentice_dataset.layout import STATS
from apprentice_dataset.layout import TASKS
from apprentice_dataset.layout import to_json
from apprentice_dataset.layout import VIDEO_PATH
from apprentice_dataset.metadata import Episode
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.metadata import stats_to_json
from apprentice_dataset.output import built_beside
from apprentice_dataset.output import TableFiles
from apprentice_dataset.output import video_columns
from apprentice_dataset.publication import episodes_schema
from apprentice_dataset.statistics import combine
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import data_schema
from apprentice_dataset.tables import parquet_bytes
from apprentice_dataset.tables import tasks_table
from apprentice_dataset.tasks import Each
from apprentice_dataset.tasks import in_threads
from apprentice_dataset.v2.episode import EpisodeJob
from apprentice_dataset.v2.episode import EpisodeMaker
from apprentice_dataset.v2.episode import Made
from apprentice_dataset.v2.reading import episode_stats
from apprentice_dataset.v2.reading import is_v2
from apprentice_dataset.v2.video import append_whole
from apprentice_dataset.video import sampled_statistics
import pyarrow as pa

Progress = Callable[[int, int], None]
_MB = 1 << 20
# So many rows of meta/episodes wait in memory for a row group.
_EPISODES_AT_ONCE = 100


@dataclass(frozen=True)
class ConvertSettings:
    """
    Hold how to convert: limits of a file in MiB (0: an episode a file), whether to count anew.

    With `renumber` the columns `index`, `frame_index`, `episode_index` and `timestamp` follow
    the order of the rows; without, rows that contradict it are refused.
    """

    data_mb: int = 100
    video_mb: int = 200
    renumber: bool = False


def convert(
    source: Path | str, output: Path | str, settings: ConvertSettings = ConvertSettings(),
    progress: Progress = lambda done, total: None, each: Each = in_threads,
) -> Info:
    """
    Convert a dataset of v2.0 or v2.1 into a new folder; the source stays as it is.

    Rows keep their values, videos their packets: they are joined, never encoded anew. Statistics
    of v2.1 are taken over; what it lacks (quantiles, cameras) is computed, all of v2.0's too.

    :param output: a folder that is missing or empty; it appears whole, at the end.
    :param progress: called with the number of episodes done and their total.
    :param each: reads episodes and computes their statistics.
    :returns: what info.json of the result says.
    :raises DatasetBroken: a file is missing or contradicts another; nothing is left behind.
    """
    source, output = Path(source), Path(output)
    metadata = read_metadata(source)
    if not is_v2(metadata.info.codebase_version):
        raise DatasetError(f'{source}: found {metadata.info.codebase_version}, expected v2.0 or '
                           'v2.1; there is nothing to convert')
    _check_files(metadata)
    with built_beside(output) as folder:
        conversion = _Conversion(metadata, folder, settings)
        try:
            return conversion.run(progress, each)
        except BaseException:
            conversion.abandon()
            raise


def _check_files(metadata: Metadata) -> None:
    for episode in metadata.episodes:
        paths = [episode.data.path(metadata.info.data_path)]
        paths += [place.number.path(str(metadata.info.video_path), camera)
                  for camera, place in episode.videos.items()]
        for path in paths:
            if not os.path.isfile(metadata.root / path):
                raise DatasetBroken(str(metadata.root / path), 'no such file',
                                    f'the file of episode {episode.index}',
                                    'restore it from a copy')


class _Conversion:
    def __init__(self, metadata: Metadata, folder: Path, settings: ConvertSettings) -> None:
        self._metadata, self._folder, self._settings = metadata, folder, settings
        self._old = metadata.info
        extra = {**(self._old.extra or {}), 'data_files_size_in_mb': max(1, settings.data_mb),
                 'video_files_size_in_mb': max(1, settings.video_mb)}
        self._info = replace(
            self._old, codebase_version=VERSION, data_path=DATA_PATH,
            video_path=VIDEO_PATH if self._old.cameras else None, extra=extra,
            total_tasks=len(metadata.tasks))
        size = self._info.chunks_size
        self._data = TableFiles(
            folder, DATA_PATH, data_schema(self._info.columns), settings.data_mb * _MB, size,
            ['episode_index', 'task_index'])
        self._joiners = {
            camera: Joiner(folder, camera, self._info.fps, settings.video_mb * _MB, size)
            for camera in self._info.cameras}
        self._known = _Known(metadata.root)
        self._episodes: TableFiles | None = None
        self._rows: list[dict[str, Any]] = []
        self._schema: pa.Schema | None = None
        self._stats: Mapping[str, Statistics] = {}

    def run(self, progress: Progress, each: Each) -> Info:
        total = len(self._metadata.episodes)
        maker = EpisodeMaker(self._info, len(self._metadata.tasks), self._settings.renumber)
        jobs = (EpisodeJob(self._metadata.root / episode.data.path(self._old.data_path), episode)
                for episode in self._metadata.episodes)
        mp4s = (mp4 for episode in self._metadata.episodes
                for mp4 in self._mp4s(episode).values())
        with closing(each(maker, jobs)) as made, \
                closing(each(sampled_statistics, mp4s)) as sampled:
            for episode, one in zip(self._metadata.episodes, made):
                self._episode(episode, one, sampled)
                progress(episode.index + 1, total)
        self._flush()
        for files in (self._data, *self._joiners.values(), self._episodes):
            if files is not None:
                files.close()
        write_file(self._folder / TASKS, parquet_bytes(tasks_table(self._metadata.tasks)))
        write_file(self._folder / STATS, to_json(stats_to_json(self._stats)))
        splits = read_json(self._metadata.root / INFO).get('splits')
        value = self._info.to_json()
        write_file(self._folder / INFO, to_json(
            {**value, 'splits': splits if isinstance(splits, dict) and splits
             else value['splits']}))
        return self._info

    def abandon(self) -> None:
        for files in (self._data, self._episodes):
            if files is not None:
                files.abandon()

    def _mp4s(self, episode: Episode) -> dict[str, Path]:
        return {camera: self._metadata.root / place.number.path(str(self._old.video_path), camera)
                for camera, place in episode.videos.items()}

    def _episode(self, episode: Episode, made: Made, sampled: Iterator[Statistics]) -> None:
        info, mp4s = self._info, self._mp4s(episode)
        number = self._data.place(episode.length)
        self._data.write(made.table)
        videos, computed = {}, dict(made.stats)
        for camera, mp4 in mp4s.items():
            videos[camera] = append_whole(self._joiners[camera], mp4, episode.length, info.fps)
            computed[camera] = next(sampled)
        known = self._known.of(episode.index)
        stats = {name: computed[name] if name in RESERVED
                 else _merged(computed[name], known.get(name))
                 for name in info.features if name in computed}
        self._stats = combine([self._stats, stats]) if self._stats else stats
        self._rows.append({
            'episode_index': episode.index, 'length': episode.length,
            'tasks': [self._metadata.tasks[task] for task in made.tasks],
            'data/chunk_index': number.chunk, 'data/file_index': number.file,
            'dataset_from_index': episode.rows.start, 'dataset_to_index': episode.rows.stop,
            **video_columns(videos),
            **{f'stats/{name}/{key}': value.tolist()
               for name, found in stats.items() for key, value in found.items()}})
        if self._schema is None:
            self._schema = episodes_schema(info, stats)
        if len(self._rows) == _EPISODES_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._rows or self._schema is None:
            return
        if self._episodes is None:
            self._episodes = TableFiles(
                self._folder, EPISODES_PATH, self._schema, self._settings.data_mb * _MB,
                self._info.chunks_size, [])
        number = self._episodes.place(len(self._rows))
        for row in self._rows:
            row.update({'meta/episodes/chunk_index': number.chunk,
                        'meta/episodes/file_index': number.file})
        self._episodes.write(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []


class _Known:
    """Give each episode's statistics of v2.1, whose lines need not be in order."""

    def __init__(self, root: Path) -> None:
        self._lines: Iterator[tuple[int, dict[str, Statistics]]] = episode_stats(root)
        self._ahead: dict[int, dict[str, Statistics]] = {}

    def of(self, episode: int) -> dict[str, Statistics]:
        while episode not in self._ahead:
            found = next(self._lines, None)
            if found is None:
                return {}
            self._ahead[found[0]] = found[1]
        return self._ahead.pop(episode)


def _merged(computed: Statistics, known: Statistics | None) -> Statistics:
    # v2.1 did not pool the axes of a matrix; what has another shape is computed.
    if known is None or known['mean'].shape != computed['mean'].shape:
        return computed
    return {**computed, **known}
