# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Waiting for an arm that appears late."""
from __future__ import annotations

from pathlib import Path

from apprentice_sim.testing import so_arm_bus
from feetech_driver.bus import FeetechBus
from feetech_driver.connection import connect
from feetech_driver.errors import PortError
from feetech_driver.motors import Motor
import pytest

JOINTS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
MOTORS = {name: Motor(ident, 'sts3215') for ident, name in enumerate(JOINTS, start=1)}

pytestmark = pytest.mark.timeout(30)


def test_port_that_appears_right_after_an_attempt_is_taken(tmp_path: Path) -> None:
    """A port that comes between a failed attempt and the look why it failed is no error."""
    with so_arm_bus('follower', tmp_path) as arm:
        arm.unplug()

        class JustMissed(FeetechBus):
            """Opens a moment before the adapter is plugged in."""

            attempts = 0

            def open(self) -> None:
                """Open, and plug the adapter in after the first failure."""
                self.attempts += 1
                try:
                    super().open()
                except PortError:
                    arm.replug()
                    raise

        bus = JustMissed(str(arm.port), MOTORS)
        info = connect(bus, 10.0, lambda: False, lambda _text: None)
        bus.close()
    assert bus.attempts == 2
    assert tuple(info.motors) == JOINTS


def test_port_that_never_appears_ends_the_waiting(tmp_path: Path) -> None:
    """When the time is up the error is that of the last attempt."""
    bus = FeetechBus(str(tmp_path / 'nothing'), MOTORS)
    with pytest.raises(PortError, match='nothing'):
        connect(bus, 0.3, lambda: False, lambda _text: None)
