# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Clocks are bridged without disorder."""
from __future__ import annotations

from apprentice_node.clock import ClockBridge
import pytest

MS = 1_000_000


class Clocks:
    """Two clocks that a test moves; `pause_ns` passes between looks at them, once."""

    def __init__(self) -> None:
        """Begin with an offset of a thousand seconds."""
        self.elapsed_ns = 0
        self.step_ns = 0
        self.pause_ns = {'ros': 0, 'monotonic': 0}

    def ros(self) -> int:
        """Read the ROS clock."""
        value = 10**12 + self.elapsed_ns + self.step_ns
        self._pass('ros')
        return value

    def monotonic(self) -> int:
        """Read the monotonic clock."""
        value = self.elapsed_ns
        self._pass('monotonic')
        return value

    def _pass(self, after: str) -> None:
        self.elapsed_ns += self.pause_ns[after] + 500
        self.pause_ns[after] = 0


@pytest.mark.parametrize('after', ['ros', 'monotonic'])
def test_a_pause_between_two_looks_shifts_no_stamp(after: str) -> None:
    """A thread that is put off while it reads the clocks stamps as before."""
    clocks = Clocks()
    bridge = ClockBridge(clocks.ros, clocks.monotonic)
    expected = bridge.to_ros(5 * MS)
    clocks.pause_ns[after] = 12 * MS
    assert bridge.to_ros(5 * MS) == expected
    assert bridge.to_monotonic(expected) == 5 * MS


def test_microseconds_between_two_readings_are_no_step() -> None:
    """Stamps keep their order through the jitter of a reading."""
    clocks = Clocks()
    bridge = ClockBridge(clocks.ros, clocks.monotonic)
    expected = bridge.to_ros(5 * MS)
    clocks.step_ns = 90_000
    assert bridge.to_ros(5 * MS) == expected


def test_a_clock_that_is_set_is_followed() -> None:
    """A step of a second shows in the next stamp, to within a reading's uncertainty."""
    clocks = Clocks()
    bridge = ClockBridge(clocks.ros, clocks.monotonic)
    before = bridge.to_ros(5 * MS)
    clocks.step_ns = 10**9
    assert bridge.to_ros(5 * MS) - before == pytest.approx(10**9, abs=1000)
