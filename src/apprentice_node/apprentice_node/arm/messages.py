# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make an arm's messages, and read commands from messages."""
from __future__ import annotations

from array import array
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import JointRanges
from builtin_interfaces.msg import Time
from sensor_msgs.msg import JointState

NS_PER_S = 1_000_000_000


def set_stamp(stamp: Time, ros_ns: int) -> None:
    """Write ROS time in nanoseconds into a stamp."""
    stamp.sec, stamp.nanosec = divmod(ros_ns, NS_PER_S)


def joint_state(
    names: Sequence[str], ros_ns: int, position: Sequence[float],
    velocity: Sequence[float] = (), effort: Sequence[float] = (),
) -> JointState:
    """Return the message for joints at an instant of ROS time; rad, rad/s, fraction of full."""
    message = JointState(name=list(names))
    set_stamp(message.header.stamp, ros_ns)
    message.position = array('d', position)
    message.velocity = array('d', velocity)
    message.effort = array('d', effort)
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


def ranges_message(ranges: Mapping[str, tuple[float, float]]) -> JointRanges:
    """Return the message for the lower and upper end of each joint's range, rad."""
    return JointRanges(
        name=list(ranges), lower=[lower for lower, _ in ranges.values()],
        upper=[upper for _, upper in ranges.values()])


def guard_message(status: Any) -> GuardState:
    """Return the message for a guard's status."""
    message = GuardState(
        state=int(getattr(status.state, 'value', status.state)), owner=status.owner or '',
        reason=str(getattr(status.reason, 'word', status.reason) or ''), detail=status.detail,
        joints=list(status.joints), interventions=status.interventions)
    message.counter_names = list(status.counters)
    message.counter_values = list(status.counters.values())
    return message
