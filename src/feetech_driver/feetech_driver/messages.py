# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fill messages at bus rate without building them anew."""
from __future__ import annotations

from array import array
from collections.abc import Mapping
from collections.abc import Sequence

from apprentice_control.calibration import JointCalibration
from apprentice_control.units import load_to_fraction
from apprentice_control.units import RAD_PER_TICK
from apprentice_node.arm.messages import joint_state
from apprentice_node.arm.messages import set_stamp
from feetech_driver.motors import MotorState
from sensor_msgs.msg import JointState


class StateMessage:
    """The joint states of one reading; joints that did not answer are left out."""

    def __init__(self, joints: Sequence[JointCalibration]) -> None:
        """Prepare a message for all joints."""
        self._joints = tuple(joints)
        self._full = _zeros(joints)

    def fill(self, ros_ns: int, states: Mapping[str, MotorState]) -> JointState:
        """Return the message for a reading: rad, rad/s, load as a fraction of full duty."""
        message = self._full
        joints = self._joints
        if len(states) != len(joints):
            joints = [joint for joint in joints if joint.name in states]
            message = _zeros(joints)
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
        self._message = _zeros(joints)
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


def _zeros(joints: Sequence[JointCalibration]) -> JointState:
    zeros = [0.0] * len(joints)
    return joint_state([joint.name for joint in joints], 0, zeros, zeros, zeros)
