# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Paths are lines between positions and cubic curves where velocities are given."""

from __future__ import annotations

from math import inf

from apprentice_control.trajectory import Path
from apprentice_control.trajectory import sample
from apprentice_control.trajectory import TrajectoryPoint
from hypothesis import given
from hypothesis import strategies as st
import pytest

MS = 1_000_000
SPEEDS = st.floats(-5, 5)


def at(path: Path, now_ns: int, joint: int = 0) -> float:
    """Return a joint's position on a path at an instant."""
    return sample(path.tracks[joint], path.advance(now_ns))


def test_positions_are_joined_by_lines() -> None:
    """A quarter of the time is a quarter of the way, from the anchor and from every point."""
    points = [TrajectoryPoint(100 * MS, (1.0,)), TrajectoryPoint(300 * MS, (0.0,))]
    path = Path(0, points, (0,), (0.0,), (9.0,))
    assert [at(path, t * MS) for t in (0, 25, 100, 150, 300, 900)] == [
        0.0, 0.25, 1.0, 0.75, 0.0, 0.0]


def test_joints_that_are_not_named_have_no_track() -> None:
    """Values go to the joints named, the others get none."""
    path = Path(0, [TrajectoryPoint(MS, (3.0, 1.0))], (2, 0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    assert path.tracks[1] is None
    assert (at(path, MS, 0), at(path, MS, 2)) == (1.0, 3.0)


@given(SPEEDS, SPEEDS, SPEEDS, SPEEDS)
def test_curves_meet_positions_and_velocities(p0: float, v0: float, p1: float, v1: float) -> None:
    """A curve begins and ends with the positions and the slopes asked for."""
    point = TrajectoryPoint(500 * MS, (p1,), (v1,))
    path = Path(0, [point], (0,), (p0,), (v0,))
    assert at(path, 0) == p0
    assert (at(path, 1000) - p0) / 1e-6 == pytest.approx(v0, abs=1e-3)
    before = at(path, 500 * MS - 1000)
    assert (p1 - before) / 1e-6 == pytest.approx(v1, abs=1e-3)
    assert at(path, 500 * MS) == p1


def test_curves_reproduce_a_cubic() -> None:
    """A cubic is its own curve: position at any instant is the polynomial's."""
    def cubic(t: float) -> float:
        return 0.3 + 0.5 * t - 2.0 * t * t + 1.5 * t ** 3

    def slope(t: float) -> float:
        return 0.5 - 4.0 * t + 4.5 * t * t

    points = [TrajectoryPoint(t * MS, (cubic(t / 1e3),), (slope(t / 1e3),)) for t in (400, 1000)]
    path = Path(0, points, (0,), (cubic(0),), (slope(0),))
    for t in range(0, 1001, 7):
        assert at(path, t * MS) == pytest.approx(cubic(t / 1e3), abs=1e-12)


@given(st.lists(st.tuples(SPEEDS, SPEEDS, st.integers(1, 400)), min_size=1, max_size=6),
       st.booleans())
def test_the_rest_of_the_way_stays_within_what_was_measured(
    knots: list[tuple[float, float, int]], curved: bool,
) -> None:
    """At every instant the way still to come lies between ahead_low and ahead_high."""
    due_ns = 0
    points = []
    for position, velocity, ms in knots:
        due_ns += ms * MS
        points.append(TrajectoryPoint(due_ns, (position,), (velocity,) if curved else None))
    path = Path(0, points, (0,), (0.0,), (0.0,))
    track = path.tracks[0]
    low, high = -inf, inf
    for step in range(101):
        place = path.advance(due_ns * step // 100)
        here = sample(track, place)
        rest = [here, track.ahead_low[place[0]], track.ahead_high[place[0]]]
        assert low - 1e-9 <= here <= high + 1e-9
        low, high = min(rest), max(rest)


def test_a_point_due_at_the_anchor_is_reached_at_once() -> None:
    """A point due now makes no division by zero."""
    path = Path(5 * MS, [TrajectoryPoint(5 * MS, (1.0,))], (0,), (0.0,), (0.0,))
    assert at(path, 5 * MS) == 1.0
