# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A follower passes what is feasible, keeps its caps and limits, and catches up smoothly."""

from __future__ import annotations

from apprentice_control.limiter import Follower
from apprentice_control.limits import JointLimit
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

LIMIT = JointLimit('pan', -100.0, 100.0, 4.0, 30.0)
TIGHT = JointLimit('pan', -0.5, 0.5, 4.0, 30.0)
SPANS = st.floats(1e-5, 0.05)
MANY_SPANS = st.lists(SPANS, min_size=20, max_size=120)


@settings(max_examples=150)
@given(st.lists(st.tuples(SPANS, st.floats(-1, 1)), min_size=1, max_size=200))
def test_a_feasible_request_passes_exactly(pieces: list[tuple[float, float]]) -> None:
    """Any smooth request within the caps comes out as it went in, however uneven the steps."""
    follower = Follower(LIMIT)
    position, speed = 0.0, 0.0
    for span, push in pieces:
        acceleration = push * 0.99 * LIMIT.max_acceleration
        room = 0.99 * LIMIT.max_velocity
        acceleration = min(max(acceleration, (-room - speed) / span), (room - speed) / span)
        previous = position
        position += speed * span + 0.5 * acceleration * span * span
        speed += acceleration * span
        assert follower.follow(position, previous, span, LIMIT.max_velocity)
        assert follower.position == position


@settings(max_examples=150)
@given(st.lists(st.tuples(SPANS, st.floats(-3, 3), st.floats(0.1, 4.0)), max_size=120))
def test_no_request_breaks_caps_or_limits(pieces: list[tuple[float, float, float]]) -> None:
    """Requests that jump anywhere leave speed, acceleration and position within bounds."""
    follower = Follower(TIGHT)
    target, last_span = 0.0, 0.0
    for span, wish, cap in pieces:
        previous, target = target, min(max(wish, TIGHT.lower), TIGHT.upper)
        position, speed = follower.position, follower.velocity
        follower.follow(target, previous, span, cap)
        now = (follower.position - position) / span
        assert now == pytest.approx(follower.velocity, abs=1e-6)
        assert abs(now) <= TIGHT.max_velocity + 1e-6
        assert abs(now - speed) <= 15.0 * (span + last_span) + 1e-6
        assert TIGHT.lower <= follower.position <= TIGHT.upper
        last_span = span


@settings(max_examples=100)
@given(st.floats(-0.4, 0.4), MANY_SPANS)
def test_a_jump_is_caught_up_without_overshoot(goal: float, spans: list[float]) -> None:
    """From rest to any goal the joint never passes it, and it gets there and stays."""
    follower = Follower(TIGHT)
    for span in (*spans, *[0.005] * 150):
        follower.follow(goal, goal, span, 4.0)
        assert abs(follower.position) <= abs(goal) + 1e-9
    assert follower.position == goal
    assert follower.velocity == 0.0


@settings(max_examples=100)
@given(st.floats(-2, 2), st.floats(-1, 1), MANY_SPANS)
def test_a_moving_request_is_caught_up_without_overshoot(
    pace: float, ahead: float, spans: list[float],
) -> None:
    """A request that moves evenly is met at its own speed and never crossed on the way."""
    follower = Follower(LIMIT)
    target = ahead
    # Until the joint is as fast as the request, a request coming towards it must cross it.
    toward = pace * ahead < 0
    side = 1 if (ahead or pace) > 0 else -1
    for span in (*spans, *[0.005] * 400):
        previous, target = target, target + pace * span
        follower.follow(target, previous, span, 4.0)
        if not toward:
            assert (target - follower.position) * side >= -1e-9
    assert follower.position == pytest.approx(target, abs=1e-9)
    assert follower.velocity == pytest.approx(pace, abs=1e-6)


@settings(max_examples=100)
@given(MANY_SPANS, MANY_SPANS)
def test_braking_always_ends_before_the_limit(out: list[float], brake: list[float]) -> None:
    """Driven at the limit with all it may, a joint told to stop still stops inside."""
    follower = Follower(TIGHT)
    for span in out:
        follower.follow(TIGHT.upper, TIGHT.upper, span, 4.0)
    for span in (*brake, *[0.005] * 40):
        follower.brake(span)
        assert follower.position <= TIGHT.upper
    assert follower.velocity == 0.0


@settings(max_examples=100)
@given(st.floats(0.6, 3.0), st.lists(st.tuples(SPANS, st.floats(-0.5, 0.5)), min_size=1))
def test_outside_its_limits_a_joint_moves_only_inward(
    start: float, pieces: list[tuple[float, float]],
) -> None:
    """A joint found outside holds without a jump, comes in, and never goes out again."""
    follower = Follower(TIGHT)
    follower.place(start)
    target = TIGHT.upper
    for span, wish in pieces:
        before = follower.position
        previous, target = target, wish
        follower.follow(target, previous, span, 0.5)
        assert follower.position <= max(before, TIGHT.upper)
        assert before - follower.position <= 0.5 * span + 1e-9
    assert follower.outside == (follower.position > TIGHT.upper)


def test_the_joint_can_stop_at_the_end_of_the_way() -> None:
    """With the end of the way known, the joint does not overshoot a request that stops dead."""
    follower = Follower(LIMIT)
    target = 0.0
    for _ in range(200):
        previous, target = target, min(target + 0.01, 0.5)
        follower.follow(target, previous, 0.005, 4.0, None, (target, 0.5))
        assert follower.position <= 0.5 + 1e-9
    assert follower.position == 0.5


def test_the_lead_is_not_passed_while_closing_in() -> None:
    """A request far beyond the owner does not drive the joint past the owner."""
    follower = Follower(LIMIT)
    for _ in range(300):
        follower.follow(follower.position + 0.1, follower.position, 0.005, 4.0, (0.4, 0.0))
        assert follower.position <= 0.4 + 1e-9
    assert follower.position == pytest.approx(0.4, abs=1e-6)
