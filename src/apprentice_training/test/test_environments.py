# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Kinds of environments: ours, adapters, other packages', folders of EnvHub."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
import os
from pathlib import Path
import subprocess
import sys

from apprentice_training.environments.config import EnvConfig
from apprentice_training.environments.hub import folder_hash
from apprentice_training.environments.hub import HubConfig
from apprentice_training.environments.so100 import SO100Config
from apprentice_training.environments.so100 import TASKS
from apprentice_training.errors import TrainingError
import pytest

gymnasium = pytest.importorskip('gymnasium')

HUB_ENV = """
import gymnasium
from part import LENGTH

class Env(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Box(-1, 1, (2,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = LENGTH
        return self.observation_space.sample() * 0, {}

    def step(self, action):
        self.left -= 1
        return action, 1.0, self.left == 0, False, {'is_success': self.left == 0}

def make_env(n_envs=1, use_async_envs=False):
    make = [Env] * n_envs
    return {'suite': {0: gymnasium.vector.SyncVectorEnv(make),
                      1: gymnasium.vector.SyncVectorEnv(make)}}
"""


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Return a folder as EnvHub has them."""
    folder = tmp_path / 'hub'
    (folder / 'deep').mkdir(parents=True)
    (folder / 'env.py').write_text(HUB_ENV)
    (folder / 'part.py').write_text('LENGTH = 3\n')
    (folder / 'deep' / 'mesh.bin').write_bytes(bytes(100))
    return folder


def test_a_folder_runs_only_with_its_hash(hub: Path) -> None:
    """Without the hash nothing of it is executed; the refusal tells the hash."""
    (hub / 'part.py').write_text("raise SystemExit('executed')\n")
    with pytest.raises(TrainingError, match='no --env.trust_hash') as refused:
        list(HubConfig(path=str(hub)).vectors(2, False, False))
    assert str(refused.value).endswith(f'--env.trust_hash={folder_hash(hub)}')


def test_a_changed_file_is_not_trusted(hub: Path) -> None:
    """Any change of contents, name or number of files asks for trust again."""
    trusted = folder_hash(hub)
    for change in ('mesh.bin', 'other.bin'):
        (hub / 'deep' / change).write_bytes(bytes(99))
        with pytest.raises(TrainingError, match='a program that would run'):
            list(HubConfig(path=str(hub), trust_hash=trusted).vectors(2, False, False))
        (hub / 'deep' / change).unlink()
        (hub / 'deep' / 'mesh.bin').write_bytes(bytes(100))
    assert folder_hash(hub) == trusted


def test_a_link_is_refused(hub: Path, tmp_path: Path) -> None:
    """What a link leads to can change after it was trusted."""
    (tmp_path / 'outside.py').write_text('LENGTH = 4\n')
    (hub / 'part.py').unlink()
    (hub / 'part.py').symlink_to(tmp_path / 'outside.py')
    with pytest.raises(TrainingError, match='part.py: found a link'):
        list(HubConfig(path=str(hub), trust_hash='0' * 64).vectors(1, False, False))


def test_a_trusted_folder_gives_its_tasks(hub: Path) -> None:
    """What `make_env` returns may be dictionaries of vectors; `task` chooses among them."""
    trusted = folder_hash(hub)
    config = HubConfig(path=str(hub), trust_hash=trusted)
    assert [name for name, _ in config.vectors(2, False, False)] == ['suite/0', 'suite/1']
    config.task = 'suite/1'
    (name, vector), = config.vectors(2, False, False)
    assert name == 'suite/1' and vector.num_envs == 2


def test_a_folder_without_an_environment_is_refused(tmp_path: Path) -> None:
    """The error says what is expected there."""
    with pytest.raises(TrainingError, match='found no env.py'):
        list(HubConfig(path=str(tmp_path)).vectors(1, False, False))


@pytest.mark.parametrize('kind', ['pusht', 'aloha'])
def test_a_missing_package_is_named(kind: str) -> None:
    """One error says what to install."""
    if find_spec(f'gym_{kind}') is not None:
        pytest.skip(f'gym_{kind} is installed')
    config = EnvConfig.get_choice_class(kind)()
    with pytest.raises(TrainingError, match=f'install it: pip install gym-{kind}'):
        list(config.vectors(1, False, False))


@EnvConfig.register_subclass('broken_test_env')
@dataclass
class BrokenConfig(EnvConfig):
    """One that needs a newer version of something."""

    task: str | None = 'any'

    def make(self, task: str, render: bool) -> object:
        """Fail."""
        raise AttributeError('no add_handler')


def test_an_environment_that_cannot_begin_is_told() -> None:
    """Anybody's error becomes one line that says where it came from."""
    with pytest.raises(TrainingError, match=r'any: found AttributeError: no add_handler'
                                            r'.*test_environments\.py, line \d+\)'):
        list(BrokenConfig().vectors(1, False, False))


def test_another_packages_environment_is_found(tmp_path: Path) -> None:
    """An entry point in the group adds a kind to --env.type."""
    info = tmp_path / 'theirs-1.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: theirs\nVersion: 1\n')
    (info / 'entry_points.txt').write_text(
        '[apprentice_training.environments]\ntheirs = their_environments\n')
    (tmp_path / 'their_environments.py').write_text(
        'from dataclasses import dataclass\n'
        'from apprentice_training.environments.config import EnvConfig\n'
        "@EnvConfig.register_subclass('theirs')\n@dataclass\nclass Theirs(EnvConfig):\n"
        '    """Theirs."""\n\n    friction: float = 0.5\n')
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, '-m', 'apprentice_training.evaluate', '--help'],
        env={**os.environ, 'PYTHONPATH': path}, capture_output=True, text=True, timeout=60,
        check=True)
    assert 'theirs' in done.stdout and '--env.friction' in done.stdout


def test_so100_has_the_tasks_of_the_simulation() -> None:
    """The table of tasks names those that apprentice_sim registers, with their words."""
    ours = pytest.importorskip('apprentice_sim.gymnasium_env')
    named = {name.partition('/')[2]: kind.task_description for name, kind in (
        (ours.PICK_PLACE, ours.SO100PickPlaceEnv), (ours.REACH, ours.SO100ReachEnv))}
    assert named == TASKS
    with pytest.raises(TrainingError, match='SO100PickPlace-v0, SO100Reach-v0'):
        SO100Config(task='Tower-v0').tasks()


def test_observations_get_the_policies_names() -> None:
    """Environments of LeRobot's kind and ours end at the same keys."""
    found = SO100Config().observation(
        {'pixels': {'top': 1, 'wrist': 2}, 'agent_pos': 3, 'observation.state.more': 4})
    assert found == {'observation.images.top': 1, 'observation.images.wrist': 2,
                     'observation.state': 3, 'observation.state.more': 4}
    assert SO100Config().observation({'pixels': 1, 'environment_state': 2}) == {
        'observation.image': 1, 'observation.environment_state': 2}
    assert SO100Config().observation(5) == {'observation.state': 5}
