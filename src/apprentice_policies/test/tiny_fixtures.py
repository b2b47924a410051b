# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Install the tiny policy for a test session, and write a checkpoint of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import sys

from apprentice_policies.checkpoint import save_pretrained
from apprentice_policies.processors import make_processors
from apprentice_policies.registry import load_entry_points
import pytest
from tiny import policy
from tiny import STATS
import torch

ENTRY = '[apprentice_policies.policies]\ntiny = tiny_policy\n'


@pytest.fixture(scope='session', autouse=True)
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the registry find it as it finds any installed package."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp('site')
    information = folder / 'tiny_policy-0.1.dist-info'
    information.mkdir()
    (information / 'METADATA').write_text(
        'Metadata-Version: 2.1\nName: tiny-policy\nVersion: 0.1\n')
    (information / 'entry_points.txt').write_text(ENTRY)
    sys.path.insert(0, str(folder))
    load_entry_points.cache_clear()
    yield
    sys.path.remove(str(folder))
    load_entry_points.cache_clear()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Write a checkpoint of it."""
    made = policy()
    save_pretrained(tmp_path / 'pretrained_model', made, *make_processors(made.config, STATS))
    return tmp_path / 'pretrained_model'
