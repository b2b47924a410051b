# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Bad input ends the driver's process with one clear error and leaves the arm alone."""
from __future__ import annotations

from collections.abc import Iterator
import fcntl
import os
from pathlib import Path
import time

from apprentice_sim.registers import STS3215
from apprentice_sim.registers import STS3250
from apprentice_sim.servo import Servo
from apprentice_sim.taps import TapKind
from driver_harness import Stage
from driver_harness import stage
from driver_harness import write_calibration
import pytest

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope='module')
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Give one simulated follower to all tests that do not change it."""
    with stage('follower', tmp_path_factory.mktemp('shared')) as result:
        yield result


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stage]:
    """Give a simulated follower to a test that changes it."""
    with stage('follower', tmp_path) as result:
        yield result


def failure(
    on: Stage, code: int, *parts: str, within_s: float = 5.0, **parameters: object,
) -> str:
    """Start a driver that must fail with this code and these words, without a traceback."""
    begin = time.monotonic()
    found, text = on.start(**{'connect_timeout_s': 0.2, **parameters}).end()
    assert found == code, text
    for part in parts:
        assert part in text, text
    assert 'Traceback' not in text
    assert time.monotonic() - begin < within_s
    assert on.torque() == {0}
    return text


def test_unknown_parameter(shared: Stage) -> None:
    """A typing error is told with the name that was meant."""
    failure(shared, 2, "/arm/feetech_driver: parameter 'rate' does not exist",
            "did you mean 'rate_hz'?", rate=100.0)


def test_no_port(shared: Stage) -> None:
    """Without a port the error says so."""
    failure(shared, 1, 'cannot configure: no serial port is configured', port='')


def test_wrong_port(shared: Stage) -> None:
    """A path where nothing is gets the list of what there is."""
    failure(shared, 1, 'there is no serial port /dev/ttyNOWHERE', port='/dev/ttyNOWHERE')


def test_port_that_is_a_file(shared: Stage) -> None:
    """A plain file is no serial port."""
    failure(shared, 1, 'is not a serial port', port=__file__)


def test_busy_port(shared: Stage) -> None:
    """The process that holds the port is named."""
    descriptor = os.open(shared.arm.port, os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        failure(shared, 1, 'is in use by process', str(os.getpid()))
    finally:
        os.close(descriptor)


def test_missing_calibration(shared: Stage) -> None:
    """The path looked for is named."""
    failure(shared, 1, '/nowhere.json: cannot be read', calibration_file='/nowhere.json')


def test_a_bad_description(shared: Stage) -> None:
    """A URDF that is not there ends the start."""
    failure(shared, 1, 'description /nowhere.urdf: cannot be read', description='/nowhere.urdf')


def test_another_arms_calibration(shared: Stage, tmp_path: Path) -> None:
    """Registers that differ are listed, and the way out is told."""
    file = write_calibration(tmp_path / 'c.json', 'leader')
    failure(shared, 1, 'shoulder_pan: homing_offset is 0, expected -120',
            'gripper: min_position_limit is 1423, expected 1443', 'write_calibration:=true',
            calibration_file=str(file))


def test_silent_motors(own: Stage) -> None:
    """Ids behind a broken cable are named with the place of the break."""
    own.arm.bus.break_chain(5)
    failure(own, 1, '4 of 6 motors answered', 'id 5 wrist_roll: silent', 'id 6 gripper: silent',
            'broken between id 4 (wrist_flex) and id 5 (wrist_roll)')


def test_wrong_model(own: Stage) -> None:
    """A motor of another model is named."""
    own.arm.bus.detach('gripper')
    own.arm.bus.attach(Servo(STS3250, 6, 'gripper'))
    failure(own, 1, 'id 6 gripper: sts3250', 'expected sts3215', connect_timeout_s=5.0)


def test_duplicated_id(own: Stage) -> None:
    """Two motors with one id are told apart from a bad cable."""
    own.arm.bus.attach(Servo(STS3215, 3, 'second', present=1000))
    failure(own, 1, 'Two or more motors have id 3', connect_timeout_s=5.0)


def test_joint_outside_its_range_is_not_energised(own: Stage) -> None:
    """Torque would make it jump inside."""
    own.arm.hand('elbow_flex', 600)
    text = failure(own, 1, 'cannot activate', 'elbow_flex stands',
                   '(600 ticks, expected 1025 to 3071)')
    assert 'by hand' in text


def test_calibration_is_written_on_request(own: Stage, tmp_path: Path) -> None:
    """The file's values get into the servos, in their EEPROM, with torque off."""
    file = write_calibration(tmp_path / 'c.json', 'leader')
    own.start_active(calibration_file=str(file), write_calibration=True)
    assert own.arm.register('shoulder_pan', 'homing_offset') == -120
    assert own.arm.register('gripper', 'min_position_limit') == 1443
    written = own.arm.taps.of(TapKind.WRITE, 'shoulder_pan')
    torque_on = own.arm.taps.of(TapKind.TORQUE, 'shoulder_pan')[0].t_ns
    assert min(tap.t_ns for tap in written if tap.name == 'shoulder_pan') < torque_on
    own.arm.power_cycle('shoulder_pan')
    assert own.arm.register('shoulder_pan', 'homing_offset') == -120


def test_settings_under_torque_are_refused(own: Stage, tmp_path: Path) -> None:
    """An offset written to a motor that holds would make the arm jump."""
    own.arm.set('shoulder_pan', 'torque_enable', 1)
    file = write_calibration(tmp_path / 'c.json', 'leader')
    code, text = own.start(calibration_file=str(file), write_calibration=True).end()
    assert code == 1
    assert 'shoulder_pan: torque is on' in text
    assert own.arm.register('shoulder_pan', 'homing_offset') == 0
