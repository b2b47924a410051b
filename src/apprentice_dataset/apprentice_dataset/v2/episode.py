# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read an episode of v2.x as rows of v3.0, with their statistics."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import NamedTuple

from apprentice_dataset.errors import BadPicture
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
from apprentice_dataset.image_statistics import PictureSampler
from apprentice_dataset.info import Info
from apprentice_dataset.metadata import Episode
from apprentice_dataset.pictures import decode_picture
from apprentice_dataset.pictures import reason
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.statistics import Statistics
from apprentice_dataset.tables import data_table
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.tables import parquet_errors
from apprentice_dataset.v2.rows import episode_values
import pyarrow as pa


class EpisodeJob(NamedTuple):
    """Name the data file of an episode."""

    path: Path
    episode: Episode


@dataclass(frozen=True)
class Made:
    """Hold an episode: rows, the numbers of its tasks, statistics but those of videos."""

    table: pa.Table
    tasks: Sequence[int]
    stats: Mapping[str, Statistics]


@dataclass(frozen=True)
class EpisodeMaker:
    """Make rows of episodes; `tasks` is how many there are. It can go to another process."""

    info: Info
    tasks: int
    renumber: bool

    def __call__(self, job: EpisodeJob) -> Made:
        """
        Return rows and statistics.

        :raises DatasetBroken: the file, a value or a picture is not what meta/ promises.
        """
        path, columns = job.path, self.info.columns
        values = episode_values(str(path), _read(path), columns, job.episode, self.info.fps,
                                self.tasks, self.renumber)
        stats = {}
        for name, feature in columns.items():
            if feature.dtype == 'image':
                stats[name] = _of_pictures(f'{path}: {name}', values[name], feature)
            elif feature.dtype != 'string':
                stats[name] = numeric_statistics(values[name])
        return Made(data_table(columns, values),
                    list(dict.fromkeys(values['task_index'].tolist())), stats)


def _read(path: Path) -> pa.Table:
    with open_parquet(path) as file, parquet_errors(path, 'readable rows'):
        return file.read()


def _of_pictures(where: str, pictures: list[dict[str, Any]], feature: Feature) -> Statistics:
    sampler = PictureSampler()
    for number, picture in enumerate(pictures):
        if not picture['bytes']:
            raise DatasetBroken(f'{where}, row {number}', f'only a path: {picture["path"]!r}',
                                'the bytes of a picture', 'embed the pictures first')
        if sampler.wants(number):
            try:
                pixels = decode_picture(picture['bytes'], feature)
            except BadPicture as error:
                raise DatasetBroken(f'{where}, row {number}', reason(error), 'a whole PNG',
                                    'restore it from a copy') from None
            if pixels.shape[2] != 3:
                raise DatasetBroken(f'{where}, row {number}', 'one channel', 'RGB')
            sampler.take(pixels)
    return sampler.statistics()
