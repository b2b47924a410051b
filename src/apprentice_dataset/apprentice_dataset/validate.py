# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Find what is wrong with a dataset."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
import os
from pathlib import Path

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import Problem
from apprentice_dataset.lock import is_held
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.origin import read_origin
from apprentice_dataset.staging import Staging
from apprentice_dataset.tasks import Each
from apprentice_dataset.tasks import in_threads
from apprentice_dataset.validate_meta import meta_problems
from apprentice_dataset.validate_tables import TableJob
from apprentice_dataset.validate_videos import VideoJob
import numpy as np

__all__ = ['Job', 'Problem', 'jobs', 'validate']

Job = TableJob | VideoJob


def validate(
    root: Path | str, deep: bool = False, *, each: Each = in_threads,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Problem]:
    """
    Return what is wrong with a dataset; [] when nothing is.

    All of meta/, every row and the time of every frame are read, with `deep` every frame and
    picture is decoded too. Memory stays bounded. Where metadata cannot be read at all, that is
    the only problem returned.

    Of a copy that `dataset pull` made in part, the episodes that are there are checked.

    :param each: reads the files.
    :param progress: called with the number of files done and their total.
    """
    root = Path(root)
    live = is_held(Staging(root).folder)
    problems = list(_leftovers(root, live))
    try:
        metadata = read_metadata(root, strict=False)
    except DatasetBroken as error:
        return [*problems, error.problem]
    except DatasetError as error:
        return [*problems, Problem(str(root), str(error), 'a dataset')]
    found = list(meta_problems(metadata, live))
    problems += found
    origin = read_origin(root)
    # Of a copy that was pulled in part, what was left out is no fault.
    work = [job for job in jobs(metadata, deep) if origin is None or origin.holds(
        (episode.index for episode in job.episodes) if isinstance(job, TableJob)
        else job.episodes, isinstance(job, VideoJob))]
    with closing(each(_problems, work)) as results:
        for done, one in enumerate(results, 1):
            problems += one
            progress(done, len(work))
    return problems


def _problems(job: Job) -> list[Problem]:
    return job.problems()


def _leftovers(root: Path, live: bool) -> Iterator[Problem]:
    # What a living writer has open is no fault.
    if Staging(root).episode.exists() and not live:
        yield Problem(str(Staging(root).folder), 'an unfinished episode', 'none',
                      'repair the dataset')


def jobs(metadata: Metadata, deep: bool = False) -> list[Job]:
    """Return what is to be read, a file each; each job can be done anywhere the files are."""
    info, episodes = metadata.info, metadata.episodes
    work: list[Job] = [
        TableJob(metadata.root / run.number.path(info.data_path), info, tuple(metadata.tasks),
                 episodes[run.episodes.start:run.episodes.stop], deep)
        for run in episodes.file_runs()]
    lengths = episodes.column('length')
    for camera, feature in info.cameras.items():
        first = np.rint(episodes.column(f'videos/{camera}/from_timestamp') * info.fps)
        files: dict[Path, list[range]] = {}
        for run in episodes.file_runs(camera):
            path = metadata.root / run.number.path(str(info.video_path), camera)
            files.setdefault(path, []).append(run.episodes)
        # Files keep all cores busy; with fewer files than cores, each takes several.
        threads = 1 if len(files) >= (os.cpu_count() or 1) else os.cpu_count() or 1
        for path, runs in files.items():
            numbers = np.concatenate([np.arange(run.start, run.stop) for run in runs])
            work.append(VideoJob(path, feature, info.fps, numbers,
                                 first[numbers].astype(np.int64), lengths[numbers], deep, threads))
    return work
