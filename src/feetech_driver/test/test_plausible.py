# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The step filter refuses positions that a motor cannot have reached."""

from __future__ import annotations

from feetech_driver.plausible import StepFilter

MS = 1_000_000


def known(position: int = 1000) -> StepFilter:
    """Return a filter at 4000 ticks/s with 10 ticks of slack that knows a position at 0."""
    step = StepFilter(4000.0, 10)
    step.accept(position, -MS)
    assert step.accept(position, 0)
    return step


def test_the_first_reading_needs_a_second_one() -> None:
    """A single reading after the start is not believed, nor counted as an error."""
    step = StepFilter(4000.0, 10)
    assert not step.accept(1000, 0)
    assert step.accept(1001, MS)
    assert step.rejected == 0


def test_a_step_within_the_speed_is_accepted() -> None:
    """What the motor can turn in the time since the last reading is believed."""
    assert known().accept(1030, 5 * MS)


def test_a_step_beyond_the_speed_is_refused_and_counted() -> None:
    """What the motor cannot turn in that time is not believed."""
    step = known()
    assert not step.accept(1031, 5 * MS)
    assert step.rejected == 1
    assert step.accept(1002, 6 * MS)


def test_a_second_consistent_reading_is_accepted() -> None:
    """A real jump costs one more reading."""
    step = known()
    assert not step.accept(3000, 5 * MS)
    assert step.accept(3004, 6 * MS)
    assert step.accept(3005, 7 * MS)


def test_two_inconsistent_readings_are_both_refused() -> None:
    """Corrupt positions that disagree never become the position."""
    step = known()
    assert not step.accept(3000, 5 * MS)
    assert not step.accept(2000, 6 * MS)
    assert step.rejected == 2
    assert step.accept(1000, 7 * MS)


def test_an_accepted_reading_clears_the_suspicion() -> None:
    """Two equal corrupt readings with a good one between them stay refused."""
    step = known()
    assert not step.accept(3000, 5 * MS)
    assert step.accept(1000, 6 * MS)
    assert not step.accept(3000, 7 * MS)


def test_time_without_readings_widens_the_reach() -> None:
    """After a silence the motor may be farther away."""
    assert known().accept(3000, 500 * MS)


def test_reset_forgets_the_position() -> None:
    """After a reconnect the position starts anew."""
    step = known()
    step.reset()
    assert not step.accept(3000, 5 * MS)
    assert step.rejected == 0
    assert step.accept(3000, 6 * MS)
