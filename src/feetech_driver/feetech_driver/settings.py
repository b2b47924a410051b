# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Decide what to write to the servos before they are used, and only where they differ."""
from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
import time
from typing import NamedTuple
from typing import Protocol

from apprentice_control.calibration import JointCalibration
from feetech_driver.errors import BusError
from feetech_driver.parameters import DriverConfig
from feetech_driver.parameters import Role
from feetech_driver.registers import MODELS
from feetech_driver.registers import Register
from feetech_driver.registers import REGISTERS

MULTI_TURN = 0x10
QUIET_S = 0.05
_POSITION_MODE = 0
_FASTEST = 254
# A servo that holds its torque would jump if one of these changed under it.
_NEEDS_TORQUE_OFF = frozenset(
    ('phase', 'homing_offset', 'min_position_limit', 'max_position_limit', 'operating_mode'))


class SettingsError(BusError):
    """Report servos whose registers do not fit the calibration file or cannot be changed."""


class Setting(NamedTuple):
    """Name one register of one joint, the value wanted and the one found."""

    joint: str
    register: str
    value: int
    found: int

    def __str__(self) -> str:
        """Describe the difference in one line."""
        return f'{self.joint}: {self.register} is {self.found}, expected {self.value}'


class RegisterBus(Protocol):
    """What the settings need of a bus."""

    def read(self, name: str, register: str) -> int:
        """Return a register's value."""

    def write(self, name: str, register: str, value: int, verify: bool = True) -> None:
        """Write a register and read it back."""


def wanted(config: DriverConfig) -> dict[str, dict[str, int]]:
    """Return the value that each joint's registers should have, as LeRobot configures them."""
    common = {'return_delay': 0, 'max_acceleration': _FASTEST,
              'acceleration': config.acceleration, 'goal_velocity': 0, 'goal_time': 0}
    if config.role is Role.FOLLOWER:
        gains = config.gains
        common |= {'operating_mode': _POSITION_MODE, 'position_p': gains.p,
                   'position_i': gains.i, 'position_d': gains.d}
    table = {joint: dict(common) for joint in config.joints}
    if config.role is Role.FOLLOWER and config.gripper is not None:
        table[config.gripper.joint] |= {
            'max_torque': config.gripper.max_torque,
            'protection_current': config.gripper.protection_current,
            'overload_torque': config.gripper.overload_torque,
        }
    known = control_table(config)
    return {joint: {name: value for name, value in registers.items() if name in known}
            for joint, registers in table.items()}


def calibrated(
    config: DriverConfig, calibration: Mapping[str, JointCalibration],
) -> dict[str, dict[str, int]]:
    """Return the registers that LeRobot's calibration left in each servo."""
    known = control_table(config)
    return {
        joint: {name: value for name, value in (
            ('homing_offset', entry.homing_offset),
            ('min_position_limit', entry.range_min),
            ('max_position_limit', entry.range_max)) if name in known}
        for joint, entry in calibration.items()
    }


def differences(
    bus: RegisterBus, registers: Mapping[str, Mapping[str, int]],
) -> list[Setting]:
    """Return the registers whose value on the bus differs, each read twice."""
    suspects = [
        (joint, name, value)
        for joint, row in registers.items() for name, value in row.items()
        if bus.read(joint, name) != value
    ]
    if suspects:
        # A reply that comes too late for its own request passes for that of the next one.
        time.sleep(QUIET_S)
    return [
        Setting(joint, name, value, found) for joint, name, value in suspects
        if (found := bus.read(joint, name)) != value
    ]


def apply(bus: RegisterBus, settings: Iterable[Setting]) -> None:
    """
    Write settings so that they last.

    Raises SettingsError where a servo holds its torque and would jump.
    """
    settings = list(settings)
    _refuse_under_torque(bus, settings)
    for setting in settings:
        bus.write(setting.joint, setting.register, setting.value)


def prepare(
    bus: RegisterBus, config: DriverConfig, calibration: Mapping[str, JointCalibration],
) -> list[Setting]:
    """
    Bring the servos to their settings and return what was written.

    Raises SettingsError where servos and calibration file disagree, unless
    `write_calibration` is set.
    """
    wrong = differences(bus, calibrated(config, calibration))
    if wrong and not config.write_calibration:
        raise SettingsError(_disagreement(config, wrong))
    changes = wrong + single_turn(bus, config) + differences(bus, wanted(config))
    apply(bus, changes)
    return changes


def single_turn(bus: RegisterBus, config: DriverConfig) -> list[Setting]:
    """Return what clears multi-turn feedback, with which readings leave 0..4095."""
    if config.model != 'sts3215':
        return []
    found = {joint: bus.read(joint, 'phase') for joint in config.joints}
    return [Setting(joint, 'phase', phase & ~MULTI_TURN, phase)
            for joint, phase in found.items() if phase & MULTI_TURN]


def full_torque(bus: RegisterBus, config: DriverConfig) -> dict[str, int]:
    """Return each joint's torque limit as it is at power-up: a release leaves it at 0."""
    if 'torque_limit' not in control_table(config):
        return {}
    return {joint: bus.read(joint, 'max_torque') for joint in config.joints}


def control_table(config: DriverConfig) -> Mapping[str, Register]:
    """Return the registers that the configured model has."""
    return REGISTERS[MODELS[config.model].protocol]


def _refuse_under_torque(bus: RegisterBus, settings: list[Setting]) -> None:
    risky = [setting for setting in settings if setting.register in _NEEDS_TORQUE_OFF]
    holding = sorted({setting.joint for setting in risky
                      if bus.read(setting.joint, 'torque_enable')})
    if holding:
        raise SettingsError(
            f"{', '.join(holding)}: torque is on, and the arm would jump if its settings changed "
            f"({'; '.join(map(str, risky))}). Support the arm, switch its supply off and on, and "
            'start again.')


def _disagreement(config: DriverConfig, wrong: list[Setting]) -> str:
    file = config.calibration_file or f'that of robot_id {config.robot_id!r}'
    lines = '\n'.join(f'  {setting}' for setting in wrong)
    return (
        f'the servos on {config.port} were not calibrated with this calibration file ({file}):\n'
        f'{lines}\n'
        'Is this another arm, or are two ports swapped? If the file is right, start once with '
        'write_calibration:=true; else calibrate again (ros2 run feetech_driver calibrate).')
