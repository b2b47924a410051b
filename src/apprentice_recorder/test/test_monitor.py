# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a stream's monitor says of rate, age, losses and clocks."""
from __future__ import annotations

from apprentice_recorder.monitor import StreamMonitor
import pytest

MS = 1_000_000


def fed(stamps_ms: list[float], delay_ms: float = 2.0, numbers: list[int] | None = None,
        ) -> StreamMonitor:
    """Return a monitor that took samples with these stamps."""
    monitor = StreamMonitor('front', '/front/image_raw', 30.0)
    for stamp, number in zip(stamps_ms, numbers or range(1, len(stamps_ms) + 1)):
        monitor.take(int(stamp * MS), int((stamp + delay_ms) * MS), number)
    return monitor


def test_nothing_is_known_before_the_first_sample() -> None:
    """No age, no delay, no rate."""
    health = StreamMonitor('front', '/front', 30.0).health(0)
    assert (health.age_s, health.delay_s, health.rate_hz, health.samples) == (None, None, 0.0, 0)
    assert not health.frozen


def test_rate_and_age_come_from_stamps() -> None:
    """Thirty samples a second are thirty, however they were bunched on their way."""
    health = fed([number * 100 / 3 for number in range(61)]).health(2010 * MS)
    assert health.rate_hz == pytest.approx(30.0, rel=1e-6)
    assert health.age_s == pytest.approx(0.010, abs=1e-6)
    assert health.delay_s == pytest.approx(0.002, abs=1e-6)


def test_missing_sequence_numbers_are_gaps() -> None:
    """A jump of the numbers is what was lost; a publisher that starts anew has lost nothing."""
    assert fed([0, 33, 66, 99], numbers=[5, 6, 9, 10]).sequence_gaps == 2
    assert fed([0, 33, 66, 99], numbers=[7, 8, 1, 2]).sequence_gaps == 0
    assert fed([0, 33, 66], numbers=[0, 0, 0]).sequence_gaps == 0


def test_frozen_means_that_stamps_stand_still() -> None:
    """Messages that come with one stamp are no stream."""
    monitor = StreamMonitor('front', '/front', 30.0)
    for number in range(10):
        monitor.take(0, number * 33 * MS, number)
    assert monitor.health(300 * MS).frozen
    assert not fed([0, 33, 66, 99, 132]).health(150 * MS).frozen


def test_a_silent_stream_has_no_rate() -> None:
    """What came long ago does not count; its age does."""
    health = fed([0, 33, 66, 99]).health(5000 * MS)
    assert health.rate_hz == 0.0
    assert health.age_s == pytest.approx(4.901, abs=1e-6)
    assert health.delay_s is None
