# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Come to an arm that appears late, and to no arm that a file does not fit."""
from __future__ import annotations

from pathlib import Path

from apprentice_control.calibration import CalibrationError
from apprentice_sim.testing import so_arm_bus
from driver_harness import write_calibration
from feetech_driver.bus import FeetechBus
from feetech_driver.connection import connect
from feetech_driver.connection import read_calibration
from feetech_driver.errors import PortError
from feetech_driver.motors import Motor
from feetech_driver.parameters import parse_config
from feetech_driver.parameters import SPECS
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


def no_warning(text: str) -> None:
    pytest.fail(f'unexpected: {text}')


@pytest.mark.parametrize(('changes', 'parts'), [
    ({'gripper': {'range_max': 5000}}, ('gripper', 'range_max is 5000')),
    ({'gripper': {'drive_mode': 1}},
     ('drive_mode is 1 for gripper, expected 0', 'calibrate it again')),
    ('half', ('not valid JSON', 'truncated or damaged')),
    ('knee', ("missing joints ['elbow_flex'], unexpected joints ['knee']",)),
])
def test_a_calibration_that_cannot_be_driven_is_refused(
        tmp_path: Path, changes: dict | str, parts: tuple[str, ...]) -> None:
    """Half a file, another robot's, a value no register holds, a joint that LeRobot inverts."""
    path = write_calibration(
        tmp_path / 'c.json', 'follower', **(changes if isinstance(changes, dict) else {}))
    whole = path.read_text()
    if changes == 'half':
        path.write_text(whole[:len(whole) // 2])
    elif changes == 'knee':
        path.write_text(whole.replace('elbow_flex', 'knee'))
    config = parse_config({spec.name: spec.default for spec in SPECS})
    with pytest.raises(CalibrationError) as caught:
        read_calibration(path, config, no_warning)
    for part in (str(path), *parts):
        assert part in str(caught.value)
