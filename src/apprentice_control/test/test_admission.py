# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Messages that are malformed, late or strange are refused with one reason and counted."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from math import nan

from apprentice_control.guard import Reason
from apprentice_control.guard import TrajectoryPoint
from guarded_arm import Arm
from guarded_arm import MS
from guarded_arm import NAMES
import pytest

LATER = 20 * MS


@pytest.mark.parametrize('names, points, reason, words', [
    ((), [(LATER, ())], Reason.EMPTY, ['at least one']),
    (NAMES, [], Reason.EMPTY, ['at least one']),
    (('pan', 'thumb', 'grip'), [(LATER, (0, 0, 0))], Reason.UNKNOWN_JOINT, ['thumb', 'pan']),
    (('pan', 'pan', 'grip'), [(LATER, (0, 0, 0))], Reason.DUPLICATE_JOINT, ['pan']),
    (NAMES, [(LATER, (0, 0))], Reason.WRONG_LENGTH, ['2 positions', 'expected 3']),
    (NAMES, [(LATER, (0, 0, 0), (0, 0))], Reason.WRONG_LENGTH, ['2 velocities']),
    (NAMES, [(LATER, (0, nan, 0))], Reason.NOT_FINITE, ['lift', 'position', 'nan']),
    (NAMES, [(LATER, (0, 0, -inf))], Reason.NOT_FINITE, ['grip', 'inf']),
    (NAMES, [(LATER, (0, 0, 0), (nan, 0, 0))], Reason.NOT_FINITE, ['pan', 'velocity']),
    (NAMES, [(LATER, (0, 0, 0), (0, inf, 0))], Reason.NOT_FINITE, ['lift', 'velocity']),
    (NAMES, [(LATER, (0, 0, 0)), (2 * LATER, (0, 0, nan))], Reason.NOT_FINITE, ['point 1']),
    (NAMES, [(LATER, (45.0, 0, 0))], Reason.OUT_OF_REACH, ['pan', '45', 'degrees']),
    (NAMES, [(LATER, (1e308, 0, 0))], Reason.OUT_OF_REACH, ['pan']),
    (NAMES, [(LATER, (0, 0, 0), (0, 1e9, 0))], Reason.OUT_OF_REACH, ['lift', 'velocity']),
    (NAMES, [(2 * LATER, (0, 0, 0)), (LATER, (0, 0, 0))], Reason.TIME_GOING_BACK, ['point 1']),
    (NAMES, [(LATER, (0, 0, 0)), (LATER, (0, 0, 0))], Reason.TIME_GOING_BACK, ['point 1']),
    (NAMES, [(-MS, (0, 0, 0))], Reason.ALL_DUE, ['0.001 s ago']),
    (NAMES, [(-2 * MS, (0, 0, 0)), (-1, (0, 0, 0))], Reason.ALL_DUE, ['ago']),
    (NAMES, [(61_000 * MS, (0, 0, 0))], Reason.TOO_EARLY, ['61.000 s', 'clocks']),
])
def test_a_bad_message_is_refused_and_counted(
    names: Sequence[str], points: Sequence[tuple], reason: Reason, words: list[str],
) -> None:
    """The refusal names what was found, is counted once, and nothing moves nor is owned."""
    arm = Arm()
    made = [TrajectoryPoint(arm.now_ns + point[0], *point[1:]) for point in points]
    refusal = arm.send_points(made, names=names)
    assert refusal.reason is reason
    for word in words:
        assert word in refusal.detail
    counted = {word: count for word, count in arm.guard.status.counters.items() if count}
    assert counted == {reason.word: 1}
    assert arm.guard.status.owner == ''
    assert arm.guard.status.interventions == 0
    assert arm.run(100).position == (0.0, 0.0, 0.0)


def test_too_many_points_are_refused_unread() -> None:
    """A message that would keep the bus waiting is refused by its length alone."""
    arm = Arm()
    assert arm.send_points([None] * 2001).reason is Reason.TOO_MANY_POINTS


def test_a_bad_message_leaves_the_running_motion_alone() -> None:
    """While an owner streams, a NaN message of its own changes no goal."""
    arm, twin = Arm(), Arm()
    for _ in range(20):
        for each in (arm, twin):
            assert each.send((0.1, 0.1, 0.1)) is None
        arm.send((nan, 0.0, 0.0))
        assert arm.step() == twin.step()
    assert arm.count('not_finite') == 20


def test_a_source_that_does_not_exist_is_refused() -> None:
    """An unknown source is named together with those that exist."""
    arm = Arm()
    refusal = arm.send((0, 0, 0), source='ghost')
    assert refusal.reason is Reason.UNKNOWN_SOURCE
    assert 'ghost' in refusal.detail and 'teleop' in refusal.detail


def test_an_old_stamp_is_refused() -> None:
    """A message stamped before the one ahead of it is refused; an equal stamp is not."""
    arm = Arm()
    point = [TrajectoryPoint(arm.now_ns + LATER, (0, 0, 0))]
    assert arm.send_points(point, stamp_ns=arm.now_ns) is None
    assert arm.send_points(point, stamp_ns=arm.now_ns) is None
    refusal = arm.send_points(point, stamp_ns=arm.now_ns - 1)
    assert refusal.reason is Reason.OLD_STAMP
    assert arm.count('old_stamp') == 1


def test_a_source_that_fell_silent_may_begin_with_an_earlier_stamp() -> None:
    """After the owner timeout a restarted source's clock is taken as it is."""
    arm = Arm()
    point = [TrajectoryPoint(arm.now_ns + LATER, (0, 0, 0))]
    assert arm.send_points(point, stamp_ns=arm.now_ns) is None
    arm.run(600)
    point = [TrajectoryPoint(arm.now_ns + LATER, (0, 0, 0))]
    assert arm.send_points(point, stamp_ns=arm.now_ns - 3_600_000 * MS) is None


def test_due_points_are_dropped_and_the_rest_is_followed() -> None:
    """A late trajectory is joined where it is now; the dropped points are counted."""
    arm = Arm()
    points = [TrajectoryPoint(arm.now_ns + t * MS, (p, 0, 0))
              for t, p in ((-200, 9.0), (-100, -1.5), (400, 0.1), (800, 0.2))]
    assert arm.send_points([points[0]._replace(position=(1.5, 0, 0)), *points[1:]]) is None
    assert arm.count('points_dropped') == 2
    lowest = min(arm.step().position[0] for _ in range(170))
    assert lowest >= 0.0
    assert arm.step().position == pytest.approx((0.2, 0.0, 0.0), abs=1e-9)


def test_a_point_due_on_arrival_is_followed() -> None:
    """A point due at the very instant it arrives is not late."""
    arm = Arm()
    assert arm.send((0.001, 0.0, 0.0), in_ms=0) is None


def test_joints_come_in_any_order() -> None:
    """Values follow the names of the message, not the order of the bus."""
    arm = Arm()
    goal = None
    for _ in range(60):
        assert arm.send((0.2, 0.1), names=('grip', 'pan')) is None
        goal = arm.step(10)
    assert goal.position == pytest.approx((0.1, 0.0, 0.2), abs=1e-6)
    for _ in range(60):
        assert arm.send((0.2, 0.1), names=('pan', 'grip')) is None
        goal = arm.step(10)
    assert goal.position == pytest.approx((0.2, 0.0, 0.1), abs=1e-6)
