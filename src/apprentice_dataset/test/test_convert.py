# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Datasets of v2.0 and v2.1 are read as they are, and converted whole or not at all."""
from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import resource
import subprocess
import sys

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import SchemaMismatch
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.reader import Dataset
from apprentice_dataset.row_store import RowStore
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.v2.convert import convert
from apprentice_dataset.v2.convert import ConvertSettings
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
import av
import numpy as np
from older import build
from older import write_mp4
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording import FRONT
from recording import number_in
from recording import pixels
from recording import plain_spec
from recording import WRIST

LENGTHS = (8, 5, 12, 7)
MP4 = 'videos/chunk-000/{}/episode_000001.mp4'
ROWS = 'data/chunk-000/episode_000001.parquet'


def problems(root: Path) -> list[str]:
    """Return what the deep check finds."""
    return [str(problem) for problem in validate(root, deep=True)]


def numbers(dataset: Dataset, episode: int, camera: str) -> list[int]:
    """Return the numbers drawn into an episode's pictures."""
    return [number_in(picture) for picture in dataset.frames(episode, camera)]


@pytest.mark.parametrize(('version', 'codec'), [('v2.0', 'h264'), ('v2.1', 'h264'),
                                                ('v2.1', 'av1')])
def test_older_datasets_are_read_as_they_are(version: str, codec: str, tmp_path: Path) -> None:
    """Rows, pictures, tasks and statistics come out of files where the chunk precedes the key."""
    root = build(tmp_path / 'old', *LENGTHS, version=version, codec=codec, chunks_size=2)
    assert (root / f'videos/chunk-001/{FRONT}/episode_000003.mp4').exists()
    dataset = Dataset.open(root)
    assert problems(root) == [] and dataset.info.codebase_version == version
    for number, length in enumerate(LENGTHS):
        counted = [100 * number + row for row in range(length)]
        assert numbers(dataset, number, FRONT) == counted
        assert numbers(dataset, number, WRIST) == [1000 + one for one in counted]
        states = dataset.rows(number)['observation.state'].to_pylist()
        assert [state[0] for state in states] == counted
    rows = RowStore(dataset.metadata).take([31, 0, 12], ['index', 'observation.state'])
    assert rows['index'].to_pylist() == [31, 0, 12]
    assert [state[0] for state in rows['observation.state'].to_pylist()] == [306, 0, 104]
    assert dataset.episodes[2].tasks == ('pick the cube', 'stack the cube')
    assert dataset.metadata.stats['action']['count'].tolist() == [sum(LENGTHS)]


@pytest.mark.parametrize(('version', 'codec'), [('v2.0', 'av1'), ('v2.1', 'h264')])
def test_conversion_keeps_every_row_and_frame(version: str, codec: str, tmp_path: Path) -> None:
    """Tables are equal, frames are equal bit for bit, and the deep check finds nothing."""
    root = build(tmp_path / 'old', *LENGTHS, version=version, codec=codec, chunks_size=2)
    convert(root, tmp_path / 'new')
    assert problems(tmp_path / 'new') == []
    old, new = Dataset.open(root), Dataset.open(tmp_path / 'new')
    assert list(new.tasks) == list(old.tasks) and len(new) == len(old) == sum(LENGTHS)
    for before, after in zip(old.episodes, new.episodes):
        assert after.tasks == before.tasks and after.rows == before.rows
        assert new.rows(after.index).to_pylist() == old.rows(after.index).to_pylist()
        for camera in (FRONT, WRIST):
            assert np.array_equal(new.frames(after.index, camera),
                                  old.frames(after.index, camera))


def test_the_result_is_laid_out_as_the_recorder_does(tmp_path: Path) -> None:
    """One file a kind, a row group an episode, the footer for `datasets`, nothing of v2 left."""
    root = build(tmp_path / 'old', *LENGTHS)
    convert(root, tmp_path / 'new')
    files = sorted(path.relative_to(tmp_path / 'new').as_posix()
                   for path in (tmp_path / 'new').rglob('*') if path.is_file())
    assert files == [
        'data/chunk-000/file-000.parquet', 'meta/episodes/chunk-000/file-000.parquet',
        'meta/info.json', 'meta/stats.json', 'meta/tasks.parquet',
        *(f'videos/{camera}/chunk-000/file-000.mp4' for camera in (FRONT, WRIST))]
    data = pq.ParquetFile(tmp_path / 'new/data/chunk-000/file-000.parquet')
    assert [data.metadata.row_group(number).num_rows for number in range(4)] == list(LENGTHS)
    footer = json.loads(data.schema_arrow.metadata[b'huggingface'])
    assert footer['info']['features']['action']['length'] == 3
    info = json.loads((tmp_path / 'new/meta/info.json').read_text('utf-8'))
    assert info['codebase_version'] == 'v3.0' and info['robot_type'] == 'so100'
    assert info['splits'] == {'train': '0:4'} and info['fps'] == 30
    assert not {'total_videos', 'total_chunks'} & info.keys()
    # Else it could not be merged with one that a recorder wrote.
    assert not any('fps' in feature for feature in info['features'].values())


def test_seams_lie_on_key_frames_and_whole_frames(tmp_path: Path) -> None:
    """Packet n in display order is shown at n / fps, and every episode begins with a key frame."""
    root = build(tmp_path / 'old', *LENGTHS)
    convert(root, tmp_path / 'new')
    with av.open(str(tmp_path / f'new/videos/{FRONT}/chunk-000/file-000.mp4')) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        assert stream.time_base.denominator == 15360 and stream.average_rate == 30
    shown = sorted(packet.pts for packet in packets)
    assert shown == [512 * number for number in range(sum(LENGTHS))]
    keys = {packet.pts // 512 for packet in packets if packet.is_keyframe}
    assert {0, 8, 13, 25} <= keys


def test_small_limits_make_more_files_and_no_other_rows(tmp_path: Path) -> None:
    """With a limit that nothing fits in, every episode has a file of its own of each kind."""
    root = build(tmp_path / 'old', *LENGTHS, chunks_size=3)
    convert(root, tmp_path / 'new', ConvertSettings(data_mb=0, video_mb=0))
    new = Dataset.open(tmp_path / 'new')
    assert problems(tmp_path / 'new') == []
    places = [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert [tuple(episode.data) for episode in new.episodes] == places
    assert [tuple(episode.videos[WRIST].number) for episode in new.episodes] == places
    assert numbers(new, 3, WRIST) == [1300 + row for row in range(7)]


def test_a_video_with_another_header_begins_a_file(tmp_path: Path) -> None:
    """One header serves a file: after an episode of another codec a new mp4 begins."""
    root = build(tmp_path / 'old', *LENGTHS)
    write_mp4(root / MP4.format(FRONT), [pixels(100 + row) for row in range(5)], 'av1')
    convert(root, tmp_path / 'new')
    new = Dataset.open(tmp_path / 'new')
    assert [tuple(episode.videos[FRONT].number) for episode in new.episodes] == [
        (0, 0), (0, 1), (0, 2), (0, 2)]
    assert [numbers(new, number, FRONT)[0] for number in range(4)] == [0, 100, 200, 300]
    assert {tuple(episode.videos[WRIST].number) for episode in new.episodes} == {(0, 0)}


def test_episodes_are_ordered_by_number(tmp_path: Path) -> None:
    """Names without leading zeros, which a sort of strings would mix up, change nothing."""
    root = build(tmp_path / 'old', *[2] * 12, cameras=())
    for path in (root / 'data/chunk-000').iterdir():
        path.rename(path.with_name(f'episode_{int(path.stem[8:])}.parquet'))
    _edit_info(root, data_path='data/chunk-{episode_chunk:03d}/episode_{episode_index}.parquet')
    convert(root, tmp_path / 'new')
    table = pq.read_table(tmp_path / 'new/data/chunk-000/file-000.parquet')
    assert table['index'].to_pylist() == list(range(24))
    assert table['observation.state'][22].as_py()[0] == 1100


def _edit_info(root: Path, **fields: object) -> None:
    path = root / 'meta/info.json'
    path.write_text(json.dumps({**json.loads(path.read_text('utf-8')), **fields}), 'utf-8')


def test_statistics_are_taken_over_and_completed(tmp_path: Path) -> None:
    """What v2.1 says of an episode stays to the last digit; quantiles and matrices come anew."""
    root = build(tmp_path / 'old', *LENGTHS)
    lines = (root / 'meta/episodes_stats.jsonl').read_text('utf-8').splitlines()
    stored = [json.loads(line)['stats'] for line in lines]
    stored[1]['action']['mean'], stored[1]['index']['mean'] = [7.0, 8.0, 9.0], [7.0]
    (root / 'meta/episodes_stats.jsonl').write_text('\n'.join(
        json.dumps({'episode_index': number, 'stats': one}) for number, one
        in reversed(list(enumerate(stored)))), 'utf-8')
    convert(root, tmp_path / 'new')
    table = pq.read_table(tmp_path / 'new/meta/episodes/chunk-000/file-000.parquet')
    for name in ('action', FRONT):
        for key in ('min', 'max', 'mean', 'std', 'count'):
            assert table[f'stats/{name}/{key}'].to_pylist() == [one[name][key] for one in stored]
        assert table[f'stats/{name}/q50'].null_count == 0
    assert len(table['stats/observation.jac/mean'][0]) == 3
    # What the library counts itself is never taken over: it was often stale.
    assert table['stats/index/mean'][1].as_py() == [10.0]
    new = read_metadata(tmp_path / 'new')
    assert new.stats.keys() == set(new.info.features)


@pytest.mark.parametrize('version', ['v2.0', 'v2.1'])
def test_missing_statistics_are_computed(version: str, tmp_path: Path) -> None:
    """v2.0 has none of an episode, some of v2.1 none of a camera: all get theirs."""
    root = build(tmp_path / 'old', *LENGTHS, version=version, camera_stats=False)
    convert(root, tmp_path / 'new')
    table = pq.read_table(tmp_path / 'new/meta/episodes/chunk-000/file-000.parquet')
    states = np.array(Dataset.open(root).rows(2)['observation.state'].to_pylist(), np.float32)
    expected = numeric_statistics(states)
    for key, value in expected.items():
        assert table[f'stats/observation.state/{key}'][2].as_py() == value.tolist()
    light = read_metadata(tmp_path / 'new').stats[FRONT]
    assert light['mean'].shape == (3, 1, 1) and 0.05 < light['mean'].mean() < 0.6


def test_pictures_in_the_tables_stay_as_they_are(tmp_path: Path) -> None:
    """Of dtype image, every PNG is the same to the byte, and `datasets` is told what it is."""
    root = build(tmp_path / 'old', 5, 3, image=True, camera_stats=False)
    convert(root, tmp_path / 'new')
    assert problems(tmp_path / 'new') == [] and not (tmp_path / 'new/videos').exists()
    old, new = Dataset.open(root), Dataset.open(tmp_path / 'new')
    for number in range(2):
        assert new.rows(number)[FRONT].to_pylist() == old.rows(number)[FRONT].to_pylist()
    footer = pq.read_schema(tmp_path / 'new/data/chunk-000/file-000.parquet').metadata
    features = json.loads(footer[b'huggingface'])['info']['features']
    assert features[FRONT] == {'_type': 'Image'}
    light = np.mean([pixels(number) for number in (*range(5), *range(100, 103))]) / 255
    assert np.allclose(new.metadata.stats[FRONT]['mean'], light)


def test_a_picture_that_is_only_named_is_refused(tmp_path: Path) -> None:
    """A path without bytes leads to somebody else's disk."""
    root = build(tmp_path / 'old', 5, 5, image=True, cameras=(FRONT,))
    table = pq.read_table(root / ROWS)
    rows = [{**row, 'bytes': None} for row in table[FRONT].to_pylist()]
    place = table.column_names.index(FRONT)
    pq.write_table(table.set_column(place, FRONT, pa.array(rows, table[FRONT].type)), root / ROWS)
    with pytest.raises(DatasetBroken, match='only a path.*embed the pictures first'):
        convert(root, tmp_path / 'new')


def _drop_frames(root: Path) -> None:
    write_mp4(root / MP4.format(WRIST), [pixels(1100 + row) for row in range(4)])


def _drop_video(root: Path) -> None:
    (root / MP4.format(WRIST)).unlink()


def _stretch_video(root: Path) -> None:
    write_mp4(root / MP4.format(WRIST), [pixels(1100 + row) for row in range(5)], first=2)


def _lose_key_frame(root: Path) -> None:
    path = root / MP4.format(WRIST)
    write_mp4(root / 'whole.mp4', [pixels(1100 + row) for row in range(6)], 'av1')
    with av.open(str(root / 'whole.mp4')) as whole, av.open(str(path), 'w') as cut:
        stream = cut.add_stream_from_template(whole.streams.video[0], opaque=True)
        for packet in list(whole.demux(video=0))[1:-1]:
            step = packet.duration
            packet.stream, packet.pts, packet.dts = stream, packet.pts - step, packet.dts - step
            cut.mux(packet)


def _change(name: str, add: float) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        table = pq.read_table(root / ROWS)
        place = table.column_names.index(name)
        values = table[name].to_numpy().copy()
        values[3] += add
        pq.write_table(table.set_column(place, name, pa.array(values)), root / ROWS)
    return change


def _add_column(root: Path) -> None:
    table = pq.read_table(root / ROWS)
    pq.write_table(table.append_column('odd', table['index']), root / ROWS)


def _lose_column(root: Path) -> None:
    pq.write_table(pq.read_table(root / ROWS).drop_columns(['action']), root / ROWS)


def _cut_rows(root: Path) -> None:
    pq.write_table(pq.read_table(root / ROWS).slice(0, 4), root / ROWS)


def _null_value(root: Path) -> None:
    table = pq.read_table(root / ROWS)
    place = table.column_names.index('action')
    values = table['action'].to_pylist()
    values[2][1] = None
    pq.write_table(table.set_column(place, 'action', pa.array(
        values, type=pa.list_(pa.float32()))), root / ROWS)


def _gap_in_tasks(root: Path) -> None:
    path = root / 'meta/tasks.jsonl'
    path.write_text(path.read_text('utf-8').replace('"task_index": 1', '"task_index": 2'), 'utf-8')


def _gap_in_episodes(root: Path) -> None:
    path = root / 'meta/episodes.jsonl'
    path.write_text(''.join(path.read_text('utf-8').splitlines(True)[:1]
                            + path.read_text('utf-8').splitlines(True)[2:]), 'utf-8')


def _broken_line(root: Path) -> None:
    with open(root / 'meta/episodes_stats.jsonl', 'a', encoding='utf-8') as file:
        file.write('{"episode_index": 4, "stats"')


def _other_shape(root: Path) -> None:
    path = root / 'meta/episodes_stats.jsonl'
    lines = path.read_text('utf-8').splitlines()
    changed = json.loads(lines[2])
    for key in ('min', 'max', 'mean', 'std'):
        changed['stats']['action'][key] = [1.0, 2.0]
    path.write_text('\n'.join([*lines[:2], json.dumps(changed), lines[3]]), 'utf-8')


def _way_out(root: Path) -> None:
    _edit_info(root, data_path='../{episode_chunk:03d}/episode_{episode_index:06d}.parquet')


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    'video too short': (_drop_frames, 'found 4 frames, expected 5'),
    'a camera has fewer episodes': (_drop_video, 'expected the file of episode 1'),
    'frames not from 0': (_stretch_video, 'one frame each 1 / fps from 0'),
    'no key frame first': (_lose_key_frame, 'expected a key frame at the beginning'),
    'index': (_change('index', 1), 'index, row 3: found 12, expected 11'),
    'frame_index': (_change('frame_index', 1), 'frame_index, row 3'),
    'episode_index': (_change('episode_index', 1), 'episode_index, row 3'),
    'timestamp': (_change('timestamp', 0.02), 'timestamp, row 3'),
    'task_index': (_change('task_index', 5), 'task_index: found [6], expected 0 to 1'),
    'undeclared column': (_add_column, "found columns ['odd']"),
    'missing column': (_lose_column, "found no columns ['action']"),
    'rows missing': (_cut_rows, 'found 4 rows, expected 5'),
    'null': (_null_value, 'action: found a value that is missing'),
    'tasks': (_gap_in_tasks, 'expected 0 to 1, every one once'),
    'episodes': (_gap_in_episodes, 'found no episode 1'),
    'a cut line': (_broken_line, 'a JSON object a line'),
    'statistics of another shape': (_other_shape, 'action: found shape [2], expected [3]'),
    'a path that leads out': (_way_out, 'data_path'),
}


@pytest.mark.parametrize('what', DAMAGE)
def test_what_contradicts_is_refused(what: str, tmp_path: Path) -> None:
    """One error names file, what was found and what was expected; nothing is left behind."""
    damage, words = DAMAGE[what]
    root = build(tmp_path / 'old', *LENGTHS)
    damage(root)
    with pytest.raises(DatasetBroken) as error:
        convert(root, tmp_path / 'new')
    assert words in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ['old']


def test_rows_are_counted_anew_when_asked(tmp_path: Path) -> None:
    """With `renumber` the order of the rows counts, and the result is sound."""
    root = build(tmp_path / 'old', *LENGTHS)
    for name, add in (('index', 40), ('timestamp', 0.5), ('frame_index', 9)):
        _change(name, add)(root)
    convert(root, tmp_path / 'new', ConvertSettings(renumber=True))
    assert problems(tmp_path / 'new') == []


def test_only_older_datasets_into_new_folders(tmp_path: Path) -> None:
    """A v3.0 dataset has nothing to convert, and a folder that holds something stays as it is."""
    root = build(tmp_path / 'old', 4, cameras=())
    convert(root, tmp_path / 'new')
    with pytest.raises(DatasetError, match='nothing to convert'):
        convert(tmp_path / 'new', tmp_path / 'newer')
    with pytest.raises(DatasetError, match='expected no such folder'):
        convert(root, tmp_path / 'new')
    assert problems(tmp_path / 'new') == []


def test_nothing_is_recorded_into_an_older_dataset(tmp_path: Path) -> None:
    """Its files would follow two layouts; the error says to convert it."""
    root = build(tmp_path / 'old', 4, cameras=())
    with pytest.raises(SchemaMismatch, match='codebase_version: found v2.1.*convert it first'):
        DatasetWriter.resume(root, plain_spec())


def test_the_command_converts_or_says_in_one_line_why_not(tmp_path: Path) -> None:
    """0 and what came out; 1 and one line for a broken source; 2 for wrong usage."""
    root = build(tmp_path / 'old', 4, 5, cameras=())
    done = _command(str(root), '--output', str(tmp_path / 'new'))
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == f'{tmp_path}/new: 2 episode(s), 9 row(s), v3.0\n'
    _change('index', 1)(root)
    broken = _command(str(root), '--output', str(tmp_path / 'other'))
    assert broken.returncode == 1 and broken.stderr.count('\n') == 1
    assert '--renumber' in broken.stderr and not (tmp_path / 'other').exists()
    mended = _command(str(root), '--output', str(tmp_path / 'other'), '--renumber')
    assert mended.returncode == 0 and problems(tmp_path / 'other') == []
    assert _command(str(root)).returncode == 2
    assert _command(str(root), '--output', 'x', '--video-file-size-in-mb', '0').returncode == 2


def _command(*arguments: str, most_bytes: int = resource.RLIM_INFINITY,
             ) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.run([sys.executable, '-m', 'apprentice_dataset', 'convert', *arguments],
                          capture_output=True, text=True, preexec_fn=limit)


@pytest.mark.parametrize('most_bytes', [1000, 6000, 20_000])
def test_a_full_disk_is_one_clear_error(most_bytes: int, tmp_path: Path) -> None:
    """Wherever a file may not grow any more, in video or tables, nothing is left behind."""
    root = build(tmp_path / 'old', *LENGTHS)
    failed = _command(str(root), '--output', str(tmp_path / 'new'), most_bytes=most_bytes)
    assert failed.returncode == 1
    assert failed.stderr == (f'dataset convert: {tmp_path}/new: the disk is full; nothing was '
                             'written. Free space and try again\n')
    assert [path.name for path in tmp_path.iterdir()] == ['old']


def test_a_kill_leaves_nothing_or_all(tmp_path: Path) -> None:
    """Ended at ten instants it leaves the whole dataset or none, and the next run cleans up."""
    root = build(tmp_path / 'old', *LENGTHS)
    (tmp_path / 'out').mkdir()
    script = Path(__file__).with_name('killed_convert.py')
    result = subprocess.run([sys.executable, str(script), str(root), str(tmp_path / 'out'), '10'],
                            capture_output=True, text=True, check=True)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert len(lines) == 10
    # Some died in the middle, else this shows nothing.
    assert any('partial' in name for _, *names in lines for name in names)
    whole = {path.relative_to(tmp_path / 'out/whole').as_posix(): path.read_bytes()
             for path in (tmp_path / 'out/whole').rglob('*') if path.is_file()}
    for folder in (tmp_path / 'out').iterdir():
        assert 'partial' not in folder.name
        assert {path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob('*') if path.is_file()} == whole
