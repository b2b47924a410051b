# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""An arm's messages carry radians and ROS time."""
from __future__ import annotations

from apprentice_control.guard import CommandGuard
from apprentice_control.guard import GuardConfig
from apprentice_control.guard import JointLimit
from apprentice_msgs.msg import GuardState
from apprentice_node.arm.messages import guard_message
from apprentice_node.arm.messages import joint_state
from apprentice_node.arm.messages import ranges_message
from apprentice_node.arm.messages import raw_points
from apprentice_node.arm.messages import stamp_ns
from builtin_interfaces.msg import Duration
from trajectory_msgs.msg import JointTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint


def test_points_keep_their_offsets_and_missing_velocities() -> None:
    """An absent velocity is none, not zero."""
    message = JointTrajectory()
    message.header.stamp.sec = 3
    message.points = [
        JointTrajectoryPoint(positions=[1.0], time_from_start=Duration(sec=1, nanosec=5)),
        JointTrajectoryPoint(positions=[2.0], velocities=[0.0])]
    assert stamp_ns(message) == 3_000_000_000
    first, second = raw_points(message)
    assert (first.offset_ns, first.velocities) == (1_000_000_005, None)
    assert list(second.velocities) == [0.0]


def test_joint_states_are_whole() -> None:
    """What was not measured is empty, not zero."""
    message = joint_state(('pan', 'grip'), 12_000_000_034, (0.5, -0.5), velocity=(1.0, 0.0))
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (12, 34)
    assert (list(message.name), list(message.position)) == (['pan', 'grip'], [0.5, -0.5])
    assert list(message.velocity) == [1.0, 0.0] and not message.effort


def test_ranges_keep_the_order_of_the_joints() -> None:
    """Lower and upper ends stand at their joint's place."""
    message = ranges_message({'pan': (-1.0, 2.0), 'grip': (0.0, 0.5)})
    assert list(message.name) == ['pan', 'grip']
    assert (list(message.lower), list(message.upper)) == ([-1.0, 0.0], [2.0, 0.5])


def test_guard_status_is_told_whole() -> None:
    """State, reason and every counter."""
    guard = CommandGuard(GuardConfig((JointLimit('pan', -1, 1, 4, 30),), {'default': 0}))
    guard.activate(1, [0.0])
    message = guard_message(guard.status)
    assert message.state == GuardState.HOLDING
    assert message.reason == 'activated'
    assert len(message.counter_names) == len(message.counter_values) > 10
