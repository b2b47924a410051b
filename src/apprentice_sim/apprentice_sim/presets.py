# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Ready-made chains of servos."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
import json
from pathlib import Path

from apprentice_sim.registers import BAUD_RATES
from apprentice_sim.registers import MODELS
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo

_FIELDS = ('id', 'drive_mode', 'homing_offset', 'range_min', 'range_max')
_LEADER_SHIFT = 20
_LEADER_PAN_OFFSET = -120
# What LeRobot's configure() leaves in the servos' EEPROM.
_COMMON = {'return_delay': 0, 'phase': 12, 'maximum_acceleration': 254}
_FOLLOWER = {'position_p': 16, 'position_i': 0, 'position_d': 32}
_FOLLOWER_GRIPPER = {'max_torque_limit': 500, 'protection_current': 250, 'overload_torque': 25}


class Role(Enum):
    """Name the two arms of a teleoperation pair."""

    LEADER = 'leader'
    FOLLOWER = 'follower'


@dataclass(frozen=True)
class JointRegisters:
    """Hold what calibration wrote into one servo, in ticks."""

    servo_id: int
    homing_offset: int
    range_min: int
    range_max: int


_FOLLOWER_JOINTS: Mapping[str, JointRegisters] = {
    'shoulder_pan': JointRegisters(1, 0, 797, 3299),
    'shoulder_lift': JointRegisters(2, 0, 911, 3185),
    'elbow_flex': JointRegisters(3, 0, 1025, 3071),
    'wrist_flex': JointRegisters(4, 0, 969, 3127),
    'wrist_roll': JointRegisters(5, 0, 0, 4095),
    'gripper': JointRegisters(6, 0, 1423, 2673),
}


class PresetError(ValueError):
    """Report a chain description or calibration file that cannot be used."""


def default_joints(role: Role | str) -> dict[str, JointRegisters]:
    """Return the calibration that the simulated arm of this role has by default."""
    if Role(role) is Role.FOLLOWER:
        return dict(_FOLLOWER_JOINTS)
    joints = {}
    for name, joint in _FOLLOWER_JOINTS.items():
        shift = 0 if name == 'wrist_roll' else _LEADER_SHIFT
        offset = _LEADER_PAN_OFFSET if name == 'shoulder_pan' else 0
        joints[name] = JointRegisters(
            joint.servo_id, offset, joint.range_min + shift, joint.range_max + shift)
    return joints


def load_joints(path: Path) -> dict[str, JointRegisters]:
    """Read joints from a LeRobot calibration file."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise PresetError(f'{path}: cannot be read as a calibration file: {error}') from None
    if not isinstance(content, dict) or not content:
        raise PresetError(f'{path}: expected an object with one member per joint')
    joints = {}
    for name, entry in content.items():
        if not isinstance(entry, dict) or any(
                type(entry.get(field)) is not int for field in _FIELDS):
            raise PresetError(
                f'{path}: joint {name!r}: expected whole numbers for {", ".join(_FIELDS)}')
        joints[name] = JointRegisters(
            entry['id'], entry['homing_offset'], entry['range_min'], entry['range_max'])
    return joints


def so_arm(
    role: Role | str, calibration: Path | None = None, voltage_v: float = 7.4,
) -> list[Servo]:
    """
    Return the six STS3215 of an SO-100 or SO-101 as LeRobot's calibration left them.

    The joints stand in the middle of their ranges, torque off.
    """
    role = Role(role)
    joints = default_joints(role) if calibration is None else load_joints(calibration)
    servos = []
    for name, joint in joints.items():
        settings = {
            **_COMMON,
            'homing_offset': joint.homing_offset,
            'min_position_limit': joint.range_min,
            'max_position_limit': joint.range_max,
        }
        if role is Role.FOLLOWER:
            settings |= _FOLLOWER
            if name == 'gripper':
                settings |= _FOLLOWER_GRIPPER
        servos.append(Servo(
            STS3215, joint.servo_id, name, settings=settings, voltage_v=voltage_v))
    return servos


def chain(description: str) -> list[Servo]:
    """Return factory-fresh servos from text such as 'sts3215:1,scs0009:2@500000'."""
    parts = description.split(',')
    return [fresh_servo(part.strip(), f'servo_{i}') for i, part in enumerate(parts, 1)]


def fresh_servo(description: str, name: str) -> Servo:
    """Return a factory-fresh servo from text such as 'sts3215:1', or 'sts3215:1@500000'."""
    model, _, rest = description.partition(':')
    servo_id, at, rate = rest.partition('@')
    baud = int(rate) if rate.isdigit() else 0 if at else BAUD_RATES[0]
    if model not in MODELS or not servo_id.isdigit() or not 0 <= int(servo_id) <= 253 \
            or baud not in BAUD_RATES:
        raise PresetError(
            f'servo {description!r}: expected MODEL:ID or MODEL:ID@BAUD with MODEL one of '
            f'{", ".join(MODELS)}, ID 0..253 and BAUD one of {", ".join(map(str, BAUD_RATES))}')
    return Servo(
        MODELS[model], int(servo_id), name, settings={'baud_rate': BAUD_RATES.index(baud)})
