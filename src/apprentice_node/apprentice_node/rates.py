# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure rates and durations cheaply enough for a loop of several hundred hertz."""
from __future__ import annotations

from collections import deque
from typing import NamedTuple


class RateReading(NamedTuple):
    """Measured against expected rate in Hz; `ok` is false when the measured one is too low."""

    name: str
    measured_hz: float
    expected_hz: float
    ok: bool


class RateMonitor:
    """
    Count events and compare their rate with the expected one.

    `tick` may be called from another thread than `read`. An expected rate of 0 only measures.
    """

    def __init__(self, name: str, expected_hz: float = 0.0, tolerance: float = 0.1) -> None:
        """Expect `expected_hz` events a second, less `tolerance` of it."""
        self.name = name
        self.expected_hz = expected_hz
        self.tolerance = tolerance
        self._count = 0
        self._seen = 0
        self._since_ns: int | None = None

    @property
    def count(self) -> int:
        """Return the number of events so far."""
        return self._count

    def tick(self) -> None:
        """Count one event."""
        self._count += 1

    def read(self, now_ns: int) -> RateReading:
        """Return the rate since the previous call; `now_ns` is monotonic time."""
        count = self._count
        events, since_ns = count - self._seen, self._since_ns
        self._seen, self._since_ns = count, now_ns
        if since_ns is None or now_ns <= since_ns:
            return RateReading(self.name, 0.0, self.expected_hz, True)
        measured = events * 1e9 / (now_ns - since_ns)
        # One event more or less in the window is no fault.
        slack = 1e9 / (now_ns - since_ns)
        lowest = self.expected_hz * (1.0 - self.tolerance) - slack
        return RateReading(self.name, measured, self.expected_hz, measured >= lowest)

    def restart(self) -> None:
        """Forget the window, for a stream that starts anew."""
        self._seen, self._since_ns = self._count, None


class Summary(NamedTuple):
    """Distribution of durations in nanoseconds."""

    count: int
    p50_ns: int
    p99_ns: int
    max_ns: int


class DurationMonitor:
    """Keep the latest durations; one thread adds while another summarises."""

    def __init__(self, size: int = 1000) -> None:
        """Keep the latest `size` durations."""
        self._values: deque[int] = deque(maxlen=size)

    def add(self, duration_ns: int) -> None:
        """Add one duration."""
        self._values.append(duration_ns)

    def summary(self) -> Summary:
        """Return the distribution of the durations kept."""
        # deque.copy is one call that holds the interpreter lock: no torn iteration.
        values = sorted(self._values.copy())
        if not values:
            return Summary(0, 0, 0, 0)
        last = len(values) - 1
        return Summary(len(values), values[last // 2], values[last * 99 // 100], values[last])
