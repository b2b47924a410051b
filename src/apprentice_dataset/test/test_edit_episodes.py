# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Episodes are left out, cut, packed, shared out and put together without loss."""

from __future__ import annotations

import json
from pathlib import Path

from apprentice_dataset.command_line import main
from apprentice_dataset.edit.episodes import compact
from apprentice_dataset.edit.episodes import delete_episodes
from apprentice_dataset.edit.episodes import split
from apprentice_dataset.edit.episodes import trim
from apprentice_dataset.edit.merge import merge
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.reader import Dataset
from apprentice_dataset.writer import DatasetWriter
from edits import golden
from edits import is_made_of
from edits import is_sound
from edits import LENGTHS
from edits import packets
from edits import recorded
from edits import times
from edits import videos
import numpy as np
import pyarrow.parquet as pq
import pytest
from recording import check_counters
from recording import FRONT
from recording import record
from recording import spec
from recording import WRIST


@pytest.fixture(scope='module')
def source(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Four episodes, an mp4 each, as the recorder leaves them."""
    return Dataset.open(recorded(tmp_path_factory.mktemp('edit') / 'source'))


@pytest.fixture(scope='module')
def packed(source: Dataset) -> Dataset:
    """Pack the same into one mp4 a camera."""
    compact(source.root, source.root.with_name('packed'))
    return Dataset.open(source.root.with_name('packed'))


def _whole(source: Dataset, *episodes: int) -> list[tuple[Dataset, int]]:
    return [(source, episode) for episode in episodes]


def test_whole_mp4s_are_linked(source: Dataset, tmp_path: Path) -> None:
    """Where every episode of an mp4 stays, the result has that very file."""
    delete_episodes(source.root, [1], tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    is_made_of(result, _whole(source, 0, 2, 3))
    old = videos(source)
    assert list(videos(result).values()) == [
        old[f'videos/{camera}/chunk-000/file-00{number}.mp4']
        for camera in (FRONT, WRIST) for number in (0, 2, 3)]
    assert list(result.tasks) == ['task 0', 'task 1']
    table = pq.ParquetFile(tmp_path / 'out/data/chunk-000/file-000.parquet')
    assert [table.metadata.row_group(number).num_rows for number in range(3)] == [12, 15, 9]
    assert b'huggingface' in table.schema_arrow.metadata


def test_packets_are_cut_out_of_a_shared_mp4(packed: Dataset, tmp_path: Path) -> None:
    """What stays of an mp4 keeps its packets, and lies at n / fps without a gap."""
    delete_episodes(packed.root, [1], tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    is_made_of(result, _whole(packed, 0, 2, 3))
    assert times(result, WRIST) == [(0, 12), (12, 27), (27, 36)]
    assert len(videos(result)) == 2


def test_only_tasks_in_use_stay(source: Dataset, tmp_path: Path) -> None:
    """Without its episodes a task is gone, and the rows name the others."""
    delete_episodes(source.root, [0, 2], tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    is_made_of(result, _whole(source, 1, 3))
    assert list(result.tasks) == ['task 1'] and result.info.total_tasks == 1


def test_records_get_the_new_numbers(source: Dataset, tmp_path: Path) -> None:
    """What the recorder keeps beside goes along, under the new number."""
    trim(source.root, 2, 0, tmp_path / 'out', [3])
    delete_episodes(tmp_path / 'out', [0], None)
    folder = tmp_path / 'out/meta/apprentice'
    assert sorted(path.name for path in (folder / 'episodes').iterdir()) == [
        f'episode-00000{number}.json' for number in range(3)]
    assert (folder / 'contracts/1.yaml').read_bytes() == b'version: 1\n'
    first, _, last = (json.loads((folder / f'episodes/episode-00000{number}.json').read_bytes())
                      for number in range(3))
    assert first['started_ns'] == 1 and first['marks'] == []
    assert last == {'rows': 7, 'marks': ['trimmed to rows 2 to 9 of 9'], 'started_ns': 3}


def test_nothing_can_be_deleted_twice_or_wholly(source: Dataset, tmp_path: Path) -> None:
    """Each mistake is named, and nothing is written."""
    for episodes, words in (([4], 'found episode 4, expected 0 to 3'), ([1, 1], 'twice'),
                            (range(4), 'expected one to stay')):
        with pytest.raises(DatasetError, match=words):
            delete_episodes(source.root, list(episodes), tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


def test_trimming_encodes_only_what_it_must(packed: Dataset, tmp_path: Path) -> None:
    """From a key frame on packets stay; from another frame on the episode is encoded anew."""
    trim(packed.root, 10, 1, tmp_path / 'key', [0, 1])
    result = is_sound(tmp_path / 'key')
    for number, (begin, end) in enumerate([(10, 11), (10, 19), (0, 15), (0, 9)]):
        check_counters(result, number, end - begin, 100 * number + begin)
        assert packets(result, number, FRONT) == packets(packed, number, FRONT)[begin:end]
    trim(packed.root, 3, 2, tmp_path / 'any')
    result = is_sound(tmp_path / 'any')
    for number, length in enumerate(LENGTHS):
        check_counters(result, number, length - 5, 100 * number + 3)
        pictures = packed.frames(number, FRONT, range(3, length - 2)).astype(int)
        assert np.abs(result.frames(number, FRONT) - pictures).mean() < 3
        stats = result.metadata.episode_stats(number)
        assert stats['action']['min'][0] == 100 * number + 3
        assert stats[FRONT]['count'] == length - 5 and 0 <= stats[FRONT]['mean'].min() <= 1
    with pytest.raises(DatasetError, match='episode 3: found 9 frames, expected more than the 9'):
        trim(packed.root, 5, 4, tmp_path / 'none')


def test_compact_joins_and_keeps(source: Dataset, packed: Dataset, tmp_path: Path) -> None:
    """All goes into few files, packet by packet; done again, every mp4 is linked."""
    result = is_sound(packed.root)
    is_made_of(result, _whole(source, 0, 1, 2, 3))
    assert len(videos(result)) == 2 and times(result, FRONT)[-1] == (47, 56)
    assert len(list(result.root.glob('data/*/*'))) == 1
    compact(packed.root, tmp_path / 'again')
    assert videos(is_sound(tmp_path / 'again')) == videos(packed)


def test_split_shares_every_episode_out(source: Dataset, tmp_path: Path) -> None:
    """Fractions give as many as they say, lists those that they name."""
    split(source.root, {'train': 0.5, 'val': 0.25, 'test': 0.25}, tmp_path / 'parts')
    for name, episodes in (('train', (0, 1)), ('val', (2,)), ('test', (3,))):
        is_made_of(is_sound(tmp_path / 'parts' / name), _whole(source, *episodes))
    split(source.root, {'a': [3, 0], 'b': [2, 1]}, tmp_path / 'lists')
    is_made_of(is_sound(tmp_path / 'lists/a'), _whole(source, 0, 3))
    split(source.root, {'a': 0.7, 'b': 0.3}, tmp_path / 'uneven')
    assert [len(Dataset.open(tmp_path / 'uneven' / name).episodes) for name in 'ab'] == [3, 1]


@pytest.mark.parametrize('splits, words', [
    ({'a': 0.5, 'b': 0.2}, 'sum to 0.7, expected 1: a=0.714286 b=0.285714'),
    ({'a': 0.99, 'b': 0.01}, "no episode for 'b' of 4"),
    ({'a': [0, 1], 'b': [1, 2, 3]}, 'episode 1 twice'),
    ({'a': [0, 1], 'b': [3]}, r'no split for episode\(s\) 2'),
    ({'a': [0, 1, 2, 9]}, 'found episode 9'), ({'a': 0.5, 'b': [1]}, 'one kind'),
    ({'a/b': 1.0}, 'names of folders'), ({'a': 1.5, 'b': -0.5}, '1.5'), ({}, 'none')])
def test_split_drops_and_doubles_nothing(
    source: Dataset, tmp_path: Path, splits: dict[str, float | list[int]], words: str,
) -> None:
    """What would lose or double an episode is refused, and nothing is written."""
    with pytest.raises(DatasetError, match=words):
        split(source.root, splits, tmp_path / 'parts')
    assert list(tmp_path.iterdir()) == []


def test_merge_tells_tasks_by_text(source: Dataset, packed: Dataset, tmp_path: Path) -> None:
    """Rows, packets and statistics of both stay; equal tasks become one."""
    other = Dataset.open(recorded(tmp_path / 'other', 11, 6, first=500, task='another'))
    merge([source.root, other.root, packed.root], tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    is_made_of(result, [*_whole(source, 0, 1, 2, 3), *_whole(other, 0, 1),
                        *_whole(packed, 0, 1, 2, 3)])
    assert list(result.tasks) == ['task 0', 'task 1', 'another 0', 'another 1']
    assert {*videos(packed).values(), *videos(other).values()} <= {*videos(result).values()}


def test_merge_tells_every_difference(source: Dataset, tmp_path: Path) -> None:
    """One table says what does not fit; how an encoder was set is no difference."""
    video = golden('video', tmp_path)
    with pytest.raises(DatasetError) as caught:
        merge([source.root, video], tmp_path / 'out')
    lines = str(caught.value).splitlines()
    assert any(line.split()[:3] == ['fps', '30', '10'] for line in lines)
    assert any(line.split()[:2] == ['robot_type', 'test_arm'] for line in lines)
    assert any(line.split()[:3] == [FRONT, 'video', '-'] for line in lines)
    info = tmp_path / 'other/meta/info.json'
    recorded(tmp_path / 'other', 5)
    value = json.loads(info.read_bytes())
    value['features'][FRONT]['info']['video.crf'] = 18
    info.write_text(json.dumps(value))
    merge([source.root, tmp_path / 'other'], tmp_path / 'out')
    assert is_sound(tmp_path / 'out').info.features[FRONT].info['video.crf'] is None


@pytest.mark.parametrize('kind', [
    'deleted', 'depth_image', 'depth_video', 'files', 'image', 'merged', 'resumed', 'video'])
def test_what_lerobot_wrote_is_edited(kind: str, tmp_path: Path) -> None:
    """Every kind of feature and file goes through every way that the engine has."""
    source = Dataset.open(golden(kind, tmp_path))
    count = len(source.episodes)
    delete_episodes(source.root, [0], tmp_path / 'deleted.new')
    compact(source.root, tmp_path / 'compact.new')
    merge([source.root, tmp_path / 'deleted.new'], tmp_path / 'merged.new')
    trim(source.root, 1, 1, tmp_path / 'trim.new')
    for name in ('deleted', 'compact', 'merged', 'trim'):
        is_sound(tmp_path / f'{name}.new')
    result = Dataset.open(tmp_path / 'merged.new')
    for number, episode in enumerate([*range(count), *range(1, count)]):
        old, new = source.rows(episode), result.rows(number)
        for column in set(old.column_names) - {'index', 'episode_index', 'task_index'}:
            assert new[column].to_pylist() == old[column].to_pylist(), column
    trimmed = Dataset.open(tmp_path / 'trim.new')
    for camera in trimmed.info.cameras:
        for episode in range(count):
            before = source.frames(episode, camera)[1:-1].astype(float)
            after = trimmed.frames(episode, camera).astype(float)
            limit = 0 if before.shape[-1] == 1 else 4
            assert np.abs(after - before).mean() <= limit


def test_in_place_keeps_the_recorder_out(tmp_path: Path) -> None:
    """While a recorder writes, the dataset is not replaced; afterwards it can be recorded on."""
    root = recorded(tmp_path / 'data', 12, 8)
    old = Dataset.open(recorded(tmp_path / 'same', 12, 8))
    with DatasetWriter.resume(root, spec()):
        with pytest.raises(DatasetError, match='is writing this dataset'):
            compact(root, None)
    compact(root, None)
    is_made_of(is_sound(root), _whole(old, 0, 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ['data', 'same']
    assert sorted(path.name for path in root.iterdir()) == ['data', 'meta', 'videos']
    with DatasetWriter.resume(root, spec()) as writer:
        record(writer.begin_episode(), 5)
    with pytest.raises(DatasetError, match='unfinished episode; repair'):
        compact(root, None)


def test_the_command_line(source: Dataset, tmp_path: Path,
                          capsys: pytest.CaptureFixture[str]) -> None:
    """Each verb says what came out; mistakes exit with 1, wrong usage with 2."""
    one, two = str(tmp_path / 'one'), str(tmp_path / 'two')
    assert main(['delete-episodes', str(source.root), '--output', one,
                 '--episode-indices', '0', '2-3']) == 0
    assert f'{one}: 1 episode(s), 20 row(s), 1 task(s)' in capsys.readouterr().out
    assert main(['trim', one, '--in-place', '--begin', '10']) == 0
    assert main(['merge', one, str(source.root), '--output', two]) == 0
    assert main(['split', two, '--output', f'{two}s', '--splits', 'a=0-2', 'b=3,4']) == 0
    assert f'{two}s/b: 2 episode(s), 24 row(s)' in capsys.readouterr().out
    assert main(['compact', two, '--in-place', '--video-file-size-in-mb', '5']) == 0
    assert is_sound(Path(two)).info.extra['video_files_size_in_mb'] == 5
    assert main(['split', two, '--output', f'{two}x', '--splits', 'a=0.5']) == 1
    assert 'expected 1: a=1' in capsys.readouterr().err
    for wrong in (['trim', one], ['trim', one, '--in-place', '--output', two],
                  ['delete-episodes', one, '--in-place', '--episode-indices', '3-']):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2
