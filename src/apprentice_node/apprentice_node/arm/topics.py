# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""An arm's topics and services, used by its bus thread straight before and after its I/O."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from apprentice_control.guard import CommandGuard
from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import JointRanges
from apprentice_node.arm.inputs import Inputs
from apprentice_node.arm.messages import guard_message
from apprentice_node.arm.messages import joint_state
from apprentice_node.arm.messages import ranges_message
from apprentice_node.arm.messages import set_stamp
from apprentice_node.clock import ClockBridge
from apprentice_node.managed_node import ManagedNode
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
DEPTH = 10


class ArmTopics:
    """
    Publish what one arm does, and hand what others want of it to its guard.

    Without a guard, for an arm that is moved by hand, there are only its states and ranges.
    """

    def __init__(
        self, node: ManagedNode, ranges: Mapping[str, tuple[float, float]], rate_hz: float,
        guard: CommandGuard | None = None, sources: Sequence[str] = (),
    ) -> None:
        """Advertise, publish the joints' ranges (rad), and subscribe to the sources."""
        self._node = node
        self._guard = guard
        self._generation = -1
        self._names = tuple(ranges)
        self._clock = ClockBridge(lambda: node.get_clock().now().nanoseconds)
        self._states = node.create_publisher(JointState, 'joint_states', DEPTH)
        self._ranges = node.create_publisher(JointRanges, 'joint_ranges', LATCHED)
        self._publishers = [self._states, self._ranges]
        self._states_rate = node.monitor_rate('joint_states', rate_hz)
        if guard is not None:
            self._commands_rate = node.monitor_rate('joint_commands')
            self._commands = node.create_publisher(JointState, 'joint_commands', DEPTH)
            self._guard_state = node.create_publisher(GuardState, 'guard_state', LATCHED)
            self._publishers += [self._commands, self._guard_state]
        message = ranges_message(ranges)
        message.header.stamp = node.get_clock().now().to_msg()
        self._ranges.publish(message)
        self._inputs = None if guard is None else Inputs(
            node, guard, tuple(sources), self._clock, node.get_logger().error)

    def poll(self, now_ns: int) -> None:
        """Hand what came in since the last cycle to the guard."""
        if self._inputs is not None:
            self._inputs.poll(now_ns)

    def publish_states(
        self, stamp_ns: int, position: Sequence[float], velocity: Sequence[float] = (),
        effort: Sequence[float] = (),
    ) -> None:
        """Publish a reading of all joints, taken at a monotonic instant; rad, rad/s, fraction."""
        self.send_states(
            joint_state(self._names, self.to_ros(stamp_ns), position, velocity, effort))

    def publish_commands(
        self, stamp_ns: int, position: Sequence[float], velocity: Sequence[float] = (),
    ) -> None:
        """Publish goals of all joints, as written to the motors at a monotonic instant."""
        self.send_commands(joint_state(self._names, self.to_ros(stamp_ns), position, velocity))

    def send_states(self, message: JointState) -> None:
        """Publish a reading as a message that the driver keeps."""
        self._states.publish(message)
        self._states_rate.tick()

    def send_commands(self, message: JointState) -> None:
        """Publish goals as a message that the driver keeps."""
        self._commands.publish(message)
        self._commands_rate.tick()

    def to_ros(self, monotonic_ns: int) -> int:
        """Return the ROS time of a monotonic instant, for a stamp."""
        return self._clock.to_ros(monotonic_ns)

    def publish_guard(self) -> None:
        """Publish the guard's status if it has changed."""
        guard = self._guard
        if guard is None or guard.generation == self._generation:
            return
        self._generation = guard.generation
        message = guard_message(guard.status)
        set_stamp(message.header.stamp, self._node.get_clock().now().nanoseconds)
        self._guard_state.publish(message)

    def expect_commands(self, rate_hz: float) -> None:
        """Expect goals at this rate; 0 while the arm is not driven."""
        if self._guard is not None:
            self._commands_rate.expected_hz = rate_hz
            self._commands_rate.restart()

    def destroy(self) -> None:
        """Withdraw everything; the bus thread must have ended."""
        self._node.drop_rates()
        if self._inputs is not None:
            self._inputs.destroy()
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
