# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make small datasets of several layouts, and say what a stream must give of them."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from apprentice_dataset.reader import Dataset
from apprentice_dataset.v2.convert import convert
from apprentice_dataset.v2.convert import ConvertSettings
import fsspec
import numpy as np
from numpy.typing import NDArray
from older import build
import pyarrow.parquet as pq
from recording import FRONT
from recording import number_in
from recording import WRIST

LENGTHS = (20, 7, 1, 13, 25, 9, 4)
FRAMES = [(episode, frame) for episode, length in enumerate(LENGTHS) for frame in range(length)]
LAYOUTS = ('joined', 'mp4s', 'group', 'v2')


def layouts(folder: Path) -> dict[str, Path]:
    """
    Write one dataset in several layouts.

    `joined`: all in one file, a row group an episode; `mp4s`: an mp4 an episode; `group`: all rows
    in one row group; `v2`: v2.1, an episode a file.
    """
    made = {'v2': build(folder / 'v2', *LENGTHS)}
    for name, settings in (('joined', ConvertSettings()), ('mp4s', ConvertSettings(video_mb=0)),
                           ('group', ConvertSettings())):
        made[name] = folder / name
        convert(made['v2'], made[name], settings)
    path = made['group'] / 'data/chunk-000/file-000.parquet'
    pq.write_table(pq.read_table(path), path)
    return made


def in_memory(root: Path, name: str, protocol: str = 'memory') -> str:
    """Copy a dataset into a store in memory and return its URL."""
    store = fsspec.filesystem(protocol)
    for path in root.rglob('*'):
        if path.is_file():
            store.pipe_file(f'/{name}/{path.relative_to(root)}', path.read_bytes())
    return f'{protocol}://{name}'


def place_of(item: Mapping[str, Any]) -> tuple[int, int]:
    """Return episode and frame of an item as its columns say."""
    return int(item['episode_index']), int(item['frame_index'])


@lru_cache(maxsize=64)
def _columns(dataset: Dataset, episode: int) -> dict[str, NDArray[Any]]:
    rows = dataset.rows(episode)
    return {name: np.array(rows[name].to_pylist(), feature.dtype)
            for name, feature in dataset.info.columns.items()}


def check_item(
    item: Mapping[str, Any], dataset: Dataset, windows: Mapping[str, Sequence[int]] | None = None,
) -> None:
    """Hold an item, its pictures too, to its episode and frame; windows are in frames."""
    episode, frame = place_of(item)
    length = LENGTHS[episode]
    for place, camera in enumerate((FRONT, WRIST)):
        offsets = (windows or {}).get(camera)
        shown = item[camera] if offsets else item[camera][None]
        wanted = [min(max(frame + offset, 0), length - 1) for offset in offsets or [0]]
        assert [number_in(picture) for picture in shown] == [
            1000 * place + 100 * episode + number for number in wanted], (camera, episode, frame)
    for name, values in _columns(dataset, episode).items():
        offsets = (windows or {}).get(name)
        wanted = np.clip(frame + np.array(offsets or [0]), 0, length - 1)
        right = values[wanted] if offsets else values[wanted][0]
        assert np.array_equal(item[name], right) and item[name].dtype == right.dtype, name
    for name, offsets in (windows or {}).items():
        assert item[f'{name}_is_pad'].tolist() == [
            not 0 <= frame + offset < length for offset in offsets], name
    assert item['task'] == dataset.tasks[int(item['task_index'])]
