# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold what we read of a dataset to what lerobot read of it."""
from __future__ import annotations

from collections.abc import Iterator
import hashlib
from typing import Any

from apprentice_dataset.metadata import stats_to_json
from apprentice_dataset.reader import Dataset
import numpy as np
from numpy.typing import NDArray

# Two decoders need not round alike; a frame further off is another frame.
ROUNDING = 1.0


def differences(dataset: Dataset, read: dict[str, Any]) -> list[str]:
    """
    Return where they differ; [] when nowhere.

    :param read: what `tests/reference/lerobot_side.py read` printed: `items` (values as they
        are, pictures as sha256, shape and mean of each channel), `tasks`, `episodes`, `stats`.
    """
    found = [f'{name}: {ours}, lerobot has {theirs}' for name, ours, theirs in (
        ('episodes', len(dataset.episodes), read['episodes']),
        ('tasks', list(dataset.tasks), read['tasks']),
        ('rows', len(dataset), len(read['items']))) if ours != theirs]
    if found:
        return found
    items = iter(read['items'])
    for episode in dataset.episodes:
        for place, (row, pictures) in enumerate(_rows(dataset, episode.index)):
            found += [f'episode {episode.index}, row {place}: {text}'
                      for text in _of_row(dataset, row, pictures, next(items))]
    stats = {name: one for name, one in stats_to_json(dataset.metadata.stats).items()
             if (dataset.info.features[name].info or {}).get('depth_unit') != 'm'}
    return found + [f'statistics of {name} differ' for name in {*stats, *read['stats']}
                    if stats.get(name) != read['stats'].get(name)]


def _rows(dataset: Dataset, episode: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    videos = {name: dataset.frames(episode, name)
              for name, feature in dataset.info.features.items()
              if feature.dtype in ('video', 'image')}
    for place, row in enumerate(dataset.rows(episode).to_pylist()):
        yield row, {camera: pictures[place] for camera, pictures in videos.items()}


def _of_row(
    dataset: Dataset, row: dict[str, Any], pictures: dict[str, NDArray[Any]],
    item: dict[str, Any],
) -> Iterator[str]:
    if dataset.tasks[row['task_index']] != item['task']:
        yield f'task {dataset.tasks[row["task_index"]]!r}, lerobot has {item["task"]!r}'
    for name in item.keys() - {'task'}:
        if name in pictures:
            exact = dataset.info.features[name].dtype == 'image'
            yield from _of_picture(name, pictures[name], item[name], exact)
        elif name not in row:
            yield f'{name} is missing'
        elif row[name] != item[name]:
            yield f'{name}: {row[name]}, lerobot has {item[name]}'


def _of_picture(
    name: str, picture: NDArray[Any], theirs: dict[str, Any], exact: bool,
) -> Iterator[str]:
    if list(picture.shape) != theirs['shape']:
        yield f'{name}: shape {picture.shape}, lerobot has {theirs["shape"]}'
    elif hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest() != theirs['sha256']:
        means = picture.mean(axis=(0, 1), dtype=np.float64)
        if exact or not np.allclose(means, theirs['mean'], rtol=0, atol=ROUNDING):
            yield f'{name}: mean {means}, lerobot has {theirs["mean"]}'
