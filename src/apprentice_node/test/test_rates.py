# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Rates and durations are measured as they were."""
from __future__ import annotations

from apprentice_node.rates import DurationMonitor
from apprentice_node.rates import RateMonitor

SECOND_NS = 1_000_000_000


def ticked(monitor: RateMonitor, events: int) -> RateMonitor:
    """Tick a number of times."""
    for _ in range(events):
        monitor.tick()
    return monitor


def test_rate_is_events_over_the_window() -> None:
    """Events since the previous reading are divided by its age."""
    monitor = RateMonitor('states', 200.0)
    monitor.read(0)
    assert ticked(monitor, 400).read(2 * SECOND_NS).measured_hz == 200.0
    assert ticked(monitor, 100).read(3 * SECOND_NS).measured_hz == 100.0


def test_too_slow_a_stream_is_not_ok() -> None:
    """Less than the tolerated share of the expected rate is told."""
    monitor = RateMonitor('states', 200.0, tolerance=0.1)
    monitor.read(0)
    assert ticked(monitor, 180).read(SECOND_NS).ok
    assert not ticked(monitor, 178).read(2 * SECOND_NS).ok
    assert not monitor.read(3 * SECOND_NS).ok


def test_first_reading_judges_nothing() -> None:
    """Without a window there is no rate."""
    assert RateMonitor('states', 200.0).read(5).ok


def test_restart_forgets_the_pause() -> None:
    """A stream that starts anew is not blamed for the time in which it was off."""
    monitor = RateMonitor('states', 200.0)
    monitor.read(0)
    monitor.restart()
    assert monitor.read(10 * SECOND_NS).ok


def test_summary_orders_durations() -> None:
    """Median, 99th percentile and maximum come from the values kept."""
    monitor = DurationMonitor(size=100)
    for value in (999, *reversed(range(100))):
        monitor.add(value)
    assert monitor.summary() == (100, 49, 98, 99)


def test_empty_summary_is_zero() -> None:
    """Nothing measured is no error."""
    assert DurationMonitor().summary() == (0, 0, 0, 0)
