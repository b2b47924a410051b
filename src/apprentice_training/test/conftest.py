# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the tests of training share: datasets, a policy of another package, a Hub."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import shutil
import subprocess
import sys

from apprentice_policies.registry import load_entry_points
from apprentice_training.environments.registry import load_environments
import pytest
from training_cases import make

SOURCE = Path(__file__).resolve().parents[2]
sys.path += [str(SOURCE / name / 'test') for name in ('apprentice_policies', 'apprentice_dataset')]


@pytest.fixture(scope='session')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset of three episodes without pictures."""
    return make(tmp_path_factory.mktemp('data') / 'plain', 12, 20, 8)


@pytest.fixture(scope='session')
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset of three episodes with a camera."""
    return make(tmp_path_factory.mktemp('data') / 'seen', 8, 9, 7, camera=True)


@pytest.fixture(scope='session')
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Build and install another package with a policy; return an environment that has it."""
    folder = tmp_path_factory.mktemp('probe')
    shutil.copytree(Path(__file__).with_name('probe_package'), folder / 'source')
    subprocess.run(
        [sys.executable, '-m', 'pip', 'install', '--quiet', '--no-index', '--no-deps',
         '--no-build-isolation', '--target', str(folder / 'installed'), str(folder / 'source')],
        check=True)
    sys.path.append(str(folder / 'installed'))
    load_entry_points.cache_clear()
    load_environments.cache_clear()
    path = os.pathsep.join([*filter(None, [os.environ.get('PYTHONPATH')]),
                            str(folder / 'installed')])
    yield {**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1'}
    sys.path.remove(str(folder / 'installed'))
    load_entry_points.cache_clear()


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Let torch use one thread, as a machine with many tests has to share."""
    torch = pytest.importorskip('torch')
    torch.set_num_threads(1)
