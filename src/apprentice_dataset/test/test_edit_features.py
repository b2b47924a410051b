# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Features are added, removed and renamed, and tasks changed; all else stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apprentice_dataset.command_line import main
from apprentice_dataset.command_line import VERBS
from apprentice_dataset.edit.features import add_feature
from apprentice_dataset.edit.features import modify_tasks
from apprentice_dataset.edit.features import remove_feature
from apprentice_dataset.edit.features import rename_feature
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.reader import Dataset
from apprentice_dataset.statistics import numeric_statistics
from apprentice_dataset.writer import DatasetWriter
from edits import is_made_of
from edits import is_sound
from edits import recorded
from edits import videos
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording import FRONT
from recording import record
from recording import spec
from recording import WRIST

TOP = 'observation.images.top'
ROWS = 20


@pytest.fixture(scope='module')
def source(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two episodes of 12 and 8 rows."""
    return Dataset.open(recorded(tmp_path_factory.mktemp('edit') / 'source', 12, 8))


@pytest.mark.parametrize('feature, values', [
    (Feature('float32', (1,)), np.linspace(0, 1, ROWS)),
    (Feature('int64', (2,), ['a', 'b']), np.arange(2 * ROWS).reshape(ROWS, 2)),
    (Feature('float64', (2, 3)), np.arange(6.0 * ROWS).reshape(ROWS, 2, 3)),
    (Feature('bool', (1,)), np.arange(ROWS) % 2 == 0),
    (Feature('string', (1,)), [f'größer {row}' for row in range(ROWS)])])
def test_a_feature_is_added(
    source: Dataset, tmp_path: Path, feature: Feature, values: Any,
) -> None:
    """Its values and statistics are there, videos are linked, nothing else has changed."""
    add_feature(source.root, 'note.new', feature, values, tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    is_made_of(result, [(source, 0), (source, 1)], without=['note.new'])
    assert videos(result) == videos(source)
    found = [value for episode in (0, 1) for value in result.rows(episode)['note.new'].to_pylist()]
    if feature.dtype == 'string':
        assert found == values and 'note.new' not in result.metadata.stats
        return
    cast = np.asarray(values).astype(feature.dtype)
    assert found == cast.tolist()
    for key, value in numeric_statistics(cast[12:]).items():
        np.testing.assert_array_equal(result.metadata.episode_stats(1)['note.new'][key], value)
    for key in ('min', 'max', 'mean', 'std', 'count'):
        np.testing.assert_allclose(result.metadata.stats['note.new'][key],
                                   numeric_statistics(cast)[key], rtol=1e-9, atol=1e-9)


def test_a_feature_is_computed(source: Dataset, tmp_path: Path) -> None:
    """A function is given each episode's rows."""
    add_feature(source.root, 'state.first', Feature('float32', (1,)),
                lambda episode, rows: [state[0] for state in
                                       rows['observation.state'].to_pylist()], tmp_path / 'out')
    assert is_sound(tmp_path / 'out').rows(1)['state.first'].to_pylist() == [
        100.0 + row for row in range(8)]


def test_values_come_from_a_file(source: Dataset, tmp_path: Path) -> None:
    """A .npy and a column of a .parquet give the same."""
    values = np.arange(3 * ROWS, dtype=np.float32).reshape(ROWS, 3)
    np.save(tmp_path / 'x.npy', values)
    pq.write_table(pa.table({'x': values.tolist(), 'y': ['a'] * ROWS}), tmp_path / 'x.parquet')
    found = []
    for name in ('x.npy', 'x.parquet'):
        assert main(['add-feature', str(source.root), '--output', str(tmp_path / f'{name}.out'),
                     '--feature-name', 'x', '--values', str(tmp_path / name), '--dtype',
                     'float32', '--names', 'a', 'b', 'c']) == 0
        result = is_sound(tmp_path / f'{name}.out')
        assert result.info.features['x'] == Feature('float32', (3,), ['a', 'b', 'c'])
        found.append(result.rows(1)['x'].to_pylist())
    assert found == [values[12:].tolist()] * 2


@pytest.mark.parametrize('name, feature, values, words', [
    ('x', Feature('float32', (1,)), np.zeros(7), 'found 7 values, expected 20'),
    ('x', Feature('float32', (2,)), np.zeros((ROWS, 3)), 'found shape'),
    ('x', Feature('int64', (1,)), np.zeros(ROWS), 'found float64, expected int64'),
    ('action', Feature('float32', (1,)), np.zeros(ROWS), 'there already'),
    ('a/b', Feature('float32', (1,)), np.zeros(ROWS), 'a name without "/"'),
    ('x.image', Feature('float32', (1,)), np.zeros(ROWS), 'without "image"'),
    (TOP, Feature('video', (4, 4, 3)), np.zeros(ROWS), 'a number or a string')])
def test_what_cannot_be_added(
    source: Dataset, tmp_path: Path, name: str, feature: Feature, values: Any, words: str,
) -> None:
    """It is refused, and nothing is written."""
    with pytest.raises(DatasetError, match=words):
        add_feature(source.root, name, feature, values, tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_other_things_is_refused(tmp_path: Path, source: Dataset) -> None:
    """Pickles are not read, nor what is no table."""
    np.save(tmp_path / 'x.npy', np.array([{}] * ROWS, object), allow_pickle=True)
    (tmp_path / 'x.parquet').write_bytes(b'PAR1')
    for name in ('x.npy', 'x.parquet', 'missing.npy'):
        assert main(['add-feature', str(source.root), '--output', str(tmp_path / 'out'),
                     '--feature-name', 'x', '--values', str(tmp_path / name)]) == 1
    assert not (tmp_path / 'out').exists()


def test_a_camera_goes_with_all_it_has(source: Dataset, tmp_path: Path) -> None:
    """Neither mp4s nor columns nor statistics of it stay."""
    remove_feature(source.root, [WRIST, 'action'], tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    is_made_of(result, [(source, 0), (source, 1)])
    assert not [name for name in result.metadata.episodes_schema.names
                if WRIST in name or '/action/' in name]
    assert sorted(result.metadata.stats) == sorted(result.info.features)
    assert all(name.startswith(f'videos/{FRONT}/') for name in videos(result))
    remove_feature(tmp_path / 'out', [FRONT], None)
    result = is_sound(tmp_path / 'out')
    assert result.info.video_path is None and not (tmp_path / 'out/videos').exists()


def test_features_are_renamed(source: Dataset, tmp_path: Path) -> None:
    """Tables, statistics, folders and order follow; two names can be exchanged."""
    names = {FRONT: WRIST, WRIST: FRONT, 'action': 'action.joints'}
    rename_feature(source.root, names, tmp_path / 'out')
    result = is_sound(tmp_path / 'out')
    assert list(result.info.features)[:4] == [
        WRIST, FRONT, 'observation.state', 'action.joints']
    is_made_of(result, [(source, 0), (source, 1)], {new: old for old, new in names.items()})


@pytest.mark.parametrize('names, words', [
    ({'none': 'x'}, "no feature 'none'"), ({'index': 'x'}, 'not every dataset has'),
    ({'action': 'observation.state'}, 'twice'), ({'action': 'an.image'}, 'without "image"'),
    ({FRONT: 'front'}, 'a name with "image"'), ({'action': 'index'}, 'twice'),
    ({'action': '..'}, 'a name without')])
def test_what_cannot_be_renamed(
    source: Dataset, tmp_path: Path, names: dict[str, str], words: str,
) -> None:
    """It is refused, and nothing is written."""
    with pytest.raises(DatasetError, match=words):
        rename_feature(source.root, names, tmp_path / 'out')
    with pytest.raises(DatasetError):
        remove_feature(source.root, ['none'], tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


def test_an_episode_of_several_tasks_keeps_several(tmp_path: Path) -> None:
    """Replacing one text leaves the rows of the other task alone."""
    with DatasetWriter.create(tmp_path / 'data', spec()) as writer:
        for _ in range(2):
            episode = writer.begin_episode()
            record(episode, 4, task='reach')
            record(episode, 3, first=4, task='grasp')
            episode.save()
    modify_tasks(tmp_path / 'data', None, episode_tasks={1: 'all'},
                 task_replacements={'grasp': 'grasp the cube'})
    result = is_sound(tmp_path / 'data')
    assert list(result.tasks) == ['reach', 'grasp the cube', 'all']
    assert [episode.tasks for episode in result.episodes] == [
        ('reach', 'grasp the cube'), ('all',)]
    assert result.rows(0)['task_index'].to_pylist() == [0] * 4 + [1] * 3
    modify_tasks(tmp_path / 'data', None, new_task='one', task_replacements={'reach': 'two'})
    assert [episode.tasks for episode in is_sound(tmp_path / 'data').episodes] == [
        ('two', 'one'), ('one',)]
    for wrong, words in (({'episode_tasks': {2: 'x'}}, 'found episode 2'),
                         ({'task_replacements': {'x': 'y'}}, "no task 'x'"), ({}, 'no new task')):
        with pytest.raises(DatasetError, match=words):
            modify_tasks(tmp_path / 'data', None, **wrong)


def test_the_command_line(source: Dataset, tmp_path: Path,
                          capsys: pytest.CaptureFixture[str]) -> None:
    """Options are LeRobot's; every verb has the line that the table says, and its help."""
    root, out = str(source.root), str(tmp_path / 'out')
    assert main(['modify-tasks', root, '--output', out, '--new-task', 'x', '--episode-tasks',
                 '{"1": "y"}']) == 0
    assert main(['rename-feature', out, '--in-place', '--names', 'action=action.joints']) == 0
    assert main(['remove-feature', out, '--in-place', '--feature-names', 'action.joints']) == 0
    assert list(is_sound(Path(out)).tasks) == ['x', 'y']
    assert '2 episode(s), 20 row(s), 2 task(s)' in capsys.readouterr().out
    for verb in ('add-feature', 'modify-tasks', 'remove-feature', 'rename-feature',
                 'delete-episodes', 'split', 'merge', 'trim', 'compact', 'info', 'validate',
                 'repair'):
        with pytest.raises(SystemExit) as caught:
            main([verb, '--help'])
        said = ' '.join(capsys.readouterr().out.split())
        assert caught.value.code == 0 and VERBS[verb] in said
    for wrong in (['modify-tasks', root, '--output', out, '--episode-tasks', '[]'],
                  ['rename-feature', root, '--output', out, '--names', 'x']):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2
