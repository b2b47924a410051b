# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The built-in motor brakes in time whatever it is asked."""
from __future__ import annotations

import math

from apprentice_sim.motor import approach
from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st
import pytest


@example(target=1.0, top=10.0, acceleration=101.0, dt_s=0.001)
@given(
    target=st.floats(-5000, 5000), top=st.floats(10, 5000),
    acceleration=st.floats(100, 50_000) | st.just(math.inf), dt_s=st.sampled_from([1e-3, 2e-3]))
def test_approach_never_overshoots_nor_exceeds(
        target: float, top: float, acceleration: float, dt_s: float) -> None:
    """From rest, speed and acceleration stay within limits and the target is not passed."""
    position = velocity = 0.0
    for _ in range(3000):
        before = velocity
        position, velocity = approach(position, velocity, target, top, acceleration, dt_s)
        assert abs(velocity) <= top * 1.000001
        assert abs(velocity - before) <= 2.000001 * acceleration * dt_s
        assert abs(position) <= abs(target) + 1e-6
        assert position * target >= 0.0


def test_approach_arrives_and_rests() -> None:
    """A move of 1000 at 500/s and 1000/s² takes 2.5 s and ends at rest."""
    position = velocity = 0.0
    steps = 0
    while position != 1000.0 and steps < 10_000:
        position, velocity = approach(position, velocity, 1000.0, 500.0, 1000.0, 0.002)
        steps += 1
    assert velocity == 0.0
    assert steps * 0.002 == pytest.approx(2.5, abs=0.05)


def test_approach_turns_round_within_the_acceleration() -> None:
    """A moving shaft brakes before it goes back."""
    position, velocity = approach(0.0, 1000.0, -100.0, 2000.0, 10_000.0, 0.002)
    assert velocity == pytest.approx(980.0)
    assert position > 0.0
