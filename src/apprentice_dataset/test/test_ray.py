# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Whoever does the work, threads or the tasks of a Ray cluster, the result is the same."""

from __future__ import annotations

from collections.abc import Iterator
import errno
import os
from pathlib import Path
import shutil
import sys
import time
from typing import Any

from apprentice_dataset.command_line import main
from apprentice_dataset.edit.anew import recompute_stats
from apprentice_dataset.edit.merge import merge
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.errors import Problem
from apprentice_dataset.errors import SchemaMismatch
from apprentice_dataset.tasks import Each
from apprentice_dataset.tasks import in_threads
from apprentice_dataset.tasks import workers
from edits import golden
from edits import recorded
from older import build
import pytest
from recording import FRONT

VERBS = {
    'merge': ['merge', 'data', 'other', 'data'],
    'convert': ['convert', 'older'],
    'reencode': ['reencode', 'data', '--g', '4', '--crf', '30'],
    'recompute-stats': ['recompute-stats', 'data'],
    'recompute-stats of images': ['recompute-stats', 'image'],
}


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one dataset of each kind."""
    folder = tmp_path_factory.mktemp('ray')
    recorded(folder / 'data', 12, 20, 15)
    recorded(folder / 'other', 9, 7, first=500, task='another')
    build(folder / 'older', 12, 8, 10)
    golden('image', folder)
    return folder


@pytest.fixture(scope='module')
def own() -> Iterator[Each]:
    """Begin a cluster for all tests."""
    with workers('local') as each:
        assert _folders()
        yield each
    assert not _folders()


@pytest.fixture(scope='module')
def cluster(own: Each) -> Iterator[Each]:
    """Give it as a caller has it who is connected already: it stays when a verb ends early."""
    with workers('local') as each:
        yield each


def _folders() -> list[Path]:
    return list(Path('/tmp').glob(f'ray-*/session_*_{os.getpid()}'))


def _files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob('*')) if path.is_file()}


def _run(home: Path, arguments: list[str], *more: str) -> int:
    return main([str(home / word) if (home / word).is_dir() else word for word in arguments]
                + list(more))


@pytest.mark.parametrize('verb', VERBS)
def test_the_result_is_the_same(
    home: Path, cluster: Each, tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tables and videos are the same, byte for byte."""
    assert _run(home, VERBS[verb], '--output', str(tmp_path / 'threads')) == 0
    monkeypatch.setattr('apprentice_dataset.tasks.in_threads', None)
    assert _run(home, VERBS[verb], '--output', str(tmp_path / 'tasks'), '--ray', 'local') == 0
    found = _files(tmp_path / 'tasks')
    assert found == _files(tmp_path / 'threads') and len(found) >= 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ['tasks', 'threads']


def test_validate_finds_the_same(
    home: Path, cluster: Each, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    """Problems of tables and videos are told in the same order and words."""
    root = shutil.copytree(home / 'data', tmp_path / 'data')
    mp4 = root / f'videos/{FRONT}/chunk-000/file-001.mp4'
    mp4.write_bytes(mp4.read_bytes()[:-2000])
    rows = root / 'data/chunk-000/file-002.parquet'
    rows.write_bytes((root / 'data/chunk-000/file-000.parquet').read_bytes())
    told = []
    for more in ([], ['--ray', 'local']):
        assert main(['validate', str(root), '--deep', *more]) == 1
        told.append(capsys.readouterr().out)
    assert told[0] == told[1] and 'file-001.mp4' in told[0] and 'file-002.parquet' in told[0]


@pytest.mark.parametrize('name', [
    f'videos/{FRONT}/chunk-000/file-001.mp4', 'data/chunk-000/file-001.parquet'])
def test_a_broken_source_is_told_alike(
    home: Path, cluster: Each, tmp_path: Path, name: str,
) -> None:
    """The error is of the same type with the same words and problem; progress went as far."""
    root = shutil.copytree(home / 'data', tmp_path / 'data')
    (root / name).write_bytes((root / name).read_bytes()[:1000])
    found = []
    for each in (in_threads, cluster):
        steps: list[tuple[int, int]] = []
        with pytest.raises(DatasetBroken) as caught:
            recompute_stats(root, tmp_path / 'out', False, lambda *step: steps.append(step), each)
        found.append((type(caught.value), str(caught.value), caught.value.problem, steps))
    assert found[0] == found[1]
    assert Path(name).name in found[0][1] and found[0][3] == [(1, 3)]
    assert [path.name for path in tmp_path.iterdir()] == ['data']


def test_progress_is_the_same(home: Path, cluster: Each, tmp_path: Path) -> None:
    """Episodes are counted as they are written."""
    found = []
    for name, each in (('threads', in_threads), ('tasks', cluster)):
        steps: list[tuple[int, int]] = []
        merge([home / 'data', home / 'other'], tmp_path / name,
              lambda *step: steps.append(step), each)
        found.append(steps)
    assert found[0] == found[1] == [(number, 5) for number in range(1, 6)]


def test_an_interrupt_leaves_nothing(home: Path, cluster: Each, tmp_path: Path) -> None:
    """The folder that was begun is removed when nobody writes to it any more."""
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recompute_stats(home / 'data', tmp_path / 'out', False, interrupt, cluster)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('kind, words', [
    (DatasetBroken, ('here', 'this', 'that', 'mend it')), (DatasetFull, ('full',)),
    (SchemaMismatch, ('here', [Problem('one', 'this', 'that')])), (KeyError, ('key',)),
    (FileNotFoundError, (errno.ENOENT, 'no such file', 'name')),
    (UnicodeDecodeError, ('utf-8', b'x', 0, 1, 'reason'))])
def test_errors_arrive_as_they_are(
    cluster: Each, kind: type[Exception], words: tuple[Any, ...],
) -> None:
    """Type, words and what an error carries arrive; the cause shows where it was raised."""
    # Within the test, for no worker finds this module.
    def fail(number: int) -> None:
        raise kind(*words)

    right = kind(*words)
    with pytest.raises(kind) as caught:
        list(cluster(fail, [0]))
    assert type(caught.value) is kind and str(caught.value) == str(right)
    assert vars(caught.value) == vars(right) and caught.value.args == right.args
    assert 'in fail' in str(caught.value.__cause__)


@pytest.mark.parametrize('kind', ['threads', 'tasks'])
def test_jobs_are_taken_when_their_turn_comes(cluster: Each, kind: str) -> None:
    """Results come in order; a bounded number of jobs is under way."""
    taken = []

    def jobs() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    def late(number: int) -> int:
        time.sleep(0.05 if number % 2 else 0.1)
        return number

    results = (cluster if kind == 'tasks' else in_threads)(late, jobs())
    assert next(results) == 0 and len(taken) <= 2 * (os.cpu_count() or 1)
    assert next(results) == 1
    results.close()
    assert len(taken) <= 2 * (os.cpu_count() or 1) + 1


def test_without_ray_one_line_tells(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    """Only who asks for it needs the package."""
    monkeypatch.setitem(sys.modules, 'ray', None)
    assert main(['validate', str(home / 'data')]) == 0
    assert main(['validate', str(home / 'data'), '--ray', 'local']) == 1
    err = capsys.readouterr().err
    assert 'pip install ray' in err and len(err.splitlines()) == 1


@pytest.mark.parametrize('address, words', [
    ('localhost:1', '--ray localhost:1: found .*refused, expected'),
    ('auto', '--ray auto: found no token, expected')])
def test_a_wrong_address_is_told(
    monkeypatch: pytest.MonkeyPatch, address: str, words: str,
) -> None:
    """Where no cluster answers the message says what was tried and what there is."""
    class Closed:
        def is_initialized(self) -> bool:
            return False

        def init(self, **options: Any) -> None:
            assert options['address'] == 'auto' and 'num_cpus' not in options
            raise ConnectionError('failed') from RuntimeError('long story:\nno token')

        def shutdown(self) -> None:
            pass

    monkeypatch.setitem(sys.modules, 'ray', Closed())
    with pytest.raises(DatasetError, match=words):
        with workers(address):
            pass


def test_who_ends_early_takes_all_tasks_along(own: Each) -> None:
    """Tasks that run are stopped at once; the cluster's own folder goes too."""
    # The last test: the cluster ends with it, and begins again for who goes on.
    results = own(time.sleep, [0, 60, 60, 60])
    next(results)
    begin = time.monotonic()
    results.close()
    assert not _folders() and time.monotonic() - begin < 20
