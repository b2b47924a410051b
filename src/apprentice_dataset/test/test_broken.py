# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Break datasets in every way and see that each is told, by the library and by the command."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import re
import shutil
from typing import Any

from apprentice_dataset.command_line import main
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from recording import FRONT
from recording import make
from recording import record
from recording import spec

DATA = 'data/chunk-000/file-001.parquet'
EPISODES = 'meta/episodes/chunk-000/file-001.parquet'
VIDEO = f'videos/{FRONT}/chunk-000/file-001.mp4'


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a dataset of two episodes."""
    root = tmp_path_factory.mktemp('whole') / 'dataset'
    make(root, 16, 20)
    return root


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    """Copy it, to be broken."""
    return Path(shutil.copytree(whole, tmp_path / 'dataset'))


def _info(key: str, value: Any) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / 'meta/info.json'
        info = json.loads(path.read_text())
        info[key] = value
        path.write_text(json.dumps(info))
    return change


def _cut(name: str, part: float = 0.5) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        data = (root / name).read_bytes()
        (root / name).write_bytes(data[:int(len(data) * part)])
    return change


def _text(name: str, text: str) -> Callable[[Path], None]:
    return lambda root: (root / name).write_text(text) and None


def _remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def _column(name: str, column: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        table = pq.read_table(root / name)
        place = table.column_names.index(column)
        changed = pa.array(change(table[column].to_pylist()), table[column].type)
        pq.write_table(table.set_column(place, table.field(place), changed), root / name)
    return apply


def _no_moov(root: Path) -> None:
    data = (root / VIDEO).read_bytes()
    (root / VIDEO).write_bytes(data.replace(b'moov', b'free', 1))


def _drop_rows(root: Path) -> None:
    table = pq.read_table(root / DATA)
    pq.write_table(table.filter(pc.less(table['frame_index'], 19)), root / DATA)


def _undeclared(root: Path) -> None:
    table = pq.read_table(root / DATA)
    pq.write_table(table.append_column('stray', pa.array([0] * 20)), root / DATA)


FAST = [
    (_text('meta/info.json', '{"codebase'), 'info.json'),
    (_text('meta/info.json', '[]'), 'info.json: found list'),
    (_remove('meta/info.json'), 'is this the folder of a dataset'),
    (_info('codebase_version', 'v4.0'), "codebase_version: found 'v4.0'"),
    (_info('fps', 0), 'fps: found 0'),
    (_info('features', {}), 'features'),
    (_info('total_frames', 35), 'total_frames: found 35, expected 36'),
    (_info('total_tasks', 9), 'total_tasks: found 9, expected 1'),
    (_info('total_episodes', 3), 'found 2 episodes, expected 3'),
    (_info('chunks_size', 0), 'chunks_size: found 0'),
    (_info('data_path', '../../{chunk_index}'), 'data_path'),
    (_info('video_path', '{video_key.__class__}'), 'video_path'),
    (_cut(DATA), 'whole parquet file'),
    (_remove(DATA), 'no such file'),
    (_cut(EPISODES), 'whole parquet file'),
    (_remove(EPISODES), 'found 1 episodes, expected 2'),
    (_cut('meta/tasks.parquet'), 'tasks.parquet'),
    (_cut(VIDEO), 'frames, expected at least 20'),
    (_remove(VIDEO), 'no such file'),
    (_no_moov, 'no moov box'),
    (_text(VIDEO, 'no video'), 'no moov box'),
    (_text('meta/stats.json', '{"action": 3}'), 'stats.json: action'),
    (_remove('meta/stats.json'), 'no statistics'),
    (_drop_rows, 'found 19 rows, expected 20'),
    (_undeclared, r"columns \['stray'\]"),
    (_column(EPISODES, 'episode_index', lambda _: [5]), 'episode_index: found 5, expected 1'),
    (_column(EPISODES, 'dataset_from_index', lambda _: [17]), 'found 17 to 36'),
    (_column(EPISODES, 'tasks', lambda _: [['other']]), 'tasks of tasks.parquet'),
    (_column(EPISODES, f'videos/{FRONT}/to_timestamp', lambda _: [0.1]), 'to_timestamp'),
    (_column('meta/tasks.parquet', 'task_index', lambda _: [1]), 'by position')]


@pytest.mark.parametrize(('change', 'message'), FAST)
def test_what_metadata_and_footers_tell(
    root: Path, change: Callable[[Path], None], message: str,
) -> None:
    """Each defect is one problem that names place, finding and expectation."""
    change(root)
    problems = validate(root)
    assert problems
    assert any(re.search(message, str(problem)) for problem in problems), problems
    assert all(problem.where and problem.found and problem.expected for problem in problems)


def _nan(rows: list[list[float]]) -> list[list[float]]:
    rows[7][1] = float('nan')
    return rows


ROWS = [
    (_column(DATA, 'action', _nan), 'action, row 7 of episode 1: found nan, not finite'),
    (_column(DATA, 'index', lambda rows: rows[::-1]), 'index, row 0 .*found 35, expected 16'),
    (_column(DATA, 'frame_index', lambda rows: [0, *rows[:-1]]), 'frame_index, row 1 '),
    (_column(DATA, 'episode_index', lambda rows: [0] * len(rows)), 'episode_index, row 0 '),
    (_column(DATA, 'timestamp', lambda rows: [0.5, *rows[1:]]), 'timestamp, row 0 '),
    (_column(DATA, 'task_index', lambda rows: [0, 4, *rows[2:]]), 'task_index, row 1 .*found 4')]


@pytest.mark.parametrize(('change', 'message'), ROWS)
def test_what_rows_tell(
    root: Path, change: Callable[[Path], None], message: str,
) -> None:
    """Values and counters are wrong where footers are not; nothing else is said."""
    change(root)
    problem, = validate(root)
    assert re.search(message, str(problem)), problem


def test_damaged_frames_are_told(root: Path) -> None:
    """An mp4 whose boxes are right and whose contents are not fails the deep reading."""
    data = bytearray((root / VIDEO).read_bytes())
    place = data.index(b'mdat', data.index(b'mdat') + 4) + 300
    data[place:place + 400] = bytes(400)
    (root / VIDEO).write_bytes(data)
    assert validate(root) == []
    assert any(VIDEO in str(problem) for problem in validate(root, deep=True))


def test_reading_what_is_not_there(root: Path) -> None:
    """Wrong numbers and names, and files cut after opening, are told."""
    dataset = Dataset.open(root)
    for call, message in ((lambda: dataset.rows(2), 'found episode 2, expected 0 to 1'),
                          (lambda: dataset.frames(0, 'front'), 'no such camera'),
                          (lambda: dataset.frame(0, FRONT, 16), 'frame 16, expected 0 to 15')):
        with pytest.raises(DatasetError, match=message):
            call()
    _cut(VIDEO)(root)
    with pytest.raises(DatasetBroken, match='file-001.mp4'):
        dataset.frames(1, FRONT)
    _cut(DATA)(root)
    with pytest.raises(DatasetBroken, match='whole parquet file'):
        dataset.rows(1)


def test_the_command_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 for well, 1 for problems, 2 for wrong usage; each says what it found."""
    assert main(['info', str(root)]) == 0
    out = capsys.readouterr().out
    assert '2 episode(s), 36 row(s) at 30/s, robot test_arm' in out and 'pick the cube' in out
    assert main(['validate', '--deep', str(root)]) == 0
    assert '0 problem(s)' in capsys.readouterr().out
    with DatasetWriter.resume(root, spec()) as writer:
        record(writer.begin_episode(), 5)
    assert main(['validate', str(root)]) == 1
    assert 'unfinished episode' in capsys.readouterr().out
    assert main(['repair', str(root)]) == 0
    assert 'episode 2 was open' in capsys.readouterr().out
    assert main(['repair', str(root)]) == 0
    assert 'nothing to repair' in capsys.readouterr().out
    _info('fps', -1)(root)
    assert main(['info', str(root)]) == 1
    assert 'fps: found -1' in capsys.readouterr().err
    for wrong in ([], ['mend', str(root)], ['info']):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2


def test_an_open_episode_is_no_fault_while_its_writer_lives(root: Path) -> None:
    """Only what a writer left behind is."""
    writer = DatasetWriter.resume(root, spec())
    record(writer.begin_episode(), 5)
    assert validate(root) == []
    writer.close()
    problem, = validate(root)
    assert 'unfinished episode' in str(problem)
    assert Dataset.open(root).repaired
    assert validate(root) == []
