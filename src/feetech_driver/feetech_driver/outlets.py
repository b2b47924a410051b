# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The topics of an arm on a Feetech bus: what its registers hold, in messages."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from apprentice_control.calibration import JointCalibration
from apprentice_control.guard import CommandGuard
from apprentice_node.arm.topics import ArmTopics
from apprentice_node.managed_node import ManagedNode
from feetech_driver.messages import CommandMessage
from feetech_driver.messages import StateMessage
from feetech_driver.motors import MotorState


class Outlets(ArmTopics):
    """Publish readings and goals as they come from the bus."""

    def __init__(
        self, node: ManagedNode, joints: Sequence[JointCalibration], rate_hz: float,
        guard: CommandGuard | None, sources: Sequence[str],
    ) -> None:
        """Advertise, and publish the calibrated ranges."""
        super().__init__(
            node, {joint.name: (joint.lower_rad, joint.upper_rad) for joint in joints}, rate_hz,
            guard, sources)
        self._logger = node.get_logger()
        self._state_message = StateMessage(joints)
        self._command_message = CommandMessage(joints)

    def states(self, stamp_ns: int, states: Mapping[str, MotorState]) -> None:
        """Publish a reading."""
        self.send_states(self._state_message.fill(self.to_ros(stamp_ns), states))

    def commands(self, stamp_ns: int, goals: Sequence[int], velocity: Sequence[float]) -> None:
        """Publish goals as written, in ticks."""
        self.send_commands(self._command_message.fill(self.to_ros(stamp_ns), goals, velocity))

    def say(self, text: str, error: bool = False) -> None:
        """Log an event."""
        if error:
            self._logger.error(text)
        else:
            self._logger.info(text)
