# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the driver node and the typed configuration made of them."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from apprentice_node.arm.parameters import GUARD_SPECS
from apprentice_node.arm.parameters import parse_sources
from apprentice_node.arm.parameters import same_length
from apprentice_node.arm.parameters import unique
from apprentice_node.parameters import Kind
from apprentice_node.parameters import ParameterError
from apprentice_node.parameters import ParameterSpec
from apprentice_node.parameters import Value
from feetech_driver.registers import MODELS


class Role(Enum):
    """Say whether the arm is driven, or moved by hand."""

    FOLLOWER = 'follower'
    LEADER = 'leader'


_JOINTS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')

SPECS = (
    ParameterSpec(
        'port', '', 'Serial port: path, name in /dev/serial/by-id, or USB serial number.'),
    ParameterSpec('baud', 1_000_000, 'Line speed, bit/s.', minimum=4800, maximum=1_000_000),
    ParameterSpec(
        'role', 'follower', 'follower: driven. leader: moved by hand, torque never on.',
        choices=tuple(role.value for role in Role)),
    ParameterSpec('robot_id', '', "LeRobot's id of the arm: finds its calibration file."),
    ParameterSpec('calibration_file', '', 'Calibration file; overrides robot_id.'),
    ParameterSpec(
        'write_calibration', False,
        "Write the calibration file's offsets and limits to servos that differ."),
    ParameterSpec('joints', _JOINTS, 'Joint names, in chain order.'),
    ParameterSpec('ids', (1, 2, 3, 4, 5, 6), 'Bus ids of the joints.', minimum=0, maximum=252),
    ParameterSpec('model', 'sts3215', 'Servo model.', choices=tuple(MODELS)),
    ParameterSpec('rate_hz', 200.0, 'Rate of the bus loop.', minimum=10.0, maximum=500.0),
    ParameterSpec(
        'connect_timeout_s', 5.0, 'Time to wait for motors that boot after their adapter.',
        minimum=0.0, maximum=60.0),
    *GUARD_SPECS,
    ParameterSpec(
        'limit_margin_deg', 2.0, 'Kept free at both ends of the calibrated range.',
        minimum=0.0, maximum=45.0),
    ParameterSpec(
        'description', '', 'URDF file, or package://PACKAGE/FILE, whose limits hold as well once '
        'zero was verified. Empty: none.'),
    ParameterSpec(
        'rest_pose', (), 'Radians, one a joint, approached before a release. Empty: none.',
        kind=Kind.DOUBLE_ARRAY),
    ParameterSpec('position_p', 16, 'Position loop, P.', minimum=0, maximum=254),
    ParameterSpec('position_i', 0, 'Position loop, I.', minimum=0, maximum=254),
    ParameterSpec('position_d', 32, 'Position loop, D.', minimum=0, maximum=254),
    ParameterSpec(
        'acceleration', 254, "The servos' own ramp; the guard's cap is separate.",
        minimum=0, maximum=254),
    ParameterSpec('gripper', 'gripper', 'Joint that grips, protected. Empty: none.'),
    ParameterSpec(
        'gripper_max_torque', 500, 'Torque cap, 0.1 percent.', minimum=0, maximum=1000),
    ParameterSpec(
        'gripper_protection_current', 250, 'Current trip, 6.5 mA.', minimum=0, maximum=511),
    ParameterSpec(
        'gripper_overload_torque', 25, 'Overload threshold, percent.', minimum=0, maximum=100),
    ParameterSpec('temperature_warn_c', 60.0, 'Warning above.', minimum=0.0, maximum=120.0),
    ParameterSpec('temperature_error_c', 68.0, 'Error above.', minimum=0.0, maximum=120.0),
    ParameterSpec('voltage_min_v', 4.5, 'Warning below.', minimum=0.0, maximum=30.0),
    ParameterSpec('voltage_max_v', 13.0, 'Warning above.', minimum=0.0, maximum=30.0),
)


@dataclass(frozen=True)
class Gains:
    """Hold the position loop's coefficients as registers take them."""

    p: int
    i: int
    d: int


@dataclass(frozen=True)
class GripperProtection:
    """Hold what keeps a gripper from burning on an object; units of the registers."""

    joint: str
    max_torque: int
    protection_current: int
    overload_torque: int


@dataclass(frozen=True)
class Thresholds:
    """Hold the bounds outside which diagnostics speak up."""

    temperature_warn_c: float
    temperature_error_c: float
    voltage_min_v: float
    voltage_max_v: float


@dataclass(frozen=True)
class DriverConfig:
    """Hold everything the driver was told, checked."""

    port: str
    baud: int
    role: Role
    robot_id: str
    calibration_file: str
    write_calibration: bool
    joints: tuple[str, ...]
    ids: tuple[int, ...]
    model: str
    period_ns: int
    connect_timeout_s: float
    sources: Mapping[str, int]
    guard: Mapping[str, Value]
    limit_margin_deg: float
    description: str
    rest_pose: tuple[float, ...]
    gains: Gains
    acceleration: int
    gripper: GripperProtection | None
    thresholds: Thresholds

    @property
    def rate_hz(self) -> float:
        """Return the rate of the bus loop."""
        return 1e9 / self.period_ns


def parse_config(values: Mapping[str, Value]) -> DriverConfig:
    """Return the configuration; ParameterError where two parameters contradict each other."""
    joints = values['joints']
    same_length('ids', values['ids'], 'joints', joints)
    unique('joints', joints)
    unique('ids', values['ids'])
    rest_pose = values['rest_pose']
    if rest_pose:
        same_length('rest_pose', rest_pose, 'joints', joints)
    if values['temperature_error_c'] < values['temperature_warn_c']:
        raise ParameterError(
            f"parameter 'temperature_error_c': found {values['temperature_error_c']:g}, expected "
            f"at least temperature_warn_c, which is {values['temperature_warn_c']:g}")
    return DriverConfig(
        **{key: values[key] for key in (
            'port', 'baud', 'robot_id', 'calibration_file', 'write_calibration', 'joints', 'ids',
            'model', 'connect_timeout_s', 'limit_margin_deg', 'description', 'rest_pose',
            'acceleration')},
        role=Role(values['role']),
        period_ns=round(1e9 / values['rate_hz']),
        sources=parse_sources(values),
        guard={spec.name: values[spec.name] for spec in GUARD_SPECS},
        gains=Gains(*(values[f'position_{letter}'] for letter in 'pid')),
        gripper=_gripper(values),
        thresholds=Thresholds(*(values[name] for name in (
            'temperature_warn_c', 'temperature_error_c', 'voltage_min_v', 'voltage_max_v'))),
    )


def _gripper(values: Mapping[str, Value]) -> GripperProtection | None:
    joint = values['gripper']
    if not joint or joint not in values['joints']:
        if joint not in ('', 'gripper'):
            raise ParameterError(
                f"parameter 'gripper': found {joint!r}, expected one of the joints "
                f"({', '.join(values['joints'])}) or an empty string")
        return None
    return GripperProtection(
        joint, values['gripper_max_torque'], values['gripper_protection_current'],
        values['gripper_overload_torque'])
