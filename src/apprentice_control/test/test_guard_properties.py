# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent and however unevenly the bus cycles fall, caps and limits hold."""

from __future__ import annotations

from math import cos
from math import pi
from math import sin

from apprentice_control.guard import GuardState
from apprentice_control.guard import JointLimit
from apprentice_control.guard import Reason
from apprentice_control.guard import TrajectoryPoint
from apprentice_control.reasons import Kind
from guarded_arm import Arm
from guarded_arm import LATE_NS
from guarded_arm import LIMITS
from guarded_arm import MS
from guarded_arm import NAMES
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

SOURCES = st.sampled_from(['teleop', 'policy'])
CYCLES = st.one_of(
    st.floats(0.1, 12.0), st.just(5.0), st.floats(12.0, 49.0), st.floats(51.0, 2000.0))
POSITIONS = st.floats(-4.0, 4.0)
VELOCITIES = st.floats(-20.0, 20.0)
POSES = st.tuples(*(st.floats(limit.lower - 0.5, limit.upper + 0.5) for limit in LIMITS))


@st.composite
def messages(draw: st.DrawFn) -> tuple:
    """Draw a message: source, joints, and points as (ms from now, positions, velocities)."""
    names = draw(st.sampled_from([NAMES, NAMES[:1], NAMES[2:0:-1]]))
    ms = draw(st.floats(-30.0, 60.0))
    points = []
    for _ in range(draw(st.integers(1, 4))):
        velocity = draw(st.one_of(st.none(), st.tuples(*[VELOCITIES] * len(names))))
        points.append((ms, draw(st.tuples(*[POSITIONS] * len(names))), velocity))
        ms += draw(st.floats(1.0, 400.0))
    return 'send', draw(SOURCES), names, points


CALLS = st.one_of(
    messages(),
    messages(),
    st.tuples(st.just('stream'), SOURCES, POSES, st.integers(1, 40)),
    st.tuples(st.just('run'), st.lists(CYCLES, min_size=1, max_size=12)),
    st.tuples(st.just('run'), st.lists(CYCLES, min_size=1, max_size=12)),
    st.tuples(st.just('acquire'), SOURCES),
    st.tuples(st.just('release'), SOURCES),
    st.tuples(st.just('shut_out'), SOURCES, st.sampled_from([None, 'two publishers'])),
    st.tuples(st.just('estop')),
    st.tuples(st.just('reset')),
    st.tuples(st.just('suspend')),
    st.tuples(st.just('deactivate')),
    st.tuples(st.just('activate'), POSES),
    st.tuples(st.just('rebase'), POSES),
)


def perform(arm: Arm, call: tuple) -> None:
    """Perform one call; every step in it is judged."""
    match call:
        case 'send', source, names, points:
            made = [TrajectoryPoint(arm.now_ns + round(ms * MS), position, velocity)
                    for ms, position, velocity in points]
            arm.send_points(made, source, names)
        case 'stream', source, position, count:
            for _ in range(count):
                arm.send(position, source=source)
                arm.step()
        case 'run', cycles:
            for ms in cycles:
                arm.step(ms)
        case 'acquire', source:
            arm.guard.acquire(source, arm.now_ns)
        case 'release', source:
            arm.guard.release(source, arm.now_ns)
        case 'shut_out', source, why:
            arm.guard.set_refused(source, why)
        case ('estop',):
            arm.guard.estop('test', arm.now_ns)
        case ('reset',):
            arm.guard.reset_estop(arm.now_ns)
        case ('suspend',):
            arm.guard.suspend('test', arm.now_ns)
        case ('deactivate',):
            arm.guard.deactivate(arm.now_ns)
        case 'activate', pose:
            arm.activate(pose)
        case 'rebase', pose:
            arm.guard.rebase(arm.now_ns, pose)
            arm.judge.begin(arm.now_ns, pose)


@settings(max_examples=400)
@given(POSES, st.lists(CALLS, max_size=30))
def test_no_sequence_of_calls_breaks_a_cap_or_a_limit(
    start: tuple[float, ...], calls: list[tuple],
) -> None:
    """Messages, silences, takeovers, stops and stalls leave every goal within its bounds."""
    arm = Arm(start=start)
    for call in calls:
        perform(arm, call)
        arm.step()
    status = arm.guard.status
    interventions = [reason.word for reason in Reason if reason.kind is Kind.INTERVENTION]
    assert sum(status.counters[word] for word in interventions) == status.interventions


@settings(max_examples=100)
@given(POSES, st.lists(CALLS, max_size=12), st.lists(st.floats(0.5, 49.0), max_size=20))
def test_an_arm_that_hears_nothing_comes_to_rest(
    start: tuple[float, ...], calls: list[tuple], cycles: list[float],
) -> None:
    """From any state, without messages, the arm stands in the end and its goal stays put."""
    arm = Arm(start=start)
    for call in calls:
        perform(arm, call)
    for ms in (*cycles, *[10.0] * 2500):
        arm.step(ms)
        if arm.state in (GuardState.HOLDING, GuardState.INACTIVE):
            break
    held = arm.step()
    assert held.velocity in ((0.0, 0.0, 0.0), ())
    assert arm.step().position == held.position


@settings(max_examples=100)
@given(st.floats(0.2, 1.5), st.floats(0.2, 2.0), st.lists(st.floats(0.2, 49.0), max_size=200))
def test_a_feasible_trajectory_passes_exactly(
    amplitude: float, frequency: float, cycles: list[float],
) -> None:
    """A smooth trajectory within the caps is what the motors get, at any jitter of the cycles."""
    limit = JointLimit('pan', -4.0, 4.0, 4.0, 30.0)
    rate = 2 * pi * frequency
    amplitude = min(amplitude, 3.8 / rate, 27.0 / rate ** 2)
    arm = Arm(limits=(limit,), engage_velocity=4.0)
    begin_ns = arm.now_ns

    def knot(index: int) -> tuple[float, float]:
        t = index * 0.02
        return amplitude * (1 - cos(rate * t)), amplitude * rate * sin(rate * t)

    points = []
    for index in range(1, 400):
        position, velocity = knot(index)
        points.append(
            TrajectoryPoint(begin_ns + index * 20 * MS, (position,), (velocity,)))
    assert arm.send_points(points) is None
    for ms in cycles:
        goal = arm.step(ms)
        index, rest_ns = divmod(arm.now_ns - begin_ns, 20 * MS)
        if index >= 398:
            break
        s = rest_ns / (20 * MS)
        (p0, v0), (p1, v1) = knot(index), knot(index + 1)
        expected = (
            p0 * (2 * s**3 - 3 * s**2 + 1) + p1 * (3 * s**2 - 2 * s**3)
            + 0.02 * v0 * (s**3 - 2 * s**2 + s) + 0.02 * v1 * (s**3 - s**2))
        assert goal.position[0] == pytest.approx(expected, abs=1e-9)
    assert arm.guard.status.interventions == 0


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(2.0, 8.0)), max_size=100))
def test_a_feasible_stream_passes_exactly(pushes: list[tuple[float, float]]) -> None:
    """Every goal lies on the line from the goal before it to the streamed point."""
    arm = Arm(limits=(JointLimit('pan', -9.0, 9.0, 4.0, 30.0),))
    arm.stream((0.0,), 100)
    slope = 0.0
    position = 0.0
    for push, ms in pushes:
        # The slope changes by less than the cap allows over half a cycle.
        slope = min(max(slope + push * 0.45 * 30.0 * ms * 1e-3, -3.9), 3.9)
        assert arm.send((position + slope * 0.02,), in_ms=20) is None
        goal = arm.step(ms)
        expected = position + slope * ms * 1e-3
        assert goal.position[0] == pytest.approx(expected, abs=1e-9)
        position = goal.position[0]
    assert arm.guard.status.interventions == 0


@settings(max_examples=60)
@given(POSES, POSES, st.floats(0.0, 30.0), st.lists(CYCLES, max_size=30))
def test_a_stream_is_reached_from_anywhere(
    start: tuple[float, ...], target: tuple[float, ...], lead_ms: float, cycles: list[float],
) -> None:
    """
    A leader 90 degrees off, mirrored or shifted is reached, and nothing is passed on the way.

    Beyond the limits the limit is reached.
    """
    arm = Arm(start=start)
    reachable = [
        min(max(value, limit.lower), limit.upper) for value, limit in zip(target, LIMITS)]
    for ms in (*cycles, *[5.0] * 2200):
        arm.send(target, in_ms=lead_ms)
        goal = arm.step(ms)
        reached = goal.position == pytest.approx(reachable, abs=1e-5)
        if reached and arm.state is GuardState.TRACKING:
            break
        for begin, end, now in zip(start, reachable, goal.position):
            assert min(begin, end) - 1e-3 <= now <= max(begin, end) + 1e-3
    assert goal.position == pytest.approx(reachable, abs=1e-3)
    assert arm.state is GuardState.TRACKING


@settings(max_examples=60)
@given(st.integers(0, 60), st.floats(0.5, 49.0))
def test_silence_is_answered_in_time(sent: int, ms: float) -> None:
    """However long a source streamed, it is stopped within the timeout and a cycle."""
    arm = Arm()
    position = 0.0
    for step in range(sent):
        position += min(step, 20) * 0.001
        arm.send((position, 0.0, 0.0))
        arm.step()
    arm.send((position, 0.0, 0.0))
    heard_ns = arm.now_ns
    while arm.state in (GuardState.RAMPING, GuardState.TRACKING):
        arm.step(ms)
        assert arm.now_ns - heard_ns <= 100 * MS + ms * MS + MS
    assert arm.guard.status.reason == 'stream_silent'
    assert ms * MS < LATE_NS
    arm.run(400)
    assert arm.state is GuardState.HOLDING
