# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Long seeded runs: leaders that start anywhere and do anything, on a restless bus."""

from __future__ import annotations

from math import sin
import random

from apprentice_control.guard import Command
from apprentice_control.guard import TrajectoryPoint
from guarded_arm import Arm
from guarded_arm import LIMITS
from guarded_arm import MS
from guarded_arm import NAMES
import pytest


def restless_cycle(dice: random.Random) -> float:
    """Return the length of a bus cycle in ms: mostly near 5, now and then late or a stall."""
    kind = dice.random()
    if kind < 0.90:
        return dice.uniform(4.0, 6.5)
    if kind < 0.98:
        return dice.uniform(0.05, 49.0)
    return dice.uniform(51.0, 400.0)


@pytest.mark.parametrize('seed', range(40))
def test_wild_leaders_on_a_restless_bus_stay_within_caps(seed: int) -> None:
    """Jumps, vibration, mad velocities, takeovers and silences: every goal is judged."""
    dice = random.Random(seed)
    arm = Arm(start=[dice.uniform(limit.lower - 0.3, limit.upper + 0.3) for limit in LIMITS])
    centre = [0.0] * 3
    for _ in range(1500):
        if dice.random() < 0.02:
            centre = [dice.uniform(-2.5, 2.5) for _ in LIMITS]
        rate = dice.choice((1.0, 8.0, 60.0))
        at = [c + dice.uniform(0.0, 0.4) * sin(rate * arm.now_ns * 1e-9) for c in centre]
        source = 'teleop' if dice.random() < 0.98 else 'policy'
        velocity = [dice.uniform(-9, 9) for _ in at] if dice.random() < 0.1 else None
        points = [TrajectoryPoint(arm.now_ns + round(dice.uniform(-5, 40) * MS), at, velocity)]
        if dice.random() < 0.02:
            points.append(TrajectoryPoint(points[0].due_ns + 300 * MS, centre, velocity))
        if dice.random() < 0.9:
            arm.guard.submit(Command(source, NAMES, points), arm.now_ns)
        arm.step(restless_cycle(dice))
        if dice.random() < 0.005:
            arm.guard.acquire(dice.choice(('teleop', 'policy')), arm.now_ns)
        if dice.random() < 0.002:
            arm.guard.estop('dice', arm.now_ns)
        if dice.random() < 0.05:
            arm.guard.reset_estop(arm.now_ns)
    assert arm.guard.status.interventions > 5


@pytest.mark.parametrize('case', ['quarter turn', 'mirrored', 'shifted'])
@pytest.mark.parametrize('seed', range(70))
def test_a_wrong_leader_is_approached_at_the_engage_velocity(case: str, seed: int) -> None:
    """The first motion is at most 0.5 rad/s whatever is wrong with the leader's zero or sign."""
    dice = random.Random(f'{case} {seed}')
    start = [dice.uniform(limit.lower, limit.upper) for limit in LIMITS]
    shift = {'quarter turn': 1.571, 'shifted': dice.uniform(-0.5, 0.5), 'mirrored': 0.0}[case]
    sign = -1.0 if case == 'mirrored' else 1.0
    arm = Arm(start=start)
    for cycle in range(400):
        moved = 0.1 * sin(cycle * 0.02)
        arm.send([sign * (value + moved) + shift for value in start])
        ramping = arm.guard.status.state.name == 'RAMPING'
        before = arm.guard.step(arm.now_ns).position
        after = arm.step(restless_cycle(dice)).position
        for old, new in zip(before, after):
            if ramping:
                assert abs(new - old) <= 0.5 * arm.judge.span_s + 1e-9
