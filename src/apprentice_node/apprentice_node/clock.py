# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert between ROS time, which stamps carry, and the monotonic time that loops run on."""
from __future__ import annotations

from collections.abc import Callable
import time

# Less is no step of either clock.
_JITTER_NS = 100_000
_FIRST_LOOKS = 5


class ClockBridge:
    """
    Convert instants between ROS time and monotonic time, both in nanoseconds.

    The offset stays the same until the clocks have surely moved against each other, so that
    stamps keep their order. A thread can be put off between its looks at the two clocks; what it
    then sees is as uncertain as the wait was long, and must not shift a stamp.
    """

    def __init__(
        self, ros_now: Callable[[], int] = time.time_ns,
        monotonic_now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Take the clocks; `ros_now` may be simulated time."""
        self._ros_now = ros_now
        self._monotonic_now = monotonic_now
        looks = [self._look() for _ in range(_FIRST_LOOKS)]
        self._offset_ns = min(looks, key=lambda look: look[1])[0]

    def to_ros(self, monotonic_ns: int) -> int:
        """Return the ROS time of a monotonic instant."""
        self._follow()
        return monotonic_ns + self._offset_ns

    def to_monotonic(self, ros_ns: int) -> int:
        """Return the monotonic instant of a ROS time."""
        self._follow()
        return ros_ns - self._offset_ns

    def _follow(self) -> None:
        offset_ns, uncertainty_ns = self._look()
        if abs(offset_ns - self._offset_ns) > uncertainty_ns + _JITTER_NS:
            self._offset_ns = offset_ns

    def _look(self) -> tuple[int, int]:
        """Return the offset as it seems now, and by how much it may be wrong."""
        before_ns = self._monotonic_now()
        ros_ns = self._ros_now()
        half_ns = (self._monotonic_now() - before_ns) // 2
        return ros_ns - before_ns - half_ns, half_ns
