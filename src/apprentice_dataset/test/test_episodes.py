# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read meta/ by columns: every value, statistics on demand, and what contradicts the format."""
from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import shutil
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.layout import FileNumber
from apprentice_dataset.metadata import episode_files
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.statistics import NAMES
import numpy as np
from older import build
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording import FRONT
from recording import make
from recording import WRIST

LENGTHS = (7, 5, 9)


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record three episodes, an episodes file each."""
    root = tmp_path_factory.mktemp('whole') / 'dataset'
    make(root, *LENGTHS)
    return root


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    """Copy it, to be changed."""
    return Path(shutil.copytree(whole, tmp_path / 'dataset'))


def one_file(root: Path, change: Callable[[pa.Table], pa.Table] = lambda table: table,
             group: int = 2) -> None:
    """Join the files of meta/episodes, as lerobot's recorder has them."""
    paths = episode_files(root)
    table = change(pa.concat_tables([pq.read_table(path) for path in paths]))
    for path in paths:
        path.unlink()
    pq.write_table(table, paths[0], row_group_size=group)


def test_an_episode_is_what_its_row_says(whole: Path) -> None:
    """Places, numbers and tasks come from the columns, by position, from the end and by slice."""
    episodes = read_metadata(whole).episodes
    assert len(episodes) == 3 and [one.length for one in episodes] == list(LENGTHS)
    last = episodes[2]
    assert episodes[-1] == last and (last.index, last.rows) == (2, range(12, 21))
    assert (last.tasks, last.data) == (('pick the cube',), FileNumber(0, 2))
    assert last.videos[WRIST].number == FileNumber(0, 2)
    assert (last.videos[FRONT].begin_s, last.videos[FRONT].end_s) == (0.0, 0.3)
    assert [one.index for one in episodes[1:]] == [1, 2]
    assert [one.index for one in episodes[::-2]] == [2, 0]
    for wrong in (3, -4):
        with pytest.raises(IndexError, match='expected 0 to 2'):
            episodes[wrong]


def test_columns(whole: Path) -> None:
    """A column of numbers is an array nobody can change; there are none of statistics."""
    episodes = read_metadata(whole).episodes
    assert episodes.column('length').tolist() == list(LENGTHS)
    assert episodes.column('length').dtype == np.int64
    assert episodes.column(f'videos/{FRONT}/to_timestamp').dtype == np.float64
    with pytest.raises(ValueError, match='read-only'):
        episodes.column('length')[0] = 1
    for name in ('tasks', 'stats/action/min', 'other'):
        with pytest.raises(DatasetError, match='no column of numbers'):
            episodes.column(name)
    assert not [name for name in episodes.table.column_names if name.startswith('stats/')]
    assert [tuple(run.episodes) for run in episodes.file_runs()] == [(0,), (1,), (2,)]


def test_statistics_of_an_episode(root: Path) -> None:
    """They are read when asked for, from files of one row or row groups of several."""
    for joined in (False, True):
        if joined:
            one_file(root)
        metadata = read_metadata(root)
        for number in (2, 0, 1):
            stats = metadata.episode_stats(number)
            assert set(stats) == set(metadata.info.features)
            assert set(stats['action']) == set(NAMES)
            assert stats['action']['count'].tolist() == [LENGTHS[number]]
            assert stats['index']['max'] == sum(LENGTHS[:number + 1]) - 1
            assert stats[FRONT]['q50'].shape == (3, 1, 1)
        with pytest.raises(DatasetError, match='found episode 3, expected 0 to 2'):
            metadata.episode_stats(3)


def test_opening_reads_no_statistics(root: Path) -> None:
    """Damage in their pages is met only by who asks for them."""
    path = episode_files(root)[1]
    file = pq.ParquetFile(path)
    group = file.metadata.row_group(0)
    chunk = next(group.column(number) for number in range(group.num_columns)
                 if group.column(number).path_in_schema.startswith('stats/action/mean'))
    data = bytearray(path.read_bytes())
    begin = chunk.data_page_offset
    data[begin:begin + chunk.total_compressed_size] = b'\xff' * chunk.total_compressed_size
    path.write_bytes(data)
    metadata = read_metadata(root)
    assert metadata.episode_stats(0)['action']['count'] == [7]
    with pytest.raises(DatasetBroken, match='file-001.parquet.*readable statistics'):
        metadata.episode_stats(1)


def test_statistics_may_be_missing(root: Path) -> None:
    """Converted datasets have none, and no tasks."""
    one_file(root, lambda table: table.select(
        [name for name in table.column_names
         if not name.startswith(('stats/', 'meta/', 'tasks'))]))
    metadata = read_metadata(root)
    assert metadata.episode_stats(1) == {} and metadata.episodes[1].tasks == ()


def test_statistics_of_v21(tmp_path: Path) -> None:
    """Those of an older dataset come from its lines."""
    metadata = read_metadata(build(tmp_path / 'old', 4, 3))
    assert [metadata.episode_stats(number)['action']['count'].tolist() for number in (1, 0)] == [
        [3], [4]]


def _set(name: str, values: list[Any], kind: pa.DataType | None = None) -> Any:
    def change(table: pa.Table) -> pa.Table:
        place = table.column_names.index(name)
        return table.set_column(place, name, pa.array(values, kind or table[name].type))
    return change


BROKEN = [
    (_set('length', [7, 5, None]), 'length: found null'),
    (_set('length', ['7', '5', '9'], pa.string()), 'length: found string'),
    (_set('length', [7, -5, 9]), 'length: found -5'),
    (_set('length', [7, 5, 1 << 60]), 'length: found 1152921504606846976'),
    (_set('episode_index', [0, 2, 1]), 'episode_index: found 2, expected 1'),
    (_set('dataset_from_index', [0, 8, 12]), 'episode 1: .* found 8 to 12, expected 7 to 12'),
    (_set('dataset_to_index', [7, 12, 30]), 'episode 2: .* found 12 to 30, expected 12 to 21'),
    (_set('data/file_index', [0, -1, 2]), 'data/file_index: found -1'),
    (_set(f'videos/{FRONT}/from_timestamp', [0.0, float('nan'), 0.0]),
     'from_timestamp: found nan'),
    (_set('tasks', [1, 2, 3], pa.int64()), 'tasks: found int64'),
    (lambda table: table.drop_columns([f'videos/{WRIST}/chunk_index']), 'no such column'),
    (lambda table: table.append_column('length', table['length']), 'each name once')]


@pytest.mark.parametrize(('change', 'message'), BROKEN)
def test_what_contradicts_the_format(
    root: Path, change: Callable[[pa.Table], pa.Table], message: str,
) -> None:
    """Each is an error that names column and value."""
    one_file(root, change)
    with pytest.raises(DatasetBroken, match=message):
        read_metadata(root)


def test_numbers_of_other_widths(root: Path) -> None:
    """Whole numbers for times, and narrow ones, are taken as what they mean."""
    one_file(root, lambda table: _set(f'videos/{FRONT}/from_timestamp', [0, 0, 0], pa.int32())(
        _set('length', list(LENGTHS), pa.int16())(table)))
    assert read_metadata(root).episodes[1].videos[FRONT].begin_s == 0.0


def test_subtasks(root: Path) -> None:
    """Older writers kept them as they keep tasks."""
    assert list(read_metadata(root).subtasks) == []
    footer = {'pandas': json.dumps({'index_columns': ['subtask']})}
    table = pa.table({'subtask_index': [0, 1], 'subtask': ['reach', 'grasp']})
    pq.write_table(table.replace_schema_metadata(footer), root / 'meta/subtasks.parquet')
    assert list(read_metadata(root).subtasks) == ['reach', 'grasp']


def test_tools_and_splits(root: Path) -> None:
    """Tools are those named, or the one that all know; splits are as they stand."""
    info = read_metadata(root).info
    assert info.splits == {'train': '0:3'} and info.tools[0]['function']['name'] == 'say'
    path = root / 'meta/info.json'
    value = json.loads(path.read_text())
    tool = {'type': 'function', 'function': {'name': 'stop'}}
    path.write_text(json.dumps({**value, 'tools': [tool], 'splits': {'val': '2:3'}}))
    info = read_metadata(root).info
    assert (info.tools, info.splits) == ([tool], {'val': '2:3'})
    assert info.to_json()['tools'] == [tool]
    path.write_text(json.dumps({**value, 'splits': {'train': [0, 3]}}))
    with pytest.raises(DatasetBroken, match='splits: found'):
        read_metadata(root)
