# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: the mark `launch` and the fixtures of a running launch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from launch import LaunchContext
    from launch import LaunchService

MARK = 'launch'


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line('markers', (
        f'{MARK}(fixture, shutdown=False): run the test while the launch of the fixture runs, or '
        'after it has been shut down'))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Make a marked test use its launch fixture."""
    name = _launch_of(item)
    if name is not None and name not in item.fixturenames:
        item.fixturenames.insert(0, name)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Shut the launch down before a test that is about its end."""
    name = _launch_of(pyfuncitem)
    if name is not None and pyfuncitem.get_closest_marker(MARK).kwargs.get('shutdown'):
        from .fixture import RUNNING
        RUNNING[name].stop()


@pytest.fixture
def launch_service(request: pytest.FixtureRequest) -> LaunchService:
    """Return the service that runs the test's launch."""
    from .fixture import RUNNING
    name = _launch_of(request.node)
    if name is None:
        raise LookupError(f'{request.node.name} is not marked with pytest.mark.{MARK}')
    request.getfixturevalue(name)
    return RUNNING[name].service


@pytest.fixture
def launch_context(launch_service: LaunchService) -> LaunchContext:
    """Return the context of the test's launch."""
    return launch_service.context


def _launch_of(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker(MARK)
    if mark is None:
        return None
    if 'fixture' not in mark.kwargs:
        raise pytest.UsageError(f'{item.nodeid}: pytest.mark.{MARK} needs fixture=...')
    # Only here, so that other test runs do not load launch.
    from .fixture import name_of
    return name_of(mark.kwargs['fixture'])
