# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Kill a recording of images and depth anywhere: nothing accepted is lost, nothing mixed up."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import random
import shutil
import signal
import subprocess
import sys

from apprentice_dataset.codecs import longest_group
from apprentice_dataset.picture_files import size_of
from apprentice_dataset.reader import Dataset
from apprentice_dataset.repair import repair
from apprentice_dataset.staging import Staging
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
from kinds import check_kinds
from kinds import IMAGE_DEPTH
from kinds import kinds_spec
from kinds import pictures
from kinds import STILL
from kinds import VIDEO_DEPTH
import numpy as np
import pytest
from recording import FPS
from recording import FRONT
from recording import TASK

GROUP = longest_group(FPS)
LENGTH, SPACING = 18, 100
RECORD = """
import os, signal, sys
from apprentice_dataset.writer import DatasetWriter
from kinds import kinds_spec, pictures
root, step, length, spacing = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
def at(name):
    if writer.total_episodes and name == step:
        os.kill(os.getpid(), signal.SIGKILL)
writer = DatasetWriter.create(root, kinds_spec(), step=at)
while True:
    index = writer.total_episodes
    episode = writer.begin_episode()
    for number in range(index * spacing, index * spacing + length):
        episode.add({'action': number}, pictures(number), 'task')
        os.write(1, b'row %d %d\\n' % (index, episode.length))
    episode.save()
    os.write(1, b'saved %d 0\\n' % index)
"""


def _killed(root: Path, step: str = '', after_s: float = 20.0) -> tuple[int, int]:
    """Record until the process is killed; return episodes accepted and rows of the open one."""
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    process = subprocess.Popen(
        [sys.executable, '-c', RECORD, str(root), step, str(LENGTH), str(SPACING)],
        env={**os.environ, 'PYTHONPATH': paths}, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdout is not None
    first = process.stdout.readline()
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.kill()
    rest, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    lines = [line.split() for line in (first + rest).decode().splitlines()]
    saved = sum(line[0] == 'saved' for line in lines)
    return saved, max((int(line[2]) for line in lines
                       if line[0] == 'row' and int(line[1]) == saved), default=0)


def _examine(root: Path, saved: int, taken: int) -> list[int]:
    dataset = Dataset.open(root)
    lengths = [episode.length for episode in dataset.episodes]
    assert lengths[:saved] == [LENGTH] * saved
    # The row that was being taken may be there although it was not told yet.
    assert taken - GROUP <= sum(lengths[saved:]) <= taken + 1 and len(lengths) <= saved + 1
    for number, length in enumerate(lengths):
        check_kinds(dataset, number, length, number * SPACING)
        stats = dataset.metadata.episode_stats(number)
        assert {stats[name]['mean'].shape for name in (IMAGE_DEPTH, VIDEO_DEPTH)} == {(1, 1, 1)}
        # Of images in full, of depth as video from the key frames, 1 mm and a frame apart.
        assert abs(stats[IMAGE_DEPTH]['mean'] - stats[VIDEO_DEPTH]['mean']).max() < 5
    assert [str(problem) for problem in validate(root, deep=True)] == []
    return lengths


@pytest.mark.timeout(60)
@pytest.mark.parametrize('step', ['encode', 'stage data', 'write intent', 'publish video',
                                  'publish data', 'clean staging'])
def test_killed_at_a_step(tmp_path: Path, step: str) -> None:
    """A kill while the second episode is saved leaves both whole."""
    root = tmp_path / 'dataset'
    saved, taken = _killed(root, step)
    assert (saved, taken) == (1, LENGTH)
    assert _examine(root, saved, taken) == [LENGTH, LENGTH]
    assert not (root / '.apprentice').exists()


@pytest.mark.timeout(60)
def test_killed_anywhere(tmp_path: Path) -> None:
    """Kills at seeded moments lose no accepted row and at most a group of the open episode."""
    moments = random.Random(5)
    for number in range(3):
        root = tmp_path / str(number)
        _examine(root, *_killed(root, after_s=moments.uniform(0.0, 0.6)))
        shutil.rmtree(root)


def _left(root: Path, count: int) -> Staging:
    """Leave an open episode as a kill would."""
    with DatasetWriter.create(root, kinds_spec()) as writer:
        episode = writer.begin_episode()
        for number in range(count):
            episode.add({'action': number}, pictures(number), TASK)
        while any(one.frames for one in episode.backlog.values()):
            pass
    return Staging(root)


def _tear_index(staging: Staging) -> None:
    path = staging.video(STILL).with_suffix('.index')
    path.write_bytes(path.read_bytes()[:-5])


def _tear_data(staging: Staging) -> None:
    path = staging.video(IMAGE_DEPTH).with_suffix('.pictures')
    path.write_bytes(path.read_bytes()[:-5] + bytes(5))


@pytest.mark.parametrize('tear', [_tear_index, _tear_data])
def test_a_torn_picture_comes_from_the_spool(
    tmp_path: Path, tear: Callable[[Staging], None],
) -> None:
    """What is not whole in a file of pictures is encoded again, from the group's beginning."""
    root = tmp_path / 'dataset'
    staging = _left(root, GROUP + 5)
    tear(staging)
    assert f'with {GROUP + 5} of {GROUP + 5}' in repair(root)[0]
    check_kinds(Dataset.open(root), 0, GROUP + 5)
    assert validate(root, deep=True) == []


def test_without_any_file_of_pictures(tmp_path: Path) -> None:
    """They are made of the spool, which keeps a group until the next one is whole."""
    root = tmp_path / 'dataset'
    staging = _left(root, 7)
    for name in (STILL, IMAGE_DEPTH):
        for suffix in ('.pictures', '.index'):
            staging.video(name).with_suffix(suffix).unlink()
    assert 'with 7 of 7' in repair(root)[0]
    check_kinds(Dataset.open(root), 0, 7)


def test_rows_lost_cut_the_pictures(tmp_path: Path) -> None:
    """Where one camera's pictures end early, rows and all other cameras end there too."""
    root = tmp_path / 'dataset'
    staging = _left(root, GROUP + 5)
    assert size_of(staging.video(STILL))[0] == GROUP + 5
    last = max(staging.spool(FRONT).iterdir())
    last.write_bytes(last.read_bytes()[:-1])
    assert f'with {GROUP + 4} of {GROUP + 5}' in repair(root)[0]
    dataset = Dataset.open(root)
    check_kinds(dataset, 0, GROUP + 4)
    assert np.array_equal(dataset.metadata.stats[STILL]['count'], [GROUP + 4])
