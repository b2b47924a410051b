# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert between ROS time, which only stamps messages, and the monotonic clock of the loop."""
from __future__ import annotations

from collections.abc import Callable
import time

# Reading two clocks one after the other is only so exact; less is no step of either.
_JITTER_NS = 100_000


class ClockBridge:
    """
    Convert instants between ROS time and monotonic time, both in nanoseconds.

    The offset stays the same until the clocks have really moved against each other, so that
    stamps keep their order.
    """

    def __init__(
        self, ros_now: Callable[[], int] = time.time_ns,
        monotonic_now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Take the clocks; `ros_now` may be simulated time."""
        self._ros_now = ros_now
        self._monotonic_now = monotonic_now
        self._offset_ns = ros_now() - monotonic_now()

    def to_ros(self, monotonic_ns: int) -> int:
        """Return the ROS time of a monotonic instant."""
        self._follow()
        return monotonic_ns + self._offset_ns

    def to_monotonic(self, ros_ns: int) -> int:
        """Return the monotonic instant of a ROS time."""
        self._follow()
        return ros_ns - self._offset_ns

    def _follow(self) -> None:
        offset_ns = self._ros_now() - self._monotonic_now()
        if abs(offset_ns - self._offset_ns) > _JITTER_NS:
            self._offset_ns = offset_ns
