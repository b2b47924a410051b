# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""An edit that is killed, or finds the disk full or closed, leaves the old or the new, whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path
import subprocess
import sys

from apprentice_dataset.edit import videos as edit_videos
from apprentice_dataset.edit.episodes import compact
from apprentice_dataset.edit.episodes import delete_episodes
from apprentice_dataset.edit.features import modify_tasks
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetReadOnly
from apprentice_dataset.reader import Dataset
from edits import is_made_of
from edits import is_sound
from edits import recorded
from edits import videos
import pytest
from recording import FRONT

KILLS = 20
PATHS = os.pathsep.join([str(Path(__file__).parent), *sys.path])


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': PATHS})


@pytest.mark.timeout(120)
def test_killed_anywhere(tmp_path: Path) -> None:
    """Kills at seeded moments leave all of the old or all of the new."""
    source = recorded(tmp_path / 'source', 12, 8)
    (tmp_path / 'kills').mkdir()
    script = Path(__file__).with_name('killed_edit.py')
    result = _run(script, source, tmp_path / 'kills', KILLS)
    assert not result.returncode, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert len(lines) == KILLS
    assert {line[1] for line in lines} >= {'-9'}
    original = Dataset.open(source)
    for number, _, *names in lines:
        home = tmp_path / 'kills' / number
        for name in {'data', 'out'} & set(names):
            dataset = is_sound(home / name)
            is_made_of(dataset, [(original, 0), (original, 1)], tasks=False)
            assert list(dataset.tasks) in (['task 0', 'task 1'], ['another'])
        if int(number) % 2:
            assert list(Dataset.open(home / 'data').tasks) == ['task 0', 'task 1']
    for number in range(0, KILLS, 10):
        home = tmp_path / 'kills' / str(number)
        assert [path.name for path in home.iterdir()] == ['data']
        assert list(Dataset.open(home / 'data').tasks) == ['another']


def test_the_next_run_clears_away(tmp_path: Path) -> None:
    """What a dead process left beside the dataset is removed; what is not its own stays."""
    root = recorded(tmp_path / 'data', 6)
    dead = subprocess.Popen([sys.executable, '-c', ''])
    dead.wait()
    for name in ('.data.apprentice-edit', f'.data.apprentice-edit.partial-{dead.pid}',
                 'data.new', 'data.partial-mine'):
        (tmp_path / name / 'meta').mkdir(parents=True)
    modify_tasks(root, None, new_task='another')
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'data', 'data.new', 'data.partial-mine']
    assert list(is_sound(root).tasks) == ['another']


LIMITED = """
import resource, sys
from apprentice_dataset.command_line import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize('limit', [100, 700, 3_000, 6_000])
@pytest.mark.parametrize('where', [['--in-place'], ['--output', 'out']])
def test_a_full_disk_is_told(tmp_path: Path, limit: int, where: list[str]) -> None:
    """Wherever space ends there is one line, the source as it was, and nothing else."""
    root = recorded(tmp_path / 'data', 20, 20, 20)
    before = {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}
    out = [str(tmp_path / part) if part == 'out' else part for part in where]
    result = _run('-c', LIMITED, limit, 'compact', root, *out)
    assert result.returncode == 1 and 'the disk is full' in result.stderr, result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in root.rglob('*') if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ['data']


def test_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is read-only, in use or the source itself is refused."""
    root = recorded(tmp_path / 'data', 6)
    (tmp_path / 'used').mkdir()
    (tmp_path / 'used/file').touch()
    for output, words in ((root, 'say --in-place'), (tmp_path / 'used', 'found something')):
        with pytest.raises(DatasetError, match=words):
            compact(root, output)

    def closed(path: Path, mode: int = 0o777, **_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, 'mkdir', closed)
    for output in (None, tmp_path / 'out'):
        with pytest.raises(DatasetReadOnly, match='Read-only file system'):
            compact(root, output)
    monkeypatch.undo()
    is_sound(root)


def test_across_file_systems_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where no link can be made, the result has a copy."""
    root = Dataset.open(recorded(tmp_path / 'data', 6, 7))

    def refused(source: object, target: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(edit_videos.os, 'link', refused)
    delete_episodes(root.root, [0], tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    is_made_of(result, [(root, 1)])
    assert not set(videos(result).values()) & set(videos(root).values())


def test_a_broken_source_is_told_and_nothing_made(tmp_path: Path) -> None:
    """A missing or cut file is named; no half of a dataset is left."""
    root = recorded(tmp_path / 'data', 6, 7)
    delete_episodes(root, [0], tmp_path / 'link')
    mp4 = root / f'videos/{FRONT}/chunk-000/file-001.mp4'
    data = mp4.read_bytes()
    mp4.unlink()
    with pytest.raises(DatasetBroken, match=r'file-001\.mp4: found no such file'):
        delete_episodes(root, [0], tmp_path / 'out')
    mp4.write_bytes(data[:len(data) // 2])
    with pytest.raises(DatasetBroken, match=r'file-001\.mp4'):
        compact(root, tmp_path / 'out')
    mp4.write_bytes(data)
    rows = root / 'data/chunk-000/file-001.parquet'
    rows.write_bytes((root / 'data/chunk-000/file-000.parquet').read_bytes())
    with pytest.raises(DatasetBroken, match='rows of episode 1'):
        compact(root, tmp_path / 'out')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['data', 'link']
    is_sound(tmp_path / 'link')
