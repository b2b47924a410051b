# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The message types that a contract may name, and what can be taken of each."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Naming(Enum):
    """How a message tells which value is which."""

    JOINTS = 'joint names'
    ARRAY = 'indices'
    COMPONENTS = 'components'
    TEXT = 'one text'
    IMAGE = 'one image'
    STATE = 'one state'


@dataclass(frozen=True)
class MessageType:
    """
    One message type.

    `fields` are what a part may take, each with its components where the message has fixed ones;
    `is_stamped` tells whether it has a header, whose stamp is then the sample's; `root` is the
    member that holds the components.
    """

    name: str
    naming: Naming
    is_stamped: bool
    fields: Mapping[str, tuple[str, ...]]
    root: str = ''


def _axes(*fields: str) -> tuple[str, ...]:
    return tuple(f'{field}.{axis}' for field in fields for axis in 'xyz')


_TWIST = _axes('linear', 'angular')
_QUATERNION = tuple(f'orientation.{axis}' for axis in 'xyzw')
_JOINTS = {'position': (), 'velocity': (), 'effort': ()}
_POINT = {'positions': (), 'velocities': (), 'accelerations': (), 'effort': ()}

_ALL = (
    MessageType('sensor_msgs/msg/JointState', Naming.JOINTS, True, _JOINTS),
    MessageType('trajectory_msgs/msg/JointTrajectory', Naming.JOINTS, True, _POINT),
    MessageType('sensor_msgs/msg/Image', Naming.IMAGE, True, {}),
    MessageType('sensor_msgs/msg/CompressedImage', Naming.IMAGE, True, {}),
    MessageType('sensor_msgs/msg/Joy', Naming.ARRAY, True, {'axes': (), 'buttons': ()}),
    MessageType('sensor_msgs/msg/Range', Naming.COMPONENTS, True, {'range': ('range',)}),
    MessageType('sensor_msgs/msg/Imu', Naming.COMPONENTS, True, {
        'orientation': _QUATERNION, 'angular_velocity': _axes('angular_velocity'),
        'linear_acceleration': _axes('linear_acceleration')}),
    MessageType('geometry_msgs/msg/Twist', Naming.COMPONENTS, False, {'twist': _TWIST}),
    MessageType(
        'geometry_msgs/msg/TwistStamped', Naming.COMPONENTS, True, {'twist': _TWIST}, 'twist'),
    MessageType('geometry_msgs/msg/WrenchStamped', Naming.COMPONENTS, True, {
        'wrench': _axes('force', 'torque')}, 'wrench'),
    MessageType('std_msgs/msg/Float64MultiArray', Naming.ARRAY, False, {'data': ()}),
    MessageType('std_msgs/msg/Float32', Naming.COMPONENTS, False, {'data': ('data',)}),
    MessageType('std_msgs/msg/Float64', Naming.COMPONENTS, False, {'data': ('data',)}),
    MessageType('std_msgs/msg/String', Naming.TEXT, False, {'data': ('data',)}),
    MessageType('apprentice_msgs/msg/GuardState', Naming.STATE, True, {}),
)

MESSAGE_TYPES: Mapping[str, MessageType] = {kind.name: kind for kind in _ALL}
"""Every known type by its name."""

SUFFIXES = {
    'position': '.pos', 'positions': '.pos', 'velocity': '.vel', 'velocities': '.vel',
    'accelerations': '.acc', 'effort': '.effort',
}
"""What LeRobot puts behind a joint's name."""
