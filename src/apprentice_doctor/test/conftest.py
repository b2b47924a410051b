# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a domain of its own, a simulated follower, and one that a driver holds."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import count
import os
from pathlib import Path

from doctor_stage import Stage
from doctor_stage import staged
from domain_coordinator import domain_id
import pytest

LAST_DOMAIN = 100


def own_domain() -> AbstractContextManager[int]:
    """Reserve a domain, not the lowest: there one sees what a killed test left behind."""
    numbers = count(os.getpid())
    return domain_id(lambda: next(numbers) % LAST_DOMAIN + 1)


@pytest.fixture(autouse=True)
def domain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep each test's nodes to themselves, but for tests that share a driver."""
    if 'driven' in request.fixturenames:
        monkeypatch.setenv('ROS_DOMAIN_ID', request.getfixturevalue('driven').domain)
        yield
        return
    with own_domain() as number:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(number))
        yield


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Give a simulated follower and a hardware file that names it."""
    with staged(tmp_path) as result:
        yield result


@pytest.fixture(scope='module')
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Give a follower that a driver holds, for all tests of a module, in a domain of its own."""
    with own_domain() as number, staged(tmp_path_factory.mktemp('driven')) as result:
        result.domain = str(number)
        result.drive()
        yield result
