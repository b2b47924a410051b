# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Goals that reach the wire later than they were made: the caps hold between the writes."""
from __future__ import annotations

from apprentice_control.guard import Command
from apprentice_control.guard import CommandGuard
from apprentice_control.guard import GuardConfig
from apprentice_control.guard import JointLimit
from apprentice_control.guard import TrajectoryPoint
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

MS = 1_000_000
PERIOD_NS = 5 * MS
VELOCITY = 2.0
SLACK_S = 0.001


def _moving_guard() -> CommandGuard:
    limit = JointLimit('pan', -100.0, 100.0, VELOCITY, 30.0)
    guard = CommandGuard(GuardConfig((limit,), {'default': 0}, engage_velocity=VELOCITY))
    guard.activate(0, [0.0])
    points = (TrajectoryPoint(10_000 * MS, (50.0,)),)
    assert guard.submit(Command('default', ('pan',), points), 0) is None
    return guard


def _writes(guard: CommandGuard, delays_ms: list[float], tell: bool) -> list[tuple[int, float]]:
    """Run a cycle for each delay between goal and write; return when what was on the wire."""
    wire = []
    free_ns = 0
    for cycle, delay_ms in enumerate(delays_ms, start=1):
        now_ns = max(cycle * PERIOD_NS, free_ns)
        goal = guard.step(now_ns)
        free_ns = now_ns + round(delay_ms * MS)
        if tell:
            guard.written(free_ns)
        wire.append((free_ns, goal.position[0]))
    return wire


def _worst_excess(wire: list[tuple[int, float]]) -> float:
    return max(abs(b - a) - VELOCITY * ((t - s) * 1e-9 + SLACK_S)
               for (s, a), (t, b) in zip(wire, wire[1:]))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.just(0.05), st.floats(0.0, 40.0)), min_size=5, max_size=120))
def test_the_speed_between_writes_stays_within_the_cap(delays_ms: list[float]) -> None:
    """However late a goal is written, the next is no further than the cap allows from there."""
    assert _worst_excess(_writes(_moving_guard(), delays_ms, tell=True)) < 1e-9


def test_a_late_write_that_is_not_told_would_leap() -> None:
    """Without the time of the write the goal after a stall lies too far from it."""
    delays_ms = [0.05] * 40 + [25.0] + [0.05] * 10
    assert _worst_excess(_writes(_moving_guard(), delays_ms, tell=False)) > 0.03


def test_prompt_writes_change_nothing() -> None:
    """A write within a millisecond leaves a feasible request exactly as it was."""
    delays_ms = [0.9] * 60
    told = _writes(_moving_guard(), delays_ms, tell=True)
    assert told == _writes(_moving_guard(), delays_ms, tell=False)


def test_time_lost_to_a_late_write_is_made_up() -> None:
    """The arm lags after a stall and then reaches its trajectory again."""
    limit = JointLimit('pan', -100.0, 100.0, VELOCITY, 30.0)
    guard = CommandGuard(GuardConfig((limit,), {'default': 0}, engage_velocity=VELOCITY))
    guard.activate(0, [0.0])
    points = (TrajectoryPoint(2_000 * MS, (2.0,)),)
    assert guard.submit(Command('default', ('pan',), points), 0) is None
    wire = _writes(guard, [0.05] * 100 + [30.0] + [0.05] * 500, tell=True)
    assert wire[-1][1] == pytest.approx(2.0, abs=1e-6)
