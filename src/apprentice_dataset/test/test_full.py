# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fill the disk at every stage: accepted episodes stay, the error is clear."""

from __future__ import annotations

import errno
import os
from pathlib import Path
import subprocess
import sys

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
from killed import packets
import pytest
from recording import check_counters
from recording import make
from recording import record
from recording import spec


class Disk:
    """Let the system refuse to write once so many bytes are written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand between Python and the system, without a limit."""
        self.free: int | None = None
        self.written = 0
        self._writev = os.writev
        monkeypatch.setattr(os, 'writev', self._write)

    def _write(self, descriptor: int, buffers: list[memoryview]) -> int:
        size = sum(buffer.nbytes for buffer in buffers)
        if self.free is not None and self.written + size > self.free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.written += size
        return self._writev(descriptor, buffers)


def _record_one(writer: DatasetWriter) -> None:
    episode = writer.begin_episode()
    try:
        record(episode, 20)
        episode.save()
    except DatasetFull:
        episode.discard()
        raise


def test_full_at_any_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever space ends, the accepted episode is intact and the next one can be recorded."""
    root = tmp_path / 'dataset'
    kind = make(root, 20)
    accepted = packets(root, 0)
    disk = Disk(monkeypatch)
    with DatasetWriter.resume(root, kind) as writer:
        disk.written = 0
        probe = writer.begin_episode()
        record(probe, 20)
        probe.save()
        needed = disk.written
    for part in range(30):
        with DatasetWriter.resume(root, kind) as writer:
            before = writer.total_episodes
            disk.written, disk.free = 0, needed * part // 31
            with pytest.raises(DatasetFull, match='accepted episodes are intact'):
                _record_one(writer)
            assert writer.total_episodes == before
            disk.free = None
            assert packets(root, 0) == accepted and validate(root) == []
    with DatasetWriter.resume(root, kind) as writer:
        assert writer.repaired == []
        _record_one(writer)
        index = writer.total_episodes - 1
    check_counters(Dataset.open(root), index, 20)
    assert validate(root, deep=True) == []


def test_staging_that_fails_can_be_repeated(tmp_path: Path) -> None:
    """An error of the disk while files are staged leaves an episode that can be saved."""
    failing = ['stage episodes']

    def step(name: str) -> None:
        if name in failing:
            failing.remove(name)
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with DatasetWriter.create(tmp_path / 'dataset', spec(), step=step) as writer:
        episode = writer.begin_episode()
        record(episode, 20)
        with pytest.raises(DatasetFull, match='save this episode again'):
            episode.save()
        assert writer.total_episodes == 0 and not (writer.root / 'data').exists()
        episode.save()
    check_counters(Dataset.open(tmp_path / 'dataset'), 0, 20)


@pytest.mark.parametrize('name', ['publish video', 'publish info', 'clean staging'])
def test_a_committed_episode_is_completed(tmp_path: Path, name: str) -> None:
    """After the intent nothing is lost: discarding is refused, saving again completes it."""
    failing = [name]

    def step(step_name: str) -> None:
        if step_name in failing:
            failing.remove(step_name)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with DatasetWriter.create(tmp_path / 'dataset', spec(), step=step) as writer:
        episode = writer.begin_episode()
        record(episode, 20)
        with pytest.raises(DatasetFull):
            episode.save()
        with pytest.raises(DatasetError, match='committed'):
            episode.discard()
        assert episode.save().length == 20 and writer.total_episodes == 1
    check_counters(Dataset.open(tmp_path / 'dataset'), 0, 20)
    assert validate(tmp_path / 'dataset', deep=True) == []


LIMITED = """
import resource, sys
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.writer import DatasetWriter
from recording import record, spec
with DatasetWriter.resume(sys.argv[1], spec()) as writer:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    episode = None
    try:
        episode = writer.begin_episode()
        record(episode, 60)
        episode.save()
    except DatasetFull as error:
        print(error, file=sys.stderr)
        if episode is not None:
            episode.discard()
        sys.exit(3)
"""


@pytest.mark.parametrize('limit', [0, 700, 3_000, 9_000])
def test_file_size_limit(tmp_path: Path, limit: int) -> None:
    """A limit of the kernel on files, wherever it strikes, is told and harms nothing."""
    root = tmp_path / 'dataset'
    make(root, 20)
    accepted = packets(root, 0)
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    result = subprocess.run(
        [sys.executable, '-c', LIMITED, str(root), str(limit)], capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': paths})
    assert result.returncode == 3 and 'File too large' in result.stderr, result.stderr
    assert packets(root, 0) == accepted and validate(root, deep=True) == []
    assert len(Dataset.open(root)) == 20


def test_reading_goes_on_while_repair_has_no_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the disk full, accepted episodes are read; with space, the open one is saved."""
    root = tmp_path / 'dataset'
    kind = make(root, 20)
    with DatasetWriter.resume(root, kind) as writer:
        record(writer.begin_episode(), 25, first=50)
    disk = Disk(monkeypatch)
    for free in (0, 500, 5_000):
        disk.written, disk.free = 0, free
        dataset = Dataset.open(root)
        assert len(dataset) == 20 and dataset.repaired == []
        check_counters(dataset, 0, 20)
    disk.free = None
    dataset = Dataset.open(root)
    assert 'saved with 25 of 25' in dataset.repaired[0]
    check_counters(dataset, 1, 25, 50)
