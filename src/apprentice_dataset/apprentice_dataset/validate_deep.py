# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read every row and every frame of a dataset and find what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import Problem
from apprentice_dataset.metadata import Episode
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.reader import Dataset
from apprentice_dataset.video import frame_times
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa


def deep_problems(metadata: Metadata) -> list[Problem]:
    """Return what is wrong with rows and frames; the metadata must be sound."""
    return [*_rows(Dataset(metadata)), *_frames(metadata)]


def _rows(dataset: Dataset) -> Iterator[Problem]:
    for episode in dataset.episodes:
        try:
            table = dataset.rows(episode.index)
        except DatasetBroken as error:
            yield error.problem
            continue
        where = f'{dataset.root}: rows of episode {episode.index}'
        yield from _counts(where, table, episode, dataset.info.fps)
        yield from _tasks(where, table, episode, dataset.tasks)
        yield from _values(where, table)


def _counts(where: str, table: pa.Table, episode: Episode, fps: float) -> Iterator[Problem]:
    frames = np.arange(episode.length)
    for name, expected in (
            ('frame_index', frames),
            ('index', frames + episode.rows.start),
            ('timestamp', (frames / fps).astype(np.float32))):
        found = table[name].to_numpy()
        # Older writers rounded the time in other ways; half a frame is another frame.
        wrong = np.flatnonzero(np.abs(found - expected) > (0.5 / fps if name == 'timestamp'
                                                           else 0))
        if wrong.size:
            row = int(wrong[0])
            yield Problem(f'{where}: {name}, row {row}', str(found[row]), str(expected[row]))


def _tasks(where: str, table: pa.Table, episode: Episode, tasks: Any) -> Iterator[Problem]:
    found = set(table['task_index'].to_pylist())
    unknown = [task for task in found if task is None or not 0 <= task < len(tasks)]
    if unknown:
        yield Problem(f'{where}: task_index', str(unknown), f'0 to {len(tasks) - 1}')
    elif episode.tasks and {tasks[task] for task in found} != set(episode.tasks):
        yield Problem(f'{where}: task_index', str(sorted(tasks[task] for task in found)),
                      f'{sorted(episode.tasks)}, as meta/episodes says')


def _values(where: str, table: pa.Table) -> Iterator[Problem]:
    for name in table.column_names:
        if not name.startswith(('observation', 'action')):
            continue
        column = table[name]
        values = _flat(column)
        if column.null_count or values is not None and not np.isfinite(values).all():
            yield Problem(f'{where}: {name}', 'a value that is missing or not finite',
                          'a number in every place')


def _flat(column: pa.ChunkedArray) -> NDArray[Any] | None:
    array = column.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    while pa.types.is_list(array.type) or pa.types.is_fixed_size_list(array.type):
        array = array.flatten()
    return array.to_numpy(zero_copy_only=False) if pa.types.is_floating(array.type) else None


def _frames(metadata: Metadata) -> Iterator[Problem]:
    info = metadata.info
    seen: dict[str, set[int]] = {}
    for episode in metadata.episodes:
        for camera, place in episode.videos.items():
            name = place.number.path(str(info.video_path), camera)
            if name not in seen:
                seen[name] = set()
                try:
                    numbers, sizes = frame_times(metadata.root / name, info.fps)
                except DatasetBroken as error:
                    yield error.problem
                    continue
                seen[name] = set(numbers)
                expected = info.features[camera].height_width
                if sizes != [expected]:
                    yield Problem(f'{metadata.root / name}', f'frames of (height, width) {sizes}',
                                  f'{expected}')
            first = round(place.begin_s * info.fps)
            missing = set(range(first, first + episode.length)) - seen[name]
            if missing and seen[name]:
                yield Problem(f'{metadata.root / name}', f'no frame {min(missing)}',
                              f'{episode.length} frames from {first} on')
