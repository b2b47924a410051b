# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Resume datasets, refuse those that hold something else, and let one writer in at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetBusy
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetReadOnly
from apprentice_dataset.errors import SchemaMismatch
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.features import VideoSettings
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
import pyarrow.parquet as pq
import pytest
from recording import CAMERA
from recording import check_counters
from recording import FRONT
from recording import make
from recording import plain_spec
from recording import record
from recording import spec
from recording import WRIST


def _with(name: str, feature: Feature | None) -> DatasetSpec:
    features = dict(spec().features)
    if feature is None:
        del features[name]
    else:
        features[name] = feature
    return replace(spec(), features=features)


@pytest.mark.parametrize(('other', 'fields'), [
    (replace(spec(), fps=25), ['fps']),
    (replace(spec(), robot_type='another'), ['robot_type']),
    (_with('action', Feature('float64', (3,), ['a.pos', 'b.pos', 'c.pos'])),
     ['features.action.dtype']),
    (_with('action', Feature('float32', (2,), ['a', 'b'])),
     ['features.action.shape', 'features.action.names']),
    (_with('action', Feature('float32', (3,), ['c.pos', 'b.pos', 'a.pos'])),
     ['features.action.names']),
    (_with('action', None), ['features.action']),
    (_with('more', Feature('bool', (1,))), ['features.more']),
    (_with(FRONT, replace(CAMERA, shape=(96, 128, 3))), [f'features.{FRONT}.shape']),
    (replace(spec(), video=VideoSettings('av1')),
     [f'features.{FRONT}.info.video.codec', f'features.{WRIST}.info.video.codec']),
    (replace(_with(WRIST, None), fps=10, robot_type=None),
     ['fps', 'robot_type', f'features.{WRIST}'])])
def test_every_difference_is_named(
    tmp_path: Path, other: DatasetSpec, fields: list[str],
) -> None:
    """Resuming with other rows is refused, and each differing field is named with values."""
    root = tmp_path / 'dataset'
    make(root, 2)
    before = {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}
    with pytest.raises(SchemaMismatch) as caught:
        DatasetWriter.resume(root, other)
    assert [one.where for one in caught.value.differences] == fields
    assert all(one.found != one.expected for one in caught.value.differences)
    assert {path: path.read_bytes() for path in root.rglob('*') if path.is_file()} == before


def _edit_info(root: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = root / 'meta/info.json'
    info = json.loads(path.read_text())
    change(info)
    path.write_text(json.dumps(info))


def test_pictures_in_parquet_are_refused(tmp_path: Path) -> None:
    """A dataset of dtype image is refused with a sentence."""
    make(tmp_path / 'dataset')
    _edit_info(tmp_path / 'dataset', lambda info: info['features'][FRONT].update(dtype='image'))
    with pytest.raises(SchemaMismatch, match='convert them to video first'):
        DatasetWriter.resume(tmp_path / 'dataset', spec())


def test_what_others_wrote_is_kept(tmp_path: Path) -> None:
    """Unknown keys of info.json, size limits and keys of features survive an episode."""
    root = tmp_path / 'dataset'
    kind = make(root, 3)

    def change(info: dict[str, Any]) -> None:
        info.update(tools=[{'name': 'say'}], data_files_size_in_mb=7, chunks_size=2)
        info['features']['action']['fps'] = 30

    _edit_info(root, change)
    with DatasetWriter.resume(root, kind) as writer:
        for _ in range(3):
            episode = writer.begin_episode()
            record(episode, 2)
            episode.save()
    info = json.loads((root / 'meta/info.json').read_text())
    assert info['tools'] == [{'name': 'say'}] and info['data_files_size_in_mb'] == 7
    assert info['features']['action']['fps'] == 30
    names = sorted(path.relative_to(root / 'data').as_posix()
                   for path in (root / 'data').rglob('*.parquet'))
    assert names == ['chunk-000/file-000.parquet', 'chunk-000/file-001.parquet',
                     'chunk-001/file-000.parquet', 'chunk-001/file-001.parquet']


def test_the_columns_of_episodes_are_kept(tmp_path: Path) -> None:
    """A dataset without quantiles, with a column of its own, stays so and stays loadable."""
    root = tmp_path / 'dataset'
    kind = make(root, 4)
    path = root / 'meta/episodes/chunk-000/file-000.parquet'
    table = pq.read_table(path)
    kept = [name for name in table.column_names if not name.rpartition('/')[2].startswith('q')]
    table = table.select(kept[::-1]).append_column('rating', [['good']])
    pq.write_table(table, path)
    stats = json.loads((root / 'meta/stats.json').read_text())
    slim = {name: {key: value for key, value in one.items() if not key.startswith('q')}
            for name, one in stats.items()}
    (root / 'meta/stats.json').write_text(json.dumps(slim))
    with DatasetWriter.resume(root, kind) as writer:
        episode = writer.begin_episode()
        record(episode, 16)
        episode.save()
    added = pq.read_table(root / 'meta/episodes/chunk-000/file-001.parquet')
    assert added.schema.names == table.schema.names
    assert added.schema.types == table.schema.types
    assert 'q50' not in json.loads((root / 'meta/stats.json').read_text())['action']
    assert validate(root, deep=True) == []
    check_counters(Dataset.open(root), 1, 16)


def test_numbers_follow_the_highest(tmp_path: Path) -> None:
    """A gap in file numbers is not filled, for a stale file may lie there."""
    root = tmp_path / 'dataset'
    kind = make(root, 2)
    stray = root / f'videos/{FRONT}/chunk-000/file-007.mp4'
    stray.write_bytes(b'stray')
    with DatasetWriter.resume(root, kind) as writer:
        episode = writer.begin_episode()
        record(episode, 2)
        episode.save()
    place = Dataset.open(root).episodes[1]
    assert place.videos[FRONT].number == (0, 8) and place.videos[WRIST].number == (0, 1)
    assert place.data == (0, 1) and stray.read_bytes() == b'stray'


def test_av1_datasets_go_on_in_av1(tmp_path: Path) -> None:
    """The codec belongs to the dataset: one begun in AV1, as lerobot does, is continued so."""
    root = tmp_path / 'dataset'
    kind = replace(spec(), video=VideoSettings('av1'))
    with DatasetWriter.create(root, kind) as writer:
        episode = writer.begin_episode()
        record(episode, 20)
        episode.save()
    with DatasetWriter.resume(root, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 20, first=30)
        episode.save()
    dataset = Dataset.open(root)
    assert (dataset.info.features[FRONT].info or {})['video.codec'] == 'av1'
    check_counters(dataset, 1, 20, 30)


HOLDER = """
import sys
from apprentice_dataset.writer import DatasetWriter
from recording import plain_spec
writer = DatasetWriter.resume(sys.argv[1], plain_spec())
print('holding', file=sys.stdout, flush=True)
sys.stdin.read()
"""


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """One writer at a time, in this process or another, which is named; a kill frees it."""
    root = tmp_path / 'dataset'
    with DatasetWriter.create(root, plain_spec()):
        with pytest.raises(DatasetBusy, match=f'process {os.getpid()} is writing'):
            DatasetWriter.resume(root, plain_spec())
        assert len(Dataset.open(root)) == 0
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(map(str, sys.path))}
    holder = subprocess.Popen([sys.executable, '-c', HOLDER, str(root)], env=environment,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == 'holding\n'
        with pytest.raises(DatasetBusy, match=f'process {holder.pid} is writing'):
            DatasetWriter.open_or_create(root, plain_spec())
    finally:
        holder.kill()
        holder.communicate()
    DatasetWriter.open_or_create(root, plain_spec()).close()


def test_folders_that_are_no_dataset(tmp_path: Path) -> None:
    """Creating over something and resuming nothing are refused; nothing is touched."""
    (tmp_path / 'thesis.tex').write_text('x')
    with pytest.raises(DatasetError, match='thesis.tex.*expected an empty folder'):
        DatasetWriter.create(tmp_path, plain_spec())
    with pytest.raises(DatasetBroken, match='info.json: found no such file'):
        DatasetWriter.resume(tmp_path, plain_spec())
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']
    with pytest.raises(DatasetError, match='no such folder'):
        DatasetWriter.resume(tmp_path / 'none', plain_spec())
    with pytest.raises(DatasetError, match='Not a directory|File exists'):
        DatasetWriter.create(tmp_path / 'thesis.tex', plain_spec())


def test_a_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be written is refused at once, and can still be read."""
    root = tmp_path / 'dataset'
    make(root, 3)
    # Root may write anywhere, whatever the mode says: let the system answer as for a user.
    monkeypatch.setattr(os, 'access', lambda *_: False)
    with pytest.raises(DatasetReadOnly, match='must be writable'):
        DatasetWriter.resume(root, spec())
    assert len(Dataset.open(root)) == 3


def test_a_closed_writer_says_so(tmp_path: Path) -> None:
    """After closing, no episode begins; closing twice is nothing."""
    writer = DatasetWriter.create(tmp_path / 'dataset', plain_spec())
    writer.begin_episode()
    with pytest.raises(DatasetError, match='save or discard it first'):
        writer.begin_episode()
    writer.close()
    writer.close()
    with pytest.raises(DatasetError, match='writer is closed'):
        writer.begin_episode()


@pytest.mark.parametrize('folder', ['data', 'videos', f'videos/{FRONT}', 'meta'])
def test_a_folder_elsewhere_is_refused_before_a_row_is_taken(tmp_path: Path, folder: str) -> None:
    """Through a link no episode could be published; a link to the whole dataset is none of it."""
    root = tmp_path / 'dataset'
    make(root, 5)
    (tmp_path / 'link').symlink_to(root)
    DatasetWriter.resume(tmp_path / 'link', spec()).close()
    (root / folder).rename(tmp_path / 'elsewhere')
    (root / folder).symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(DatasetError, match=f'{folder}: found a link to another place'):
        DatasetWriter.resume(root, spec())
