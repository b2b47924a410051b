# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Give tests a Hub of their own, and a dataset to push to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import shutil

from hub_server import Hub
from hub_server import serving
from hubbed import environment
from hubbed import LENGTHS
import pytest
from recording import make


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve an empty Hub, to which the environment leads with the writer's token."""
    for name in ('HF_HUB_OFFLINE', 'HF_LEROBOT_HOME'):
        monkeypatch.delenv(name, raising=False)
    with serving(tmp_path / 'served') as started:
        for name, value in environment(started, tmp_path / 'home').items():
            monkeypatch.setenv(name, value)
        # The client has read its own when another test imported it.
        monkeypatch.setattr('huggingface_hub.constants.HF_HUB_DISABLE_XET', True)
        yield started


@pytest.fixture(scope='session')
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record three episodes, each in files of its own; not to be changed."""
    root = tmp_path_factory.mktemp('recorded') / 'cubes'
    make(root, *LENGTHS)
    return root


@pytest.fixture
def dataset(recorded: Path, tmp_path: Path) -> Path:
    """Return a copy of that dataset."""
    return Path(shutil.copytree(recorded, tmp_path / 'dataset'))
