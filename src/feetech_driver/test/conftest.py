# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a bare pseudo-terminal, a simulated arm, and a bus opened on it."""

from __future__ import annotations

import os
from pathlib import Path
import sys
import tty
from typing import Iterator
from typing import NamedTuple

from apprentice_sim.testing import SimArm
from apprentice_sim.testing import so_arm_bus
from feetech_driver.bus import FeetechBus
from feetech_driver.bus import Motor
import pytest

# The simulated arm runs in a thread of the test: the two must take turns within a reply's time.
sys.setswitchinterval(0.0005)

NAMES = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
MOTORS = {name: Motor(index + 1) for index, name in enumerate(NAMES)}


class Line(NamedTuple):
    """A serial line: the far end's descriptor and the path that the driver opens."""

    far: int
    path: str


@pytest.fixture
def line() -> Iterator[Line]:
    """Give a raw pseudo-terminal with nobody at the far end."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield Line(master, os.ttyname(slave))
    for descriptor in (slave, master):
        try:
            os.close(descriptor)
        except OSError:
            continue


@pytest.fixture
def arm(tmp_path: Path) -> Iterator[SimArm]:
    """Give a simulated follower arm."""
    with so_arm_bus('follower', tmp_path) as simulated:
        yield simulated


@pytest.fixture
def bus(arm: SimArm) -> Iterator[FeetechBus]:
    """Give a bus that is open on the simulated arm."""
    opened = FeetechBus(arm.port, MOTORS)
    opened.open()
    yield opened
    opened.close()
