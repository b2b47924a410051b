# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Break every rule of the format that a file can break, and see that it is told."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterable
import json
from pathlib import Path
import re
import shutil
from typing import Any

from apprentice_dataset.layout import to_json
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.validate import Job
from apprentice_dataset.validate import jobs
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
import av
from older import png
from older import write_mp4
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording import FRONT
from recording import make
from recording import pixels
from recording import record
from recording import spec

DATA = 'data/chunk-000/file-001.parquet'
EPISODES = 'meta/episodes/chunk-000/file-001.parquet'
VIDEO = f'videos/{FRONT}/chunk-000/file-001.mp4'
Change = Callable[[Path], None]


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record two episodes of different tasks."""
    root = tmp_path_factory.mktemp('whole') / 'dataset'
    with DatasetWriter.create(root, spec()) as writer:
        for length, task in ((16, 'pick'), (20, 'stack')):
            episode = writer.begin_episode()
            record(episode, length, task=task)
            episode.save()
    return root


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    """Copy it, to be broken."""
    return Path(shutil.copytree(whole, tmp_path / 'dataset'))


def info(change: Callable[[dict[str, Any]], object]) -> Change:
    """Return a change of info.json."""
    def apply(root: Path) -> None:
        value = json.loads((root / 'meta/info.json').read_text())
        change(value)
        (root / 'meta/info.json').write_bytes(to_json(value))
    return apply


def stats(feature: str, name: str, value: Any) -> Change:
    """Return a change of stats.json."""
    def apply(root: Path) -> None:
        found = json.loads((root / 'meta/stats.json').read_text())
        found[feature][name] = value
        (root / 'meta/stats.json').write_bytes(to_json(found))
    return apply


def table(name: str, change: Callable[[pa.Table], pa.Table]) -> Change:
    """Return a change of a parquet file."""
    def apply(root: Path) -> None:
        pq.write_table(change(pq.read_table(root / name)), root / name)
    return apply


def column(name: str, key: str, values: Any, kind: pa.DataType | None = None) -> Change:
    """Return a change of a column; a single value is taken for every row."""
    def change(found: pa.Table) -> pa.Table:
        given = values if isinstance(values, list) else [values] * found.num_rows
        return found.set_column(found.column_names.index(key), key,
                                pa.array(given, kind or found[key].type))
    return table(name, change)


def packets(change: Callable[[int, Any], bool]) -> Change:
    """Return a change of the packets of an mp4: it may move one, and says whether it stays."""
    def apply(root: Path) -> None:
        beside = root / 'changed.mp4'
        with av.open(str(root / VIDEO)) as source, av.open(str(beside), 'w') as out:
            stream = source.streams.video[0]
            copy = out.add_stream_from_template(stream, opaque=True)
            copy.time_base = stream.time_base
            for number, packet in enumerate(source.demux(stream)):
                if packet.pts is not None and change(number, packet):
                    packet.stream = copy
                    out.mux(packet)
        beside.replace(root / VIDEO)
    return apply


def _later(ticks: int, first: int) -> Callable[[int, Any], bool]:
    def change(number: int, packet: Any) -> bool:
        if number >= first:
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
        return True
    return change


def _other_size(root: Path) -> None:
    write_mp4(root / VIDEO, [pixels(number)[:32] for number in range(20)])


def _two_in_one(root: Path) -> None:
    """Name the first episode's mp4 for both."""
    for key in ('chunk_index', 'file_index'):
        column(EPISODES, f'videos/{FRONT}/{key}', 0)(root)


def _copy(source: str, target: str) -> Change:
    def apply(root: Path) -> None:
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / source, root / target)
    return apply


def _no_pandas(found: pa.Table) -> pa.Table:
    return found.replace_schema_metadata(None)


def _renumbered(name: str, key: str, value: int) -> Change:
    """Move a file to another number, and say so in meta/episodes."""
    def apply(root: Path) -> None:
        target = root / name.replace('file-001', f'file-{value:03d}')
        (root / name).rename(target)
        column(EPISODES, key, value)(root)
    return apply


RULES: list[tuple[Change, str]] = [
    # Traps 2, 3, 9: places and positions.
    (column(EPISODES, 'length', 21), 'total_frames: found 36, expected 37'),
    (_two_in_one,
     'file-000.mp4: episode 1: found frame 0 as its first, which is one of episode 0'),
    (column(EPISODES, f'videos/{FRONT}/to_timestamp', 0.2), 'to_timestamp: found 0.2'),
    (column(EPISODES, f'videos/{FRONT}/from_timestamp', 0.01),
     'from_timestamp: found 0.010000, expected a multiple of 1/30'),
    (column(EPISODES, f'videos/{FRONT}/from_timestamp', 1.0),
     'found 20 frames, expected at least 50'),
    # Trap 4: names are sorted as text.
    (_renumbered(DATA, 'data/file_index', 1000),
     'data/file_index: found 1000, expected at most'),
    (_copy(DATA, 'data/chunk-000/file-009.parquet'),
     'file-009.parquet: found a file of no episode'),
    (_copy(DATA, 'images/front/episode-000002/frame-000000.png'),
     'a picture of an unfinished'),
    # Traps 5, 16: columns and types.
    (table(DATA, lambda found: found.append_column('stray', found['index'])),
     r"found columns \['stray'\]"),
    (table(DATA, lambda found: found.drop_columns(['action'])), r"found no columns \['action'\]"),
    (column(DATA, 'action', [[1.0, 2.0]] * 20, pa.list_(pa.float32())),
     'action: found lists of 2 to 2 values'),
    (column(DATA, 'action', 'a', pa.string()), 'action: found string'),
    (column(DATA, 'action', [[0.0] * 3, None, *[[0.0] * 3] * 18]),
     'action, row 1 of episode 1: found a value that is missing'),
    (column(DATA, 'action', [[0.0, None, 0.0]] * 20), 'action, row 0 .* a value that is missing'),
    (column(DATA, 'observation.state', [[0.0] * 3] * 19 + [[0.0, 0.0, float('-inf')]]),
     'observation.state, row 19 of episode 1: found -inf, not finite'),
    # Traps 3, 6, 25: tasks.
    (table('meta/tasks.parquet', _no_pandas), 'footer: found no pandas index'),
    (column('meta/tasks.parquet', 'task', 'pick'), r"task: found \['pick'\] more than once"),
    (column('meta/tasks.parquet', 'task_index', [1, 0]), r'task_index: found \[1, 0\]'),
    (column('meta/tasks.parquet', 'task', [None, 'stack']), 'a value that is no string'),
    (column(EPISODES, 'tasks', [['lift']]), r"episode 1: tasks: found \['lift'\]"),
    (column(DATA, 'task_index', 0), r"task_index: found \['pick'\], expected \['stack'\]"),
    # Traps 7, 39: files of meta/episodes are alike, statistics have three parts.
    (column(EPISODES, 'stats/action/mean', [[0.0] * 3], pa.list_(pa.float32())),
     'stats/action/mean: found list<element: float>, expected list<element: double>'),
    (table(EPISODES, lambda found: found.drop_columns(['stats/action/q50'])),
     r"columns that differ: \['stats/action/q50'\]"),
    (lambda root: [table(EPISODES.replace('1.p', f'{number}.p'), lambda found: found.append_column(
        'stats/action', found['length']))(root) for number in (0, 1)] and None,
     'column stats/action: found this name'),
    # Trap 8.
    (column(DATA, 'timestamp', [number / 30 + 1 for number in range(20)]),
     'timestamp, row 0 of episode 1: found 1, expected 0'),
    # Traps 11, 12: an mp4's frames.
    (packets(lambda number, packet: number != 5), 'found no frame 5, but 6'),
    (packets(_later(512, 0)), 'found no frame 0, but 1'),
    (packets(_later(200, 12)), 'frame 12: found 0.413021 s, expected 0.400000 s'),
    (packets(lambda number, packet: number > 0 and _later(-512, 0)(number, packet)),
     'found no key frame at its beginning'),
    (lambda root: write_mp4(root / VIDEO, [pixels(1)] * 19),
     'found 19 frames, expected at least 20'),
    (_other_size, r'frames of \(height, width\) \(32, 64\)'),
    (info(lambda value: value['features'][FRONT]['info'].update({'video.codec': 'av1'})),
     'found codec h264, expected av1'),
    # Traps 17, 19: statistics and names.
    (stats('action', 'mean', [0.0]), r'action.mean: found shape \[1\], expected \[3\]'),
    (stats(FRONT, 'mean', [0.0] * 3), r'mean: found shape \[3\], expected \[3, 1, 1\]'),
    (stats('action', 'std', [float('nan')] * 3), 'action.std: found a value that is not finite'),
    (stats('action', 'count', [0]), 'action: found a count below 1'),
    (info(lambda value: value['features'].update(image_count={'dtype': 'int64', 'shape': [1]})),
     'features.image_count: found int64, no camera'),
    # Trap 26.
    (info(lambda value: value.update(total_frames=35)), 'total_frames: found 35')]


@pytest.mark.parametrize(('change', 'message'), RULES)
def test_each_rule(root: Path, change: Change, message: str) -> None:
    """A problem names place, finding and expectation."""
    change(root)
    problems = validate(root)
    assert any(re.search(message, str(problem)) for problem in problems), problems


def test_data_files_in_another_order(root: Path) -> None:
    """Rows come in the order of names; episodes that point backwards get those of others."""
    first, second = (root / 'data/chunk-000' / f'file-00{number}.parquet' for number in (0, 1))
    (root / 'spare').write_bytes(first.read_bytes())
    second.rename(first)
    (root / 'spare').rename(second)
    column(EPISODES, 'data/file_index', 0)(root)
    column(EPISODES.replace('1.p', '0.p'), 'data/file_index', 1)(root)
    problem, = validate(root)
    assert 'episode 1: data/file_index: found 0/0 after 0/1' in str(problem)


def _with_pictures(root: Path, values: list[dict[str, Any]]) -> None:
    """Declare one more camera and put its pictures into the first data file, in place."""
    make(root, 3)
    path = root / 'data/chunk-000/file-000.parquet'
    kind = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
    pq.write_table(pq.read_table(path).append_column(
        'observation.images.top', pa.array(values, kind)), path)
    feature = {'dtype': 'image', 'shape': [48, 64, 3], 'names': ['height', 'width', 'channels']}
    info(lambda value: value['features'].update({'observation.images.top': feature}))(root)


WHOLE = png(pixels(5))


@pytest.mark.parametrize(('picture', 'deep', 'message'), [
    (WHOLE, True, ''), (None, False, 'row 1 of episode 0: found a path without bytes'),
    (b'no picture', False, r"bytes that begin with b'no p'"), (WHOLE[:-60], False, ''),
    (WHOLE[:-60], True, 'row 1 of episode 0: found'),
    (png(pixels(5)[:24]), True, 'a picture of 64x24')])
def test_pictures_inside_tables(
    tmp_path: Path, picture: bytes | None, deep: bool, message: str,
) -> None:
    """Trap 30: cells embed their bytes; whether they can be decoded only decoding tells."""
    _with_pictures(tmp_path / 'dataset', [
        {'bytes': one, 'path': f'frame-{number:06d}.png'}
        for number, one in enumerate((WHOLE, picture, WHOLE))])
    problems = validate(tmp_path / 'dataset', deep)
    assert len(problems) == bool(message)
    assert all(re.search(message, str(problem)) for problem in problems), problems


def test_several_faults_are_all_told(root: Path) -> None:
    """One fault does not hide another; each file tells its own."""
    for change in (info(lambda value: value.update(total_tasks=9)), column(DATA, 'task_index', 7),
                   column(DATA, 'action', [[float('nan')] * 3] * 20),
                   packets(lambda number, packet: number != 5),
                   column(EPISODES, 'dataset_from_index', 15)):
        change(root)
    text = '\n'.join(str(problem) for problem in validate(root))
    for expected in ('total_tasks', 'task_index', 'action', 'no frame 5', 'dataset_from_index'):
        assert expected in text, text


def test_jobs_can_be_done_elsewhere(root: Path) -> None:
    """Whoever does the jobs, the result is the same; progress counts files."""
    column(DATA, 'action', [[float('nan')] * 3] * 20)(root)
    steps: list[tuple[int, int]] = []

    def one_by_one(function: Any, work: Iterable[Job]) -> Generator[Any, None, None]:
        yield from map(function, work)

    assert validate(root, each=one_by_one, progress=lambda *step: steps.append(step)) \
        == validate(root)
    assert steps == [(number, 6) for number in range(1, 7)]
    assert len(jobs(read_metadata(root))) == 6


def test_files_of_a_living_writer_are_no_fault(root: Path) -> None:
    """What a writer has put in place and not counted yet is told only when nobody writes."""
    stray = root / 'data/chunk-000/file-002.parquet'
    with DatasetWriter.resume(root, spec()):
        shutil.copy(root / DATA, stray)
        assert validate(root) == []
    assert 'a file of no episode' in str(validate(root)[0])
