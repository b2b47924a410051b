# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold an edited dataset to what it was made of: every value, every packet, every statistic."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
import tarfile
from typing import Any

from apprentice_dataset.reader import Dataset
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
import av
import numpy as np
from recording import FPS
from recording import record
from recording import spec

NUMBERS = ('index', 'episode_index', 'task_index', 'frame_index', 'timestamp')
LENGTHS = (12, 20, 15, 9)
RECORD = b'{"rows": 12, "marks": [], "started_ns": %d}'
GOLDEN = Path(__file__).with_name('golden')


def recorded(root: Path, *lengths: int, first: int = 0, task: str = 'task') -> Path:
    """Record episodes that count from 100 times their number, two tasks in turn."""
    with DatasetWriter.create(root, spec()) as writer:
        for number, length in enumerate(lengths or LENGTHS):
            episode = writer.begin_episode()
            record(episode, length, first=first + 100 * number, task=f'{task} {number % 2}')
            episode.save({f'episodes/episode-{number:06d}.json': RECORD % number,
                          'contracts/1.yaml': b'version: 1\n'})
    return root


def golden(kind: str, folder: Path) -> Path:
    """Unpack a dataset that lerobot wrote."""
    with tarfile.open(GOLDEN / f'{kind}.tar.xz') as archive:
        archive.extractall(folder)
    return folder / kind


def packets(dataset: Dataset, episode: int, camera: str) -> list[bytes]:
    """Return the packets of an episode, in the order in which its frames are shown."""
    place = dataset.episodes[episode].videos[camera]
    path = dataset.root / place.number.path(str(dataset.info.video_path), camera)
    fps, first = dataset.info.fps, round(place.begin_s * dataset.info.fps)
    with av.open(str(path)) as container:
        found = {round(packet.pts * packet.time_base * fps): bytes(packet)
                 for packet in container.demux(video=0) if packet.pts is not None}
    return [found[first + frame] for frame in range(dataset.episodes[episode].length)]


def is_sound(root: Path) -> Dataset:
    """Read every row and frame, hold the numbers to their places, and return the dataset."""
    assert [str(problem) for problem in validate(root, deep=True)] == []
    dataset = Dataset.open(root)
    tables = [dataset.rows(episode.index) for episode in dataset.episodes]
    for name in NUMBERS:
        values = np.concatenate([table[name].to_numpy() for table in tables])
        _is_of(dataset.metadata.stats[name], values)
        for episode, table in enumerate(tables):
            _is_of(dataset.metadata.episode_stats(episode)[name], table[name].to_numpy())
    return dataset


def _is_of(stats: Mapping[str, Any], values: np.ndarray) -> None:
    right = numeric_statistics(values)
    for name in ('min', 'max', 'mean', 'std', 'count'):
        np.testing.assert_allclose(stats[name], right[name], rtol=1e-9, atol=1e-9)


def is_made_of(
    result: Dataset, pieces: Sequence[tuple[Dataset, int]], names: Mapping[str, str] = {},
    without: Sequence[str] = (), tasks: bool = True,
) -> None:
    """
    Hold every value, packet and statistic of whole episodes to those of their sources.

    :param names: the old name of what was renamed.
    :param without: features of the result that are new.
    """
    assert len(result.episodes) == len(pieces)
    for number, (source, episode) in enumerate(pieces):
        new, old = result.rows(number), source.rows(episode)
        for name in new.column_names:
            if name not in (*NUMBERS, *without):
                assert new[name].to_pylist() == old[names.get(name, name)].to_pylist(), name
        assert not tasks or _tasks(result, new) == _tasks(source, old)
        for camera in result.info.cameras:
            was = names.get(camera, camera)
            assert packets(result, number, camera) == packets(source, episode, was)
            assert (result.frames(number, camera) == source.frames(episode, was)).all()
        stats, were = (dataset.metadata.episode_stats(place) for dataset, place in (
            (result, number), (source, episode)))
        for name in stats.keys() - {*NUMBERS, *without}:
            for key, value in stats[name].items():
                np.testing.assert_array_equal(value, were[names.get(name, name)][key])


def _tasks(dataset: Dataset, table: Any) -> list[str]:
    return [dataset.tasks[task] for task in table['task_index'].to_pylist()]


def videos(dataset: Dataset) -> dict[str, int]:
    """Return the inode of every mp4."""
    return {path.relative_to(dataset.root).as_posix(): path.stat().st_ino
            for path in sorted(dataset.root.rglob('*.mp4'))}


def times(dataset: Dataset, camera: str) -> list[tuple[int, int]]:
    """Return begin and end of each episode in its mp4, in frames."""
    places = [episode.videos[camera] for episode in dataset.episodes]
    rate = FPS if dataset.info.fps == FPS else dataset.info.fps
    return [(round(place.begin_s * rate), round(place.end_s * rate)) for place in places]
