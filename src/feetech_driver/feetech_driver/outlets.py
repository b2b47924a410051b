# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The arm's publishers, used by the bus thread straight after its I/O."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from apprentice_control.calibration import JointCalibration
from apprentice_control.guard import CommandGuard
from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import JointRanges
from apprentice_node.managed_node import ManagedNode
from apprentice_node.clock import ClockBridge
from feetech_driver.inputs import Inputs
from feetech_driver.messages import CommandMessage
from feetech_driver.messages import guard_message
from feetech_driver.messages import ranges_message
from feetech_driver.messages import set_stamp
from feetech_driver.messages import StateMessage
from feetech_driver.motors import MotorState
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
DEPTH = 10


class Outlets:
    """Publish what one arm does; without a guard only its states and ranges."""

    def __init__(
        self, node: ManagedNode, joints: Sequence[JointCalibration], rate_hz: float,
        clock: ClockBridge, guard: CommandGuard | None,
    ) -> None:
        """Advertise, and publish the calibrated ranges."""
        self.inputs: Inputs | None = None
        self._node = node
        self._clock = clock
        self._guard = guard
        self._state_message = StateMessage(joints)
        self._command_message = CommandMessage(joints)
        self._states = node.create_publisher(JointState, 'joint_states', DEPTH)
        self._ranges = node.create_publisher(JointRanges, 'joint_ranges', LATCHED)
        self._publishers = [self._states, self._ranges]
        self._states_rate = node.monitor_rate('joint_states', rate_hz)
        self._commands_rate = node.monitor_rate('joint_commands') if guard is not None else None
        if guard is not None:
            self._commands = node.create_publisher(JointState, 'joint_commands', DEPTH)
            self._guard_state = node.create_publisher(GuardState, 'guard_state', LATCHED)
            self._publishers += [self._commands, self._guard_state]
        ranges = ranges_message(joints)
        ranges.header.stamp = node.get_clock().now().to_msg()
        self._ranges.publish(ranges)

    def poll(self, now_ns: int) -> None:
        """Take what came in since the last cycle."""
        if self.inputs is not None:
            self.inputs.poll(now_ns)

    def states(self, stamp_ns: int, states: Mapping[str, MotorState]) -> None:
        """Publish a reading."""
        self._states.publish(self._state_message.fill(self._clock.to_ros(stamp_ns), states))
        self._states_rate.tick()

    def commands(self, stamp_ns: int, goals: Sequence[int], velocity: Sequence[float]) -> None:
        """Publish goals as written, in ticks."""
        self._commands.publish(
            self._command_message.fill(self._clock.to_ros(stamp_ns), goals, velocity))
        self._commands_rate.tick()

    def guard_changed(self) -> None:
        """Publish the guard's status."""
        message = guard_message(self._guard.status)
        set_stamp(message.header.stamp, self._node.get_clock().now().nanoseconds)
        self._guard_state.publish(message)

    def expect_commands(self, rate_hz: float) -> None:
        """Expect goals at this rate; 0 while the arm is not driven."""
        if self._commands_rate is not None:
            self._commands_rate.expected_hz = rate_hz
            self._commands_rate.restart()

    def say(self, text: str, error: bool = False) -> None:
        """Log an event."""
        logger = self._node.get_logger()
        if error:
            logger.error(text)
        else:
            logger.info(text)

    def destroy(self) -> None:
        """Withdraw everything; the bus thread must have ended."""
        self._node.drop_rates()
        if self.inputs is not None:
            self.inputs.destroy()
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
