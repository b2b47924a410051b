# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Files that an edit leaves as they are become links; neither tree is changed by the other."""

from __future__ import annotations

from pathlib import Path
import shutil

from apprentice_dataset.edit import engine
from apprentice_dataset.edit.anew import recompute_stats
from apprentice_dataset.edit.anew import reencode
from apprentice_dataset.edit.episodes import compact
from apprentice_dataset.edit.episodes import delete_episodes
from apprentice_dataset.edit.features import modify_tasks
from apprentice_dataset.edit.features import remove_feature
from apprentice_dataset.edit.features import rename_feature
from apprentice_dataset.edit.merge import merge
from apprentice_dataset.edit.plan import opened_source
from apprentice_dataset.edit.plan import plain_plan
from apprentice_dataset.edit.plan import whole_pieces
from apprentice_dataset.edit.shards import shards
from apprentice_dataset.features import VideoSettings
from apprentice_dataset.reader import Dataset
from apprentice_dataset.repair import repair
from apprentice_dataset.writer import DatasetWriter
from edits import golden
from edits import is_made_of
from edits import is_sound
from edits import recorded
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording import FRONT
from recording import record
from recording import spec

DATA = 'data/chunk-000/file-000.parquet'


@pytest.fixture(scope='module')
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record three episodes and pack them: a file of each kind, alone in its place."""
    folder = tmp_path_factory.mktemp('packed')
    compact(recorded(folder / 'small', 12, 20, 15), folder / 'data')
    return folder / 'data'


def _linked(result: Path, source: Path) -> list[str]:
    """Return the files of two trees that are one file."""
    return [path.relative_to(result).as_posix() for path in sorted(result.rglob('*'))
            if path.is_file() and (other := source / path.relative_to(result)).exists()
            and other.samefile(path)]


def _contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}


def test_compact_links_what_needs_no_joining(packed: Path, tmp_path: Path) -> None:
    """Rows and videos that are packed already keep their inode; small ones are joined."""
    small = packed.with_name('small')
    assert not [name for name in _linked(packed, small) if 'apprentice' not in name]
    compact(packed, tmp_path / 'out')
    assert {name for name in _linked(tmp_path / 'out', packed) if 'apprentice' not in name} \
        == {path.relative_to(packed).as_posix() for path in packed.glob('*/**/file-*')
            if path.parts[-4] != 'meta' and 'episodes' not in path.parts}
    is_made_of(is_sound(tmp_path / 'out'), [(Dataset.open(small), number) for number in range(3)])
    inode = (packed / DATA).stat().st_ino
    shutil.copytree(tmp_path / 'out', tmp_path / 'own')
    before = (tmp_path / 'own' / DATA).stat().st_ino
    compact(tmp_path / 'own', None)
    assert (tmp_path / 'own' / DATA).stat().st_ino == before != inode


def test_neither_tree_changes_the_other(packed: Path, tmp_path: Path) -> None:
    """What is recorded, repaired and edited in place in the result leaves the source alone."""
    root, out = shutil.copytree(packed, tmp_path / 'data'), tmp_path / 'out'
    compact(root, out)
    assert DATA in _linked(out, root)
    before = _contents(root)
    with DatasetWriter.resume(out, spec()) as writer:
        episode = writer.begin_episode()
        record(episode, 6, task='a new one')
        episode.save({'contracts/1.yaml': b'version: 2\n'})
    with DatasetWriter.resume(out, spec()) as writer:
        record(writer.begin_episode(), 5)
    assert repair(out)
    assert _contents(root) == before
    modify_tasks(out, None, new_task='another')
    delete_episodes(out, [0], None)
    recompute_stats(out, None)
    assert _contents(root) == before
    between = _contents(out)
    modify_tasks(root, None, new_task='the other')
    assert _contents(out) == between
    is_sound(out)
    is_sound(root)


def test_every_edit_links_rows_that_stay(packed: Path, tmp_path: Path) -> None:
    """Where columns, numbers and tasks stay, so does the file; else it is written."""
    edits = {
        'statistics': lambda out: recompute_stats(packed, out),
        'encoded': lambda out: reencode(packed, VideoSettings(g=4), out),
        'camera': lambda out: remove_feature(packed, [FRONT], out),
        'renamed camera': lambda out: rename_feature(packed, {FRONT: 'observation.images.a'}, out),
        'merged': lambda out: merge([packed, packed], out)}
    for name, edit in edits.items():
        edit(tmp_path / name)
        is_sound(tmp_path / name)
        assert (DATA in _linked(tmp_path / name, packed)) == (name != 'merged'), name
    others = {
        'column': lambda out: remove_feature(packed, ['action'], out),
        'tasks': lambda out: modify_tasks(packed, out, episode_tasks={1: 'task 0'}),
        'fewer': lambda out: delete_episodes(packed, [2], out)}
    for name, edit in others.items():
        edit(tmp_path / name)
        is_sound(tmp_path / name)
        assert DATA not in _linked(tmp_path / name, packed), name


@pytest.mark.parametrize('change', ['timestamp', 'footer', 'groups', 'width'])
def test_what_we_would_write_otherwise_is_written(
    packed: Path, tmp_path: Path, change: str,
) -> None:
    """A file with other times, without the footer or in other row groups is no link."""
    root = shutil.copytree(packed, tmp_path / 'data')
    table = pq.read_table(root / DATA)
    if change == 'timestamp':
        place = table.column_names.index('timestamp')
        values = table['timestamp'].to_numpy() + np.float32(0.001)
        table = table.set_column(place, table.schema.field(place), pa.array(values))
    if change == 'width':
        place = table.column_names.index('task_index')
        table = table.set_column(place, 'task_index', table['task_index'].cast(pa.int32()))
    if change == 'footer':
        table = table.replace_schema_metadata(None)
    size = 47 if change == 'groups' else 1
    with pq.ParquetWriter(root / DATA, table.schema) as file:
        for begin, length in ((0, 47),) if size == 47 else ((0, 12), (12, 20), (32, 15)):
            file.write_table(table.slice(begin, length))
    compact(root, tmp_path / 'out')
    assert DATA not in _linked(tmp_path / 'out', root)
    for one, other in ((tmp_path / 'out', packed),):
        assert pq.read_table(one / DATA).equals(pq.read_table(other / DATA), check_metadata=True)


def test_what_lerobot_wrote_is_linked(tmp_path: Path) -> None:
    """Its own files are of the same form."""
    source = golden('video', tmp_path)
    recompute_stats(source, tmp_path / 'out')
    assert [name for name in _linked(tmp_path / 'out', source) if name.startswith('data/')]


def test_meta_is_the_same_with_and_without_links(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Statistics and places do not depend on whether rows were written."""
    recompute_stats(packed, tmp_path / 'linked')
    monkeypatch.setattr(engine, 'shards', lambda plan, limit: [
        type(one)(one.path, one.positions, False) for one in shards(plan, limit)])
    recompute_stats(packed, tmp_path / 'written')
    assert DATA not in _linked(tmp_path / 'written', packed)
    for path in (tmp_path / 'linked/meta').rglob('*'):
        if path.is_file():
            assert path.read_bytes() == (
                tmp_path / 'written' / path.relative_to(tmp_path / 'linked')).read_bytes()
    assert pq.read_table(tmp_path / 'written' / DATA).equals(pq.read_table(packed / DATA))


def test_shards(packed: Path) -> None:
    """Files at the limit stay alone, smaller ones are joined; pieces keep their order."""
    metadata = opened_source(packed.with_name('small'))
    plan = plain_plan(metadata, whole_pieces(0, metadata, range(3)), metadata.tasks)
    assert [shard.link for shard in shards(plan, 1)] == [True] * 3
    assert [shard.link for shard in shards(plan, 1 << 20)] == [False] * 3
    plan = plain_plan(metadata, whole_pieces(0, metadata, [0, 2]), metadata.tasks)
    found = shards(plan, 1)
    assert [(shard.positions, shard.link) for shard in found] == [
        (range(0, 1), True), (range(1, 2), False)]
    assert found[1].path.name == 'file-002.parquet'
