# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Units convert by LeRobot's divisor and round to whole nanoseconds."""

from __future__ import annotations

import math

from apprentice_control import units
import pytest


def test_a_turn_has_4095_tick_lengths() -> None:
    """A full turn is 4095 ticks, LeRobot's divisor."""
    assert units.ticks_to_rad(4095) == pytest.approx(2 * math.pi)
    assert units.rad_to_ticks(2 * math.pi) == pytest.approx(4095)


def test_load_is_a_fraction_of_full_torque() -> None:
    """A load reading of -250 is a quarter of the torque."""
    assert units.load_to_fraction(-250) == -0.25


def test_seconds_round_to_whole_nanoseconds() -> None:
    """Seconds become the nearest nanosecond and come back."""
    assert units.nanoseconds(0.0299999999996) == 30_000_000
    assert units.seconds(units.nanoseconds(1.5)) == 1.5


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_no_instant_is_made_of_nan(value: float) -> None:
    """Infinity and NaN are refused."""
    with pytest.raises(ValueError, match='finite'):
        units.nanoseconds(value)
