# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Datasets of scripted demonstrations, made without ROS."""
from __future__ import annotations

from pathlib import Path

from apprentice_dataset.reader import Dataset
from apprentice_sim.demonstrate_main import main
from apprentice_sim.workcell import Workcell
import numpy as np
import pytest

STATE, ENVIRONMENT, ACTION = 'observation.state', 'observation.environment_state', 'action'


def rows(root: Path, episode: int) -> dict[str, np.ndarray]:
    """Return the columns of an episode."""
    table = Dataset.open(root).rows(episode, [STATE, ENVIRONMENT, ACTION])
    return {name: np.stack(table[name].to_numpy()) for name in table.column_names}


def test_recorded_actions_lead_through_the_recorded_states(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Replaying an episode's actions in its world gives its states, and the cube in the bin."""
    assert main(['--root', str(tmp_path / 'set'), '--episodes', '2', '--seed', '21']) == 0
    assert 'kept 2 of 2 demonstrations' in capsys.readouterr().out
    dataset = Dataset.open(tmp_path / 'set')
    assert dataset.info.fps == 30 and list(dataset.tasks) == ['put the cube into the bin']
    cell = Workcell('so100')
    for episode in range(2):
        recorded = rows(tmp_path / 'set', episode)
        cell.reset(21 + episode)
        for index, action in enumerate(recorded[ACTION]):
            assert np.array_equal(cell.joints(), recorded[STATE][index])
            assert np.array_equal(cell.cube(), recorded[ENVIRONMENT][index])
            assert not cell.physics.cube_in_bin()
            cell.step(action)
        assert cell.physics.cube_in_bin()


def test_a_seed_gives_the_same_dataset_and_more_is_added(tmp_path: Path) -> None:
    """The same seed gives the same rows, and a second call goes on with the dataset."""
    arguments = ['--root', str(tmp_path), '--episodes', '1', '--seed', '4']
    assert main(arguments) == 0 and main(arguments) == 0
    first, second = rows(tmp_path, 0), rows(tmp_path, 1)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_pictures_are_recorded(tmp_path: Path, opengl: str) -> None:
    """With --cameras every row has a picture of each camera, of the size asked for."""
    assert main(['--root', str(tmp_path), '--episodes', '1', '--cameras', '32',
                 '--camera', 'front', '--no-environment-state']) == 0
    dataset = Dataset.open(tmp_path)
    frame = dataset.frame(0, 'observation.images.front', len(dataset) - 1)
    assert frame.shape == (32, 32, 3) and frame.std() > 10
    assert not {'observation.images.wrist', ENVIRONMENT} & set(dataset.info.features)


def test_what_cannot_be_is_refused(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another folder's contents, an odd size and a negative seed end with 2 and a reason."""
    (tmp_path / 'notes.txt').write_text('mine')
    assert main(['--root', str(tmp_path)]) == 2
    assert 'notes.txt' in capsys.readouterr().err
    for flag, value in (('--cameras', '33'), ('--seed', '-1'), ('--episodes', '0')):
        with pytest.raises(SystemExit) as ended:
            main(['--root', str(tmp_path / 'new'), flag, value])
        assert ended.value.code == 2 and flag in capsys.readouterr().err
