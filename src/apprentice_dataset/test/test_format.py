# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold the files to the format, byte layouts and names included."""

from __future__ import annotations

import json
from pathlib import Path

from apprentice_dataset.features import Feature
from apprentice_dataset.writer import DatasetWriter
import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording import FRONT
from recording import make
from recording import record
from recording import spec
from recording import WRIST

EXTRA = {'next.reward': Feature('float32', (1,)), 'next.done': Feature('bool', (1,)),
         'note': Feature('string', (1,)), 'observation.jac': Feature('float32', (2, 3)),
         'observation.pair': Feature('int64', (2,))}
VALUES = {'next.reward': 0.5, 'next.done': False, 'note': 'größer',
          'observation.jac': np.arange(6).reshape(2, 3), 'observation.pair': [1, 2]}


@pytest.fixture(scope='module')
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record two episodes with a feature of every kind."""
    root = tmp_path_factory.mktemp('format') / 'dataset'
    with DatasetWriter.create(root, spec(**EXTRA)) as writer:
        for length, task in ((20, 'pick the cube'), (5, 'stack the cube')):
            episode = writer.begin_episode()
            record(episode, length, task=task, extra=VALUES)
            episode.save({'contract.yaml': b'version: 1\n'})
    return root


def test_the_tree_is_the_formats(dataset: Path) -> None:
    """One data file, one mp4 a camera and one episodes file an episode, and nothing else."""
    files = sorted(path.relative_to(dataset).as_posix()
                   for path in dataset.rglob('*') if path.is_file())
    assert files == [
        'data/chunk-000/file-000.parquet', 'data/chunk-000/file-001.parquet',
        'meta/apprentice/contract.yaml', 'meta/episodes/chunk-000/file-000.parquet',
        'meta/episodes/chunk-000/file-001.parquet', 'meta/info.json', 'meta/stats.json',
        'meta/tasks.parquet', f'videos/{FRONT}/chunk-000/file-000.mp4',
        f'videos/{FRONT}/chunk-000/file-001.mp4', f'videos/{WRIST}/chunk-000/file-000.mp4',
        f'videos/{WRIST}/chunk-000/file-001.mp4']
    assert not (dataset / '.apprentice').exists()


def test_info(dataset: Path) -> None:
    """info.json has LeRobot's keys, the camera's parameters among them."""
    text = (dataset / 'meta/info.json').read_text()
    info = json.loads(text)
    assert text.startswith('{\n    "codebase_version": "v3.0",')
    assert set(info) == {
        'codebase_version', 'fps', 'features', 'total_episodes', 'total_frames', 'total_tasks',
        'chunks_size', 'data_files_size_in_mb', 'video_files_size_in_mb', 'data_path',
        'video_path', 'robot_type', 'splits'}
    assert [info[name] for name in ('total_episodes', 'total_frames', 'total_tasks', 'splits')] \
        == [2, 25, 2, {'train': '0:2'}]
    assert list(info['features'])[-5:] == [
        'timestamp', 'frame_index', 'episode_index', 'index', 'task_index']
    assert info['features']['next.done'] == {'dtype': 'bool', 'shape': [1], 'names': None}
    assert info['features'][FRONT] == {
        'dtype': 'video', 'shape': [48, 64, 3], 'names': ['height', 'width', 'channels'],
        'info': {'video.height': 48, 'video.width': 64, 'video.codec': 'h264',
                 'video.pix_fmt': 'yuv420p', 'video.fps': 30, 'video.channels': 3,
                 'has_audio': False, 'video.g': 10, 'video.crf': 23,
                 'video.preset': 'superfast', 'video.fast_decode': 0,
                 'video.video_backend': 'pyav', 'video.extra_options': {},
                 'is_depth_map': False}}


def test_data_files(dataset: Path) -> None:
    """Columns have the declared Arrow types and the footer that `datasets` reads."""
    file = pq.ParquetFile(dataset / 'data/chunk-000/file-001.parquet')
    schema = file.schema_arrow
    vector = pa.list_(pa.field('element', pa.float32()), 3)
    types = {name: schema.field(name).type for name in schema.names}
    assert types['observation.state'] == vector and types['action'] == vector
    assert types['next.reward'] == pa.float32() and types['next.done'] == pa.bool_()
    assert types['note'] == pa.string()
    assert types['observation.pair'] == pa.list_(pa.field('element', pa.int64()), 2)
    assert types['timestamp'] == pa.float32() and types['index'] == pa.int64()
    assert FRONT not in types
    matrix = schema.field('observation.jac')
    assert matrix.metadata == {
        b'ARROW:extension:name': b'datasets.features.features.Array2DExtensionType',
        b'ARROW:extension:metadata': b'[[2, 3], "float32"]'}
    footer = json.loads(schema.metadata[b'huggingface'])
    assert len(footer['fingerprint']) == 16
    features = footer['info']['features']
    assert list(features) == schema.names
    assert features['observation.state'] == {
        'feature': {'dtype': 'float32', '_type': 'Value'}, 'length': 3, '_type': 'List'}
    assert features['observation.jac'] == {
        'shape': [2, 3], 'dtype': 'float32', '_type': 'Array2D'}
    assert features['note'] == {'dtype': 'string', '_type': 'Value'}
    assert file.num_row_groups == 1
    group = file.metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    assert {column.compression for column in columns} == {'SNAPPY'}
    # Saving a long episode is slow, and its file larger, with dictionaries of measured values.
    assert {column.path_in_schema for column in columns if column.has_dictionary_page} == {
        'note', 'episode_index', 'task_index'}


def test_rows(dataset: Path) -> None:
    """The reserved columns count as the format says, and values come back."""
    table = pq.read_table(dataset / 'data/chunk-000/file-001.parquet')
    assert table['frame_index'].to_pylist() == list(range(5))
    assert table['index'].to_pylist() == list(range(20, 25))
    assert table['episode_index'].to_pylist() == [1] * 5
    assert table['task_index'].to_pylist() == [1] * 5
    expected = (np.arange(5) / 30).astype(np.float32)
    assert np.array_equal(table['timestamp'].to_numpy(), expected)
    assert table['observation.jac'][4].as_py() == [[0, 1, 2], [3, 4, 5]]
    assert table['note'][0].as_py() == 'größer'
    assert table['observation.state'][3].as_py() == [3.0, 3.25, -3.0]


def test_tasks(dataset: Path) -> None:
    """The task strings are the pandas index of tasks.parquet."""
    table = pq.read_table(dataset / 'meta/tasks.parquet')
    assert table.schema.names == ['task_index', 'task']
    assert table['task'].to_pylist() == ['pick the cube', 'stack the cube']
    pandas = json.loads(table.schema.metadata[b'pandas'])
    assert pandas['index_columns'] == ['task']


def test_episodes(dataset: Path) -> None:
    """meta/episodes has the recorder's columns in its order, and every value."""
    tables = [pq.read_table(dataset / f'meta/episodes/chunk-000/file-00{number}.parquet')
              for number in range(2)]
    names = tables[0].schema.names
    assert tables[0].schema.equals(tables[1].schema) and tables[0].schema.metadata is None
    assert names[:7] == ['episode_index', 'tasks', 'length', 'data/chunk_index',
                         'data/file_index', 'dataset_from_index', 'dataset_to_index']
    assert names[7:11] == [f'videos/{FRONT}/{name}' for name in (
        'chunk_index', 'file_index', 'from_timestamp', 'to_timestamp')]
    assert names[-2:] == ['meta/episodes/chunk_index', 'meta/episodes/file_index']
    statistics = [name for name in names if name.startswith('stats/')]
    # Two cameras, state, action, four of five extras (no string), five reserved; ten each.
    assert len(statistics) == 130 and not any('/note/' in name for name in names)
    assert tables[0].schema.field(f'stats/{FRONT}/mean').type == pa.list_(
        pa.list_(pa.list_(pa.float64())))
    assert tables[0].schema.field('stats/action/count').type == pa.list_(pa.int64())
    row = tables[1].to_pylist()[0]
    assert (row['episode_index'], row['tasks'], row['length']) == (1, ['stack the cube'], 5)
    assert (row['dataset_from_index'], row['dataset_to_index']) == (20, 25)
    assert (row['data/file_index'], row['meta/episodes/file_index']) == (1, 1)
    assert row[f'videos/{WRIST}/from_timestamp'] == 0.0
    assert row[f'videos/{WRIST}/to_timestamp'] == 5 / 30
    assert len(row['stats/observation.jac/mean']) == 3
    assert row['stats/index/min'] == [20.0]


def test_video(dataset: Path) -> None:
    """Stamps are exactly n/fps from 0 on, groups have 10 frames, nothing is reordered."""
    with av.open(str(dataset / f'videos/{FRONT}/chunk-000/file-000.mp4')) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ('h264', 'yuv420p')
        assert stream.time_base.denominator == 15360 and stream.start_time in (0, None)
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert [packet.pts for packet in packets] == [512 * number for number in range(20)]
    assert [packet.dts for packet in packets] == [packet.pts for packet in packets]
    assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == [0, 10]
    assert {packet.duration for packet in packets} == {512}


def test_stats(dataset: Path) -> None:
    """stats.json holds every feature but strings, cameras as (3, 1, 1) in [0, 1]."""
    stats = json.loads((dataset / 'meta/stats.json').read_text())
    info = json.loads((dataset / 'meta/info.json').read_text())
    assert set(stats) == set(info['features']) - {'note'}
    assert set(stats['action']) == {'min', 'max', 'mean', 'std', 'count', 'q01', 'q10', 'q50',
                                    'q90', 'q99'}
    assert stats['action']['count'] == [25] and stats['index']['max'] == [24.0]
    assert np.shape(stats[FRONT]['mean']) == (3, 1, 1) and stats[FRONT]['count'] == [25]
    assert 0.0 <= np.min(stats[FRONT]['min']) <= np.max(stats[FRONT]['max']) <= 1.0
    assert stats['next.done']['max'] == [0.0]


def test_an_empty_dataset_is_one(tmp_path: Path) -> None:
    """A dataset without an episode says so in info.json and has no other file."""
    make(tmp_path / 'dataset')
    files = [path.name for path in (tmp_path / 'dataset').rglob('*') if path.is_file()]
    assert files == ['info.json']
