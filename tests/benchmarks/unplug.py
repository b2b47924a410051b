# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pull the follower's USB adapter out in motion and plug it in again; judge how it comes back."""
from __future__ import annotations

import argparse
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
import random
import sys
import tempfile
import time

from _arms import arm_process
from _arms import ArmProcess
from _arms import end
from _arms import ENGAGE_VELOCITY
from _arms import judge
from _arms import MAX_VELOCITY
from _arms import RAD_PER_TICK
from _arms import start_driver
from _arms import WRITE_JITTER_S
from _commander import start_commander
from _common import own_domain
from _common import Report
from _common import StayedOut
from _common import until
from _graph import Graph
from _writes import Command
from _writes import written
from apprentice_msgs.msg import GuardState
from apprentice_sim.taps import Tap
from apprentice_sim.taps import TapKind

BACK_S = 2.0
# The last goal before the unplug was still ahead of the servos; the arm comes back where it is.
STEP_RAD = 0.02 + RAD_PER_TICK
_RAMP_S = 0.25


@dataclass
class Outcome:
    """Hold what became of each unplug: time to the first goal, to the first motion, its step."""

    back_s: list[float] = field(default_factory=list)
    following_s: list[float] = field(default_factory=list)
    step_rad: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def unplug(
    arm: ArmProcess, graph: Graph, environment: Mapping[str, str], count: int,
    chance: random.Random, jitter_s: float = WRITE_JITTER_S,
) -> Outcome:
    """Unplug and replug while a commander makes the arm wave."""
    outcome = Outcome()
    commander = start_commander(environment)
    try:
        for _ in range(count):
            graph.wait_guard(GuardState.TRACKING)
            time.sleep(chance.uniform(0.0, 0.5))
            graph.wait_moving()
            arm.unplug()
            before = arm.taps()
            graph.commands()
            time.sleep(chance.uniform(0.2, 1.0))
            plugged_ns = time.monotonic_ns()
            arm.replug()
            graph.wait_guard(GuardState.RAMPING, GuardState.TRACKING)
            ramping = time.monotonic()
            graph.wait_moving(0.1)
            time.sleep(_RAMP_S)
            if graph.state == GuardState.RAMPING:
                ramping = time.monotonic()
            _judge(outcome, arm, before, arm.taps(), graph.commands(), plugged_ns, ramping,
                   jitter_s)
    except StayedOut as error:
        outcome.faults.append(str(error))
    finally:
        commander.kill()
        commander.wait()
    return outcome


def _judge(
    outcome: Outcome, arm: ArmProcess, before: Sequence[Tap], after: Sequence[Tap],
    commands: Sequence[Command], plugged_ns: int, ramping: float, jitter_s: float,
) -> None:
    goals = [tap for tap in after if tap.kind is TapKind.GOAL and tap.t_ns > plugged_ns]
    if not goals:
        outcome.faults.append('no goal after the replug')
        return
    outcome.back_s.append((goals[0].t_ns - plugged_ns) * 1e-9)
    was = {tap.name: tap.value for tap in before if tap.kind is TapKind.GOAL}
    first: dict[str, int] = {}
    for tap in goals:
        first.setdefault(tap.name, tap.value)
    step = max(abs(first[name] - was[name]) for name in first) * RAD_PER_TICK
    outcome.step_rad.append(step)
    if step > STEP_RAD:
        outcome.faults.append(f'the first goal was {step:.3f} rad from the last one')
    moved = [tap.t_ns for tap in goals if abs(tap.value - first[tap.name]) > 1]
    if moved:
        outcome.following_s.append((moved[0] - plugged_ns) * 1e-9)
    by_joint, faults = written(goals, commands, arm.joints)
    outcome.faults += faults
    outcome.faults += judge(
        by_joint, ENGAGE_VELOCITY, until=ramping, jitter_s=jitter_s).excesses
    outcome.faults += judge(by_joint, MAX_VELOCITY, jitter_s=jitter_s).excesses
    torque = set(arm.registers('torque_enable').values())
    if torque != {1}:
        outcome.faults.append(f'torque registers {torque} after the replug')


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--n', type=int, default=20)
    parser.add_argument('--seed', type=int, default=1)
    arguments = parser.parse_args()
    report = Report('unplugs of the follower in motion')
    with tempfile.TemporaryDirectory() as name, own_domain() as environment, \
            arm_process('follower', Path(name)) as arm:
        graph = Graph()
        driver = start_driver(environment, arm, Path(name, 'log'))
        try:
            until(lambda: any(arm.registers('torque_enable').values()), 'torque on', 20.0)
            outcome = unplug(
                arm, graph, environment, arguments.n, random.Random(arguments.seed))
        finally:
            end(driver)
            graph.close()
    report.row('first goal after the replug', outcome.back_s, 's')
    report.row('first motion after the replug', outcome.following_s, 's')
    report.row('first goal against the last before', outcome.step_rad, 'mrad', 1e3)
    report.faults(outcome.faults)
    report.bound(
        f'{arguments.n} unplugs: back within {BACK_S:g} s, no step above '
        f'{STEP_RAD * 1e3:.0f} mrad, engage velocity and caps',
        not outcome.faults and len(outcome.back_s) == arguments.n
        and max(outcome.back_s) < BACK_S)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
