# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a machine with pretended video devices, and processes that capture from it."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from fake_v4l2 import build_shim
from fake_v4l2 import Camera
from fake_v4l2 import Machine
from fake_v4l2 import standard_frames
from probe import Probe
import pytest


@pytest.fixture(scope='session')
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the shim once."""
    return build_shim(tmp_path_factory.mktemp('shim'))


@pytest.fixture(scope='session')
def frames() -> dict[str, dict[int, bytes]]:
    """Draw the pictures once."""
    return standard_frames()


@pytest.fixture
def machine(tmp_path: Path, shim: Path, frames: dict[str, dict[int, bytes]]) -> Machine:
    """Give a machine with one camera, as /dev/video0."""
    found = Machine(tmp_path / 'machine', shim)
    for fourcc, pictures in frames.items():
        found.sees(Camera().card, fourcc, pictures)
    found.plug(0)
    return found


@pytest.fixture
def probe(machine: Machine) -> Iterator[Callable[..., Probe]]:
    """Give a function that starts a capture on the machine."""
    started: list[Probe] = []

    def start(**parameters: object) -> Probe:
        started.append(Probe(machine.environment, **parameters))
        return started[-1]

    yield start
    for one in started:
        one.close()
