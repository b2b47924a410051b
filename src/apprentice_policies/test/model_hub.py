# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A Hub of the test's own that knows models beside datasets."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

# The server of the data's tests, which conftest.py finds; no package can be declared for it.
hub_server, hubbed = map(import_module, ('hub_server', 'hubbed'))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve an empty Hub, which this process and those that it starts take for the real one."""
    models = [(pattern.replace('/api/datasets/', '/api/models/').replace(' /datasets/', ' /'),
               action) for pattern, action in hub_server.ROUTES if '/datasets/' in pattern]
    monkeypatch.setattr(hub_server, 'ROUTES', hub_server.ROUTES + models)
    monkeypatch.setattr(hub_server, 'LARGE', ('.safetensors',))
    monkeypatch.delenv('HF_HUB_OFFLINE', raising=False)
    with hub_server.serving(tmp_path / 'served') as started:
        for name, value in hubbed.environment(started, tmp_path / 'home').items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr('huggingface_hub.constants.HF_HUB_DISABLE_XET', True)
        monkeypatch.setattr('huggingface_hub.constants.HF_HUB_CACHE', str(tmp_path / 'home/hub'))
        yield started
