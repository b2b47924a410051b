# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Settings are read from simulated servos and written only where they differ."""
from __future__ import annotations

from pathlib import Path

from apprentice_control.calibration import JointCalibration
from apprentice_control.calibration import load_calibration
from apprentice_sim.taps import TapKind
from apprentice_sim.testing import SimArm
from driver_harness import write_calibration
from feetech_driver import settings
from feetech_driver.bus import FeetechBus
from feetech_driver.parameters import DriverConfig
from feetech_driver.parameters import parse_config
from feetech_driver.parameters import SPECS
import pytest

pytestmark = pytest.mark.timeout(20)


def configured(**changes: object) -> DriverConfig:
    """Return the defaults with some changes."""
    return parse_config({**{spec.name: spec.default for spec in SPECS}, **changes})


@pytest.fixture
def calibration(tmp_path: Path) -> dict[str, JointCalibration]:
    """Give the simulated arm's calibration."""
    config = configured()
    file = write_calibration(tmp_path / 'calibration.json', 'follower')
    return load_calibration(file, dict(zip(config.joints, config.ids)))


def test_second_preparation_writes_nothing(
    arm: SimArm, bus: FeetechBus, calibration: dict[str, JointCalibration],
) -> None:
    """EEPROM wears: what is right stays."""
    changes = settings.prepare(bus, configured(), calibration)
    assert {change.register for change in changes} == {'acceleration'}
    arm.taps.clear()
    assert settings.prepare(bus, configured(), calibration) == []
    assert not arm.taps.of(TapKind.WRITE)


def test_settings_survive_a_power_cycle(
    arm: SimArm, bus: FeetechBus, calibration: dict[str, JointCalibration],
) -> None:
    """EEPROM is unlocked for the write, or the servo would forget it."""
    arm.set('wrist_roll', 'lock', 1)
    settings.prepare(bus, configured(position_p=20), calibration)
    arm.power_cycle()
    assert set(arm.registers('position_p').values()) == {20}


def test_multi_turn_feedback_is_switched_off(
    arm: SimArm, bus: FeetechBus, calibration: dict[str, JointCalibration],
) -> None:
    """Readings below 0 or above 4095 would leave the calibrated range."""
    arm.set('gripper', 'phase', 12 | settings.MULTI_TURN)
    settings.prepare(bus, configured(), calibration)
    assert arm.register('gripper', 'phase') == 12


def test_leader_keeps_its_gains(
    arm: SimArm, bus: FeetechBus, calibration: dict[str, JointCalibration],
) -> None:
    """Only what a leader needs is written to it."""
    arm.set('elbow_flex', 'position_p', 32)
    settings.prepare(bus, configured(role='leader'), calibration)
    assert arm.register('elbow_flex', 'position_p') == 32
    assert arm.register('gripper', 'acceleration') == 254


def test_disagreement_lists_every_register(
    arm: SimArm, bus: FeetechBus, calibration: dict[str, JointCalibration],
) -> None:
    """Joint, register, found and expected, and nothing is written."""
    arm.set('gripper', 'min_position_limit', 1000)
    arm.set('elbow_flex', 'homing_offset', 30)
    with pytest.raises(settings.SettingsError) as caught:
        settings.prepare(bus, configured(), calibration)
    assert 'gripper: min_position_limit is 1000, expected 1423' in str(caught.value)
    assert 'elbow_flex: homing_offset is 30, expected 0' in str(caught.value)
    assert not arm.taps.of(TapKind.WRITE)


def test_reply_of_another_request_is_no_difference(
    bus: FeetechBus, calibration: dict[str, JointCalibration],
) -> None:
    """A late reply once passed for that of the next read; values are read twice."""
    class Late:
        def __init__(self) -> None:
            self.first = True

        def read(self, name: str, register: str) -> int:
            value = bus.read(name, register)
            if self.first and register == 'max_position_limit':
                self.first = False
                return bus.read(name, 'min_position_limit')
            return value

    wanted = settings.calibrated(configured(), calibration)
    assert settings.differences(Late(), wanted) == []


def test_scs_servos_get_only_registers_that_they_have() -> None:
    """An SCS servo has neither an offset nor an operating mode nor a torque limit."""
    config = configured(model='scs0009', joints=('a',), ids=(1,))
    registers = settings.wanted(config)['a']
    assert 'operating_mode' not in registers and 'max_acceleration' not in registers
    assert registers['position_p'] == 16
    calibration = {'a': JointCalibration('a', 1, 0, 0, 100, 900)}
    assert settings.calibrated(config, calibration)['a'] == {
        'min_position_limit': 100, 'max_position_limit': 900}
