# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Half-turn homing fits the register from any position; ranges survive the encoder's seam."""
from __future__ import annotations

from apprentice_control.homing import encodable
from apprentice_control.homing import homing_offset
from apprentice_control.homing import MIDDLE
from apprentice_control.homing import RangeRecorder
from apprentice_control.homing import wrapped
from apprentice_control.units import TICKS_PER_TURN
from hypothesis import given
from hypothesis import strategies as st


def test_every_position_can_be_homed() -> None:
    """Where LeRobot fails: at 4095, whose offset of 2048 the register cannot hold."""
    for actual in range(TICKS_PER_TURN):
        offset = homing_offset(actual)
        assert -2047 <= offset <= 2047
        reads = (actual - offset) % TICKS_PER_TURN
        assert reads == MIDDLE if actual != TICKS_PER_TURN - 1 else reads == MIDDLE - 1


def test_an_offset_keeps_its_effect() -> None:
    """Whole turns do not matter, half a turn costs a tick."""
    assert (encodable(2047), encodable(-2047), encodable(4096), encodable(5000)) == (
        2047, -2047, 0, 904)
    assert encodable(2048) == encodable(-2048) == -2047


def test_the_seam_does_not_widen_a_range() -> None:
    """A joint that swings over 0 has moved by what it swung, not by a turn."""
    record = RangeRecorder(30)
    for position in (10, 4090, 3900, 4090, 20, 200):
        record.add(position)
    assert (record.minimum, record.maximum, record.span) == (-196, 200, 396)
    assert record.crossed_seam and record.leap == 190
    homed = record.homed(1000)
    assert homed.range_max - homed.range_min == 396
    assert (homed.range_min + homed.range_max) // 2 == MIDDLE
    assert wrapped(homed.range_min + homed.offset - (-196 + 1000)) == 0


def test_following_does_not_widen_a_range() -> None:
    """What is read after the range was recorded moves the position only."""
    record = RangeRecorder(2000)
    record.add(2100)
    record.follow(3000)
    assert (record.position, record.minimum, record.maximum) == (3000, 2000, 2100)


@given(offset=st.integers(-2047, 2047), start=st.integers(0, 4095),
       low=st.integers(0, 1900), high=st.integers(0, 1900))
def test_any_range_fits_its_turn(offset: int, start: int, low: int, high: int) -> None:
    """Whatever was recorded, both ends lie in 0..4095 and point where the shaft was."""
    record = RangeRecorder(start)
    for position in (*range(start, start - low - 1, -500), start - low,
                     *range(start - low, start + high, 500), start + high):
        record.add(position % TICKS_PER_TURN)
    homed = record.homed(offset)
    assert record.span == low + high == homed.range_max - homed.range_min
    assert homed.range_min >= 0 and homed.range_max < TICKS_PER_TURN
    assert abs(homed.offset) <= 2047
    assert wrapped(homed.range_min + homed.offset - (start - low + offset)) == 0
