# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Save the episode that was open when the writer ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import json
from pathlib import Path
import shutil

from apprentice_dataset.episode import plans
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.files import storage_errors
from apprentice_dataset.journal import read_journal
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.publication import FinishedEpisode
from apprentice_dataset.publication import next_numbers
from apprentice_dataset.publication import stage
from apprentice_dataset.recovery_cameras import left_camera
from apprentice_dataset.recovery_cameras import LeftCamera
from apprentice_dataset.staging import Staging
from apprentice_dataset.transaction import commit
from apprentice_dataset.transaction import roll_forward
from apprentice_dataset.transaction import Step
import av
import pyarrow as pa


def rebuild_episode(root: Path, step: Step) -> str:
    """
    Save the rows of the open episode for which every camera has its picture.

    :returns: what was done, as a sentence. An episode without rows is removed.
    :raises DatasetBroken: what was taken down cannot be encoded, or does not fit the dataset.
    :raises DatasetFull: the disk is full; it can be repeated.
    """
    staging = Staging(root)
    with storage_errors(root):
        try:
            return _rebuild(root, staging, step)
        except (av.error.FFmpegError, pa.ArrowException, KeyError) as error:
            if isinstance(error, OSError):
                raise
            raise DatasetBroken(str(staging.episode), str(error).splitlines()[0],
                                'an episode that fits the dataset',
                                f'remove {staging.episode} to give this episode up') from None


def _rebuild(root: Path, staging: Staging, step: Step) -> str:
    found = read_journal(staging.journal)
    taken = len(found[1]) if found else 0
    if found is None or not taken:
        staging.sweep()
        return 'an open episode without rows is removed'
    header, rows = found
    cameras = {plan.name: left_camera(plan, staging) for plan in plans(header)}
    length = _encode(list(cameras.values()), taken, staging)
    if not length:
        staging.sweep()
        return f'an open episode of {taken} row(s) without pictures is removed'
    rows.cut(length)
    for camera in cameras.values():
        camera.join(length)
    finished = {name: (camera.path, camera.statistics()) for name, camera in cameras.items()}
    metadata = read_metadata(root)
    index = metadata.info.total_episodes
    mark = {'episode_index': index, 'recovered': True, 'length': length, 'rows_taken': taken}
    files = {f'episodes/episode-{index:06d}.json': json.dumps(mark, indent=4).encode()}
    moves, _ = stage(metadata, next_numbers(root, metadata.info),
                     FinishedEpisode(rows, finished, files), step)
    commit(staging, moves, step)
    roll_forward(staging, step)
    staging.sweep()
    return (f'episode {index} was open when the writer ended; it is saved with {length} of '
            f'{taken} row(s) and marked as recovered')


def _encode(cameras: list[LeftCamera], rows: int, staging: Staging) -> int:
    """Encode what every camera has and return how many rows that is."""
    rest = staging.rest('').parent
    while True:
        while (reachable := min([rows, *(one.reachable(rows) for one in cameras)])) < rows:
            rows = reachable
        shutil.rmtree(rest, ignore_errors=True)
        rest.mkdir()
        with ThreadPoolExecutor(max(1, len(cameras))) as pool:
            wanted = rows
            lengths = pool.map(lambda camera: camera.encode_rest(wanted), cameras)
            rows = min([rows, *lengths])
        if rows == wanted:
            return rows
