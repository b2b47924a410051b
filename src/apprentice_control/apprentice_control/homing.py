# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Half-turn homing and range recording on an encoder that starts again after every turn."""
from __future__ import annotations

from typing import NamedTuple

from apprentice_control.joint_calibration import MAX_HOMING_OFFSET
from apprentice_control.units import TICKS_PER_TURN

MIDDLE = (TICKS_PER_TURN - 1) // 2
"""What LeRobot makes a joint read in the middle pose, in ticks."""


class Homed(NamedTuple):
    """A joint's homing offset and the range that goes with it, in ticks."""

    offset: int
    range_min: int
    range_max: int


def wrapped(ticks: int) -> int:
    """Return the same angle within half a turn of zero: -2048 to 2047 ticks."""
    half = TICKS_PER_TURN // 2
    return (ticks + half) % TICKS_PER_TURN - half


def encodable(offset: int) -> int:
    """
    Return the homing offset of the same effect that the register can hold.

    Half a turn is beyond the register by one tick in both directions, and becomes that tick less.
    """
    return max(wrapped(offset), -MAX_HOMING_OFFSET)


def homing_offset(actual: int) -> int:
    """Return the offset with which a servo that stands at `actual`, without one, reads MIDDLE."""
    return encodable(actual - MIDDLE)


class RangeRecorder:
    """
    Follow one joint over the encoder's seam; positions in ticks, not wrapped.

    `leap` is the longest way between two readings: from half a turn on its direction is a guess.
    """

    def __init__(self, start: int) -> None:
        """Begin at a reading of 0..4095."""
        self.position = self.minimum = self.maximum = start
        self.leap = 0

    def follow(self, reading: int) -> None:
        """Take a reading that does not belong to the range."""
        step = wrapped(reading - self.position)
        self.leap = max(self.leap, abs(step))
        self.position += step

    def add(self, reading: int) -> None:
        """Take a reading of the range."""
        self.follow(reading)
        self.minimum = min(self.minimum, self.position)
        self.maximum = max(self.maximum, self.position)

    @property
    def span(self) -> int:
        """Return the recorded range in ticks."""
        return self.maximum - self.minimum

    @property
    def crossed_seam(self) -> bool:
        """Whether the range leaves 0..4095."""
        return self.minimum < 0 or self.maximum >= TICKS_PER_TURN

    def homed(self, offset: int) -> Homed:
        """
        Return offset and range; a range over the seam is moved to the middle of the turn.

        :param offset: the homing offset that was in force while the range was recorded.
        """
        if not self.crossed_seam:
            return Homed(offset, self.minimum, self.maximum)
        shift = (self.minimum + self.maximum) // 2 - MIDDLE
        moved = encodable(offset + shift)
        shift += wrapped(moved - offset - shift)
        return Homed(moved, self.minimum - shift, self.maximum - shift)
