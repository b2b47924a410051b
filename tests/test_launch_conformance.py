# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The stand-ins for launch behave as upstream was recorded to."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
import importlib.util
import json
import os
from pathlib import Path
import sys
from types import ModuleType
from typing import Any

import pytest

PIP_ROS = Path(__file__).parent.parent / 'tools' / 'pip_ros'
CASES = sorted((PIP_ROS / 'conformance' / 'cases').glob('*.json'))
ROS2 = [sys.executable, '-m', 'ros2cli_lite']
WORKERS = 4
# A loaded machine may add to the time that was recorded, but nothing may come early.
EARLY_S, LATE_S = 0.4, 5.0


def load_harness() -> ModuleType:
    """Import the harness from where it lies."""
    spec = importlib.util.spec_from_file_location(
        'conformance_harness', PIP_ROS / 'conformance' / 'harness.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


harness = load_harness()


@pytest.fixture(scope='module')
def observations(request: pytest.FixtureRequest,
                 tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, Future]:
    """Run all selected cases, some at a time."""
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, (
        str(PIP_ROS / 'python'), os.environ.get('PYTHONPATH'))))}
    chosen = {item.callspec.params['path'] for item in request.session.items
              if item.path == request.path and hasattr(item, 'callspec')}
    with ThreadPoolExecutor(WORKERS) as pool:
        yield {path: pool.submit(
            harness.observe, harness.Case.load(path), ROS2, environment,
            tmp_path_factory.mktemp(path.stem)) for path in chosen}


@pytest.mark.timeout(120)
@pytest.mark.parametrize('path', CASES, ids=lambda path: path.stem)
def test_behaves_as_recorded(path: Path, observations: Mapping[Path, Future]) -> None:
    """Exit code, processes, their arguments and environment, and output equal upstream's."""
    data = json.loads(path.read_text())
    expected: dict[str, Any] = data['recorded'] | data.get('deviation', {}).get('expect', {})
    seen = observations[path].result()
    if 'seconds' in expected:
        recorded = expected.pop('seconds')
        assert recorded - EARLY_S < seen.pop('seconds') < recorded + LATE_S
    assert seen == expected


def test_deviations_say_why() -> None:
    """A deviation from upstream gives its reason and differs from what was recorded."""
    for path in CASES:
        data = json.loads(path.read_text())
        if 'deviation' in data:
            assert data['deviation']['why']
            for key, value in data['deviation']['expect'].items():
                assert value != data['recorded'][key], f'{path.stem}: {key} needs no deviation'
