# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a domain of its own, and a simulated follower."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from doctor_stage import Stage
from doctor_stage import staged
from domain_coordinator import domain_id
import pytest


@pytest.fixture(autouse=True)
def domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Keep each test's nodes to themselves."""
    with domain_id() as number:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(number))
        yield number


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Give a simulated follower and a hardware file that names it."""
    with staged(tmp_path) as result:
        yield result
