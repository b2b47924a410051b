# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Take rows in any order, from memory and from the cache, however the files store them."""
from __future__ import annotations

from collections.abc import Callable
import json
import multiprocessing
import os
from pathlib import Path
import shutil
import signal
from typing import Any

from apprentice_dataset.columns import to_numpy
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.row_cache import RowCache
from apprentice_dataset.row_store import RowStore
from apprentice_dataset.writer import DatasetWriter
import numpy as np
from older import build
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording import record
from recording import spec

EXTRA = {'next.done': Feature('bool', (1,)), 'note': Feature('string', (1,)),
         'observation.jac': Feature('float32', (2, 3)), 'pair': Feature('int64', (2,)),
         'tensor': Feature('float64', (1, 2, 1, 2, 1))}
LENGTHS = (9, 4, 12)
ROWS = sum(LENGTHS)
DATA = 'data/chunk-000/file-001.parquet'


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record three episodes with a feature of every kind."""
    root = tmp_path_factory.mktemp('whole') / 'dataset'
    with DatasetWriter.create(root, spec(**EXTRA)) as writer:
        for first, length in zip((0, 9, 13), LENGTHS):
            episode = writer.begin_episode()
            record(episode, length, first, extra={
                'next.done': False, 'note': f'episode {first}', 'pair': [first, 2],
                'observation.jac': np.arange(6).reshape(2, 3), 'tensor': np.ones((1, 2, 1, 2, 1))})
            episode.save()
    return root


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    """Copy it, to be changed."""
    return Path(shutil.copytree(whole, tmp_path / 'dataset'))


@pytest.fixture(params=[None, 0], ids=['memory', 'cache'])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., RowStore]:
    """Make stores that hold everything in memory, or nothing."""
    def make(metadata: Metadata, *arguments: Any, **options: Any) -> RowStore:
        return RowStore(metadata, *arguments, memory_bytes=request.param,
                        cache_folder=tmp_path / 'cache', **options)
    return make


def rewrite(root: Path, change: Callable[[pa.Table], pa.Table], **options: Any) -> None:
    """Change the second episode's rows."""
    pq.write_table(change(pq.read_table(root / DATA)), root / DATA, **options)


def replaced(name: str, values: Any) -> Callable[[pa.Table], pa.Table]:
    """Return a change that gives a column other values."""
    def change(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index(name), name, values)
    return change


def test_rows_come_in_the_order_asked_for(whole: Path, store: Callable[..., RowStore]) -> None:
    """By global number, more than once, across files."""
    rows = store(read_metadata(whole))
    order = np.random.default_rng(3).integers(0, ROWS, 60)
    table = rows.take(order)
    assert len(rows) == ROWS and table.num_rows == 60
    assert table['index'].to_pylist() == order.tolist()
    assert [state[0] for state in table['observation.state'].to_pylist()] == order.tolist()
    assert rows.take([24, 0], ['note', 'index']).to_pylist() == [
        {'note': 'episode 13', 'index': 24}, {'note': 'episode 0', 'index': 0}]
    assert rows.take([]).schema == rows.schema and rows.take([]).num_rows == 0


def test_arrays_have_the_declared_shapes(whole: Path, store: Callable[..., RowStore]) -> None:
    """Numbers come as (rows, *shape) in the declared type, strings as a list."""
    metadata = read_metadata(whole)
    table = store(metadata).take(np.arange(5, 15))
    for name, feature in metadata.info.columns.items():
        values = to_numpy(table[name], feature)
        if feature.dtype == 'string':
            assert values == ['episode 0'] * 4 + ['episode 9'] * 4 + ['episode 13'] * 2
        else:
            shape = () if feature.shape == (1,) else feature.shape
            assert (values.shape, values.dtype) == ((10, *shape), np.dtype(feature.dtype)), name
    assert to_numpy(table['observation.jac'], EXTRA['observation.jac'])[7].tolist() == [
        [0, 1, 2], [3, 4, 5]]


def test_what_cannot_be_taken(whole: Path, store: Callable[..., RowStore]) -> None:
    """Numbers, columns and episodes that do not exist are told."""
    metadata = read_metadata(whole)
    rows = store(metadata, ['action', 'index'])
    assert rows.take([1]).column_names == ['action', 'index']
    for call, message in (
            (lambda: rows.take([0, ROWS]), f'found row 0 to {ROWS}, expected 0 to {ROWS - 1}'),
            (lambda: rows.take([-1]), 'found row -1'),
            (lambda: rows.take([0], ['note']), r"no columns \['note'\] in the store"),
            (lambda: store(metadata, ['other']), r"no columns \['other'\]"),
            (lambda: store(metadata, episodes=[3]), 'found episodes 3 to 3'),
            (lambda: store(metadata, episodes=[0]).take([10]), 'row 10 is of no chosen episode')):
        with pytest.raises(DatasetError, match=message):
            call()


def test_only_files_of_chosen_episodes_are_needed(
    root: Path, store: Callable[..., RowStore],
) -> None:
    """The others need not be there."""
    (root / DATA).unlink()
    rows = store(read_metadata(root), episodes=[2, 0])
    assert rows.take([24, 3])['index'].to_pylist() == [24, 3]
    with pytest.raises(DatasetBroken, match='file-001.parquet: found no such file'):
        store(read_metadata(root)).take([3])


def _lists(table: pa.Table) -> pa.Table:
    variable = pa.list_(pa.float64())
    large = pa.large_list(pa.list_(pa.float64()))
    for name, kind in (('action', variable), ('observation.state', pa.large_list(pa.float32())),
                       ('observation.jac', large)):
        table = replaced(name, pa.array(table[name].to_pylist(), kind))(table)
    return table


VARIANTS: list[tuple[str, Callable[[pa.Table], pa.Table], dict[str, Any]]] = [
    ('lists of any length, wider floats', _lists, {}),
    ('float64 of float32', lambda table: replaced(
        'timestamp', table['timestamp'].cast(pa.float64()))(table), {}),
    ('int32 of int64', lambda table: replaced(
        'frame_index', table['frame_index'].cast(pa.int32()))(table), {}),
    ('large_string', lambda table: replaced(
        'note', table['note'].cast(pa.large_string()))(table), {}),
    ('dictionary', lambda table: replaced('note', table['note'].dictionary_encode())(table), {}),
    ('a scalar as a list', lambda table: replaced('next.done', pa.array(
        [[done] for done in table['next.done'].to_pylist()]))(table), {}),
    ('columns in another order', lambda table: table.select(table.column_names[::-1]), {}),
    ('row groups across episodes', lambda table: table, {'row_group_size': 3}),
    ('no footer of datasets', lambda table: table.replace_schema_metadata(None), {}),
    ('another compression', lambda table: table, {'compression': 'zstd'})]


@pytest.mark.parametrize(('change', 'options'), [one[1:] for one in VARIANTS],
                         ids=[one[0] for one in VARIANTS])
def test_every_variant_reads_alike(
    root: Path, store: Callable[..., RowStore], change: Callable[[pa.Table], pa.Table],
    options: dict[str, Any],
) -> None:
    """What LeRobot's reader accepts comes out as if we had written it."""
    expected = store(read_metadata(root)).take(np.arange(ROWS))
    rewrite(root, change, **options)
    assert store(read_metadata(root)).take(np.arange(ROWS)).equals(expected)


def test_a_declared_column_that_is_missing_is_null(
    root: Path, store: Callable[..., RowStore],
) -> None:
    """It is null in the rows of that file alone."""
    rewrite(root, lambda table: table.drop_columns(['note', 'action']))
    table = store(read_metadata(root)).take([8, 9, 13])
    assert table['note'].to_pylist() == ['episode 0', None, 'episode 13']
    found = to_numpy(table['action'], Feature('float32', (3,)))
    assert [value is None for value in found] == [False, True, False]


def _other_index(table: pa.Table) -> pa.Table:
    return table.take(pa.array([0, 2, 1, 3]))


BROKEN = [
    (_other_index, 'index, row 10 of the dataset: found 11, expected 10'),
    (lambda table: replaced('episode_index', pa.array([1, 1, 2, 1]))(table),
     'episode_index, row 11 of the dataset: found 2, expected 1'),
    (lambda table: table.slice(0, 3), 'found 3 rows, expected 4'),
    (lambda table: table.drop_columns(['index']), 'index: found no such column'),
    (lambda table: replaced('action', pa.array([[1.0, 2.0]] * 4))(table),
     r'action: found lists of 2 to 2 values, expected 3'),
    (lambda table: replaced('action', pa.array([1.0] * 4))(table), 'action: found double'),
    (lambda table: replaced('action', pa.array([[1.0] * 3, None, [1.0] * 3, [1.0] * 3]))(table),
     'action: found a list that is missing'),
    (lambda table: replaced('pair', pa.array([[1.5, 2.0]] * 4))(table), 'pair: .*1.5'),
    (lambda table: replaced('note', pa.array([1, 2, 3, 4]))(table), 'note: found int64'),
    (lambda table: replaced('timestamp', pa.array(['0', '1', '2', '3']))(table),
     'timestamp: found string'),
    (lambda table: table.append_column('index', table['index']), 'each name once')]


@pytest.mark.parametrize(('change', 'message'), BROKEN)
def test_rows_out_of_place_are_an_error(
    root: Path, store: Callable[..., RowStore], change: Callable[[pa.Table], pa.Table],
    message: str,
) -> None:
    """Where LeRobot gives another row, silently."""
    rewrite(root, change)
    with pytest.raises(DatasetBroken, match=message):
        store(read_metadata(root)).take([11])


def test_a_damaged_file_is_told(root: Path, store: Callable[..., RowStore]) -> None:
    """Pages that cannot be decoded are an error that names the file."""
    column = pq.ParquetFile(root / DATA).metadata.row_group(0).column(0)
    data = bytearray((root / DATA).read_bytes())
    begin = column.data_page_offset
    data[begin:begin + column.total_compressed_size] = b'\xff' * column.total_compressed_size
    (root / DATA).write_bytes(data)
    with pytest.raises(DatasetBroken, match='file-001.parquet'):
        store(read_metadata(root)).take([11])


def test_language_columns(root: Path, store: Callable[..., RowStore]) -> None:
    """Files whose structs differ, as annotators leave them, give one type."""
    info = json.loads((root / 'meta/info.json').read_text())
    info['features']['language_events'] = {'dtype': 'language', 'shape': [1], 'names': None}
    (root / 'meta/info.json').write_text(json.dumps(info))
    calls = [{'type': 'function', 'function': {'name': 'say', 'arguments': {'text': 'yes'}}}]
    values = [[], [[{'role': 'user', 'content': 'stop', 'style': 'interjection', 'camera': None,
                     'tool_calls': None}], [], [], []],
              [[{'role': 'assistant', 'content': None, 'style': None, 'camera': None,
                 'tool_calls': calls}], *[[]] * 11]]
    for number in (1, 2):
        path = root / f'data/chunk-000/file-00{number}.parquet'
        pq.write_table(pq.read_table(path).append_column(
            'language_events', pa.array(values[number])), path)
    found = store(read_metadata(root)).take([0, 9, 10, 13])['language_events'].to_pylist()
    assert found[0] is None and found[2] == []
    assert (found[1][0]['content'], found[1][0]['tool_calls']) == ('stop', None)
    assert found[3][0]['tool_calls'][0]['function']['arguments'] == {'text': 'yes'}


def test_images_stay_bytes(tmp_path: Path, store: Callable[..., RowStore]) -> None:
    """Pictures inside the tables of an older dataset come as a struct of bytes and path."""
    root = build(tmp_path / 'old', 3, 2, image=True)
    rows = store(read_metadata(root)).take([4, 0])
    name = next(name for name in rows.column_names if 'image' in name)
    picture = rows[name][0].as_py()
    assert picture['bytes'][:4] == b'\x89PNG' and picture['path'] == 'frame_000001.png'


def test_memory_is_bounded_by_the_cache(whole: Path, tmp_path: Path) -> None:
    """What does not fit into memory is written once, and read by the next store."""
    metadata = read_metadata(whole)
    for _ in range(2):
        rows = RowStore(metadata, memory_bytes=0, cache_folder=tmp_path)
        assert rows.take([3])['index'].to_pylist() == [3]
        path, = tmp_path.iterdir()
        times = path.stat().st_ino
    RowStore(metadata, memory_bytes=0, cache_folder=tmp_path).take([20])
    assert [path.stat().st_ino for path in tmp_path.iterdir()] == [times]
    in_memory = RowStore(metadata, cache_folder=tmp_path / 'other')
    in_memory.take([3])
    assert not (tmp_path / 'other').exists()


def test_the_cache_knows_changed_files(root: Path, tmp_path: Path) -> None:
    """Another size or time of change is another file; a damaged cache file is made again."""
    cache = tmp_path / 'cache'

    def note() -> str:
        rows = RowStore(read_metadata(root), memory_bytes=0, cache_folder=cache)
        return str(rows.take([9])['note'][0])

    assert note() == 'episode 9'
    path, = cache.iterdir()
    for damage in (b'', path.read_bytes()[:-100]):
        path.write_bytes(damage)
        assert note() == 'episode 9'
    rewrite(root, lambda table: replaced('note', pa.array(['changed'] * 4))(table))
    assert note() == 'changed' and len(list(cache.iterdir())) == 2


def test_the_cache_keeps_its_limit(tmp_path: Path) -> None:
    """The longest unused goes first; what is larger than the limit is refused."""
    schema = pa.schema([('a', pa.int64())])
    batch = pa.RecordBatch.from_arrays([pa.array(range(1000))], schema=schema)
    cache = RowCache(tmp_path, 20_000)
    for key in ('one', 'two'):
        cache.put(key, schema, [batch])
        os.utime(tmp_path / f'{key}.arrow', (1, 1 if key == 'one' else 2))
    held = cache.get('two', schema, 1000)
    os.utime(tmp_path / 'one.arrow', (3, 3))
    os.utime(tmp_path / 'two.arrow', (2, 2))
    cache.put('three', schema, [batch])
    assert sorted(path.stem for path in tmp_path.iterdir()) == ['one', 'three']
    assert held is not None and held[0].equals(batch)
    with pytest.raises(DatasetError, match='found more than 20000 bytes'):
        cache.put('four', schema, [batch] * 3)
    assert sorted(path.stem for path in tmp_path.iterdir()) == ['one', 'three']


def test_a_cache_that_cannot_be_written_is_told(whole: Path, tmp_path: Path) -> None:
    """The error names the folder and what can be done."""
    (tmp_path / 'file').write_text('')
    rows = RowStore(read_metadata(whole), memory_bytes=0, cache_folder=tmp_path / 'file/cache')
    with pytest.raises(DatasetError, match='name another cache folder or allow more memory'):
        rows.take([0])


def _killed_writing(folder: str) -> None:
    schema = pa.schema([('a', pa.int64())])

    def batches() -> Any:
        yield pa.RecordBatch.from_arrays([pa.array(range(10))], schema=schema)
        os.kill(os.getpid(), signal.SIGKILL)

    RowCache(Path(folder), 1 << 20).put('key', schema, batches())


def test_a_kill_leaves_no_file_of_rows(tmp_path: Path) -> None:
    """What was being written has another name, and the next writer removes it."""
    process = multiprocessing.get_context('spawn').Process(
        target=_killed_writing, args=(str(tmp_path),))
    process.start()
    process.join()
    left, = tmp_path.iterdir()
    assert process.exitcode == -signal.SIGKILL and '.partial-' in left.name
    schema = pa.schema([('a', pa.int64())])
    cache = RowCache(tmp_path, 1 << 20)
    assert cache.get('key', schema, 10) is None
    cache.put('key', schema, [pa.RecordBatch.from_arrays([pa.array(range(10))], schema=schema)])
    assert [path.name for path in tmp_path.iterdir()] == ['key.arrow']


def _indices(rows: RowStore) -> list[int]:
    return rows.take([20, 2], ['index'])['index'].to_pylist()


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_other_processes_read_too(
    whole: Path, store: Callable[..., RowStore], method: str,
) -> None:
    """A store that was used already goes to a child by fork and by spawn."""
    rows = store(read_metadata(whole))
    rows.take([0, 20])
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(_indices, (rows,)) == [20, 2]
