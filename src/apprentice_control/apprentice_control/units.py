# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Conversions between servo registers, radians, seconds and integer nanoseconds."""

from __future__ import annotations

import math

TICKS_PER_TURN = 4096
"""Encoder positions in one turn of a 12-bit servo."""

RAD_PER_TICK = 2 * math.pi / (TICKS_PER_TURN - 1)
"""LeRobot divides a turn by 4095; the same number keeps its datasets and ours equal."""

LOAD_FULL_SCALE = 1000
"""Present-load reading at full motor torque (0.1 % a unit)."""

NS_PER_S = 1_000_000_000


def ticks_to_rad(ticks: float) -> float:
    """Convert a distance in encoder ticks to radians."""
    return ticks * RAD_PER_TICK


def rad_to_ticks(rad: float) -> float:
    """Convert a distance in radians to encoder ticks, unrounded."""
    return rad / RAD_PER_TICK


def load_to_fraction(raw: int) -> float:
    """Convert a signed present-load reading to a fraction of full torque, -1 to 1."""
    return raw / LOAD_FULL_SCALE


def seconds(ns: int) -> float:
    """Convert nanoseconds to seconds."""
    return ns / NS_PER_S


def nanoseconds(s: float) -> int:
    """
    Convert seconds to the nearest nanosecond.

    :raises ValueError: not a finite number.
    """
    if not math.isfinite(s):
        raise ValueError(f'a time must be a finite number of seconds, found {s!r}')
    return round(s * NS_PER_S)
