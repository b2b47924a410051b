# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fill messages at bus rate without building them anew, and read commands from messages."""
from __future__ import annotations

from array import array
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from apprentice_control.calibration import JointCalibration
from apprentice_control.units import load_to_fraction
from apprentice_control.units import RAD_PER_TICK
from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import JointRanges
from builtin_interfaces.msg import Time
from feetech_driver.motors import MotorState
from sensor_msgs.msg import JointState

NS_PER_S = 1_000_000_000


def set_stamp(stamp: Time, ros_ns: int) -> None:
    """Write ROS time in nanoseconds into a stamp."""
    stamp.sec, stamp.nanosec = divmod(ros_ns, NS_PER_S)


class StateMessage:
    """The joint states of one reading; joints that did not answer are left out."""

    def __init__(self, joints: Sequence[JointCalibration]) -> None:
        """Prepare a message for all joints."""
        self._joints = tuple(joints)
        self._full = _joint_state([joint.name for joint in joints])

    def fill(self, ros_ns: int, states: Mapping[str, MotorState]) -> JointState:
        """Return the message for a reading: rad, rad/s, load as a fraction of full duty."""
        message = self._full
        joints = self._joints
        if len(states) != len(joints):
            joints = [joint for joint in joints if joint.name in states]
            message = _joint_state([joint.name for joint in joints])
        set_stamp(message.header.stamp, ros_ns)
        position, velocity, effort = message.position, message.velocity, message.effort
        for index, joint in enumerate(joints):
            state = states[joint.name]
            position[index] = (state.position_raw - joint.mid_raw) * RAD_PER_TICK
            velocity[index] = state.velocity_raw * RAD_PER_TICK
            effort[index] = load_to_fraction(state.load_raw)
        return message


class CommandMessage:
    """The goal registers as written, back in radians."""

    def __init__(self, joints: Sequence[JointCalibration]) -> None:
        """Prepare a message for all joints."""
        self._joints = tuple(joints)
        self._message = _joint_state([joint.name for joint in joints])
        self._message.effort = array('d')

    def fill(self, ros_ns: int, goals: Sequence[int], velocity: Sequence[float]) -> JointState:
        """Return the message for goals in ticks and the guard's velocities in rad/s."""
        message = self._message
        set_stamp(message.header.stamp, ros_ns)
        position, velocities = message.position, message.velocity
        for index, joint in enumerate(self._joints):
            position[index] = (goals[index] - joint.mid_raw) * RAD_PER_TICK
            velocities[index] = velocity[index]
        return message


class RawPoint(NamedTuple):
    """One point of a trajectory message: offset from its stamp in ns, and values as they came."""

    offset_ns: int
    positions: Sequence[float]
    velocities: Sequence[float] | None


def stamp_ns(message: Any) -> int:
    """Return the stamp of a message's header in nanoseconds; 0 means on arrival."""
    stamp = message.header.stamp
    return stamp.sec * NS_PER_S + stamp.nanosec


def raw_points(message: Any) -> list[RawPoint]:
    """Return the points of a trajectory message; velocities are None where absent."""
    return [
        RawPoint(
            point.time_from_start.sec * NS_PER_S + point.time_from_start.nanosec,
            point.positions, point.velocities if len(point.velocities) else None)
        for point in message.points
    ]


def ranges_message(joints: Sequence[JointCalibration]) -> JointRanges:
    """Return the calibrated range of each joint, rad."""
    return JointRanges(
        name=[joint.name for joint in joints],
        lower=[joint.lower_rad for joint in joints],
        upper=[joint.upper_rad for joint in joints])


def guard_message(status: Any) -> GuardState:
    """Return the message for a guard's status."""
    message = GuardState(
        state=int(getattr(status.state, 'value', status.state)), owner=status.owner or '',
        reason=str(getattr(status.reason, 'word', status.reason) or ''), detail=status.detail,
        joints=list(status.joints), interventions=status.interventions)
    message.counter_names = list(status.counters)
    message.counter_values = list(status.counters.values())
    return message


def _joint_state(names: Sequence[str]) -> JointState:
    zeros = [0.0] * len(names)
    message = JointState(name=list(names))
    message.position = array('d', zeros)
    message.velocity = array('d', zeros)
    message.effort = array('d', zeros)
    return message
