# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Engage with a leader that stands where the follower does not, and judge every goal on the wire.

Real leader driver, teleop and follower driver on two simulated buses. Seeded cases: the leader
90 degrees off, a joint mapped as a mirror image, a wrong offset; every other case also leaves
and enters the driver's active state. Until every joint has caught up no goal may move faster
than the engage velocity. Then the leader leaps, and the caps hold.
"""
from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from enum import Enum
import math
from pathlib import Path
import random
import sys
import tempfile
import time

from _arms import arm_process
from _arms import ArmProcess
from _arms import end
from _arms import ENGAGE_VELOCITY
from _arms import Goals
from _arms import judge
from _arms import MARGIN_RAD
from _arms import MAX_VELOCITY
from _arms import RAD_PER_TICK
from _arms import start_driver
from _arms import start_node
from _arms import WRITE_JITTER_S
from _common import JOINTS
from _common import own_domain
from _common import Report
from _common import until
from _graph import ACTIVATE
from _graph import CLEANUP
from _graph import CONFIGURE
from _graph import DEACTIVATE
from _graph import Graph
from _writes import written
from apprentice_msgs.msg import GuardState

OFF_RAD = math.pi / 2
# The guard's own measure of having caught up, and a tick of leader and follower each.
CLOSE_RAD = 0.02 + 2 * RAD_PER_TICK
# The last goal of one case and the first of the next are one standing arm.
FIRST_STEP_RAD = ENGAGE_VELOCITY * 0.01 + RAD_PER_TICK
_LEAP_S = 5.0
_DRIVER, _TELEOP = '/follower/feetech_driver', '/teleop'


class Kind(Enum):
    """What is wrong at the first motion."""

    OFF = 'leader 90 degrees off'
    MIRRORED = 'mirrored joint'
    OFFSET = 'wrong offset'


@dataclass(frozen=True)
class Case:
    """One first motion: where the leader stands and how teleop maps it, by joint."""

    kind: Kind
    leader: Mapping[str, float]
    signs: Mapping[str, float]
    offsets: Mapping[str, float]
    leap: Mapping[str, float]
    reactivate: bool


@dataclass
class Outcome:
    """What became of the cases."""

    ramp_velocity: float = 0.0
    velocity: float = 0.0
    acceleration: float = 0.0
    caught_up_s: list[float] = field(default_factory=list)
    begin_off_rad: list[float] = field(default_factory=list)
    kinds: Counter[Kind] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Bench:
    """Two arms, their drivers and teleop, running from case to case."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], arms: tuple[ArmProcess, ArmProcess],
    ) -> None:
        """Start the nodes; teleop stays unconfigured."""
        self.leader, self.follower = arms
        self.graph = Graph()
        self._log = folder / 'log'
        self._processes = [
            start_driver(environment, arm, self._log) for arm in arms]
        self._processes.append(start_node(
            environment, 'apprentice_teleop', 'teleop', log=self._log, autostart=False))
        self.at = dict.fromkeys(JOINTS, 0.0)
        self.jitter_s = WRITE_JITTER_S

    def run(self, case: Case, outcome: Outcome) -> None:
        """Run one case from the pose in which the one before left the arm."""
        graph, follower = self.graph, self.follower
        if case.reactivate:
            graph.change(_DRIVER, DEACTIVATE, ACTIVATE)
        self.leader.hand(**case.leader)
        graph.set_parameters(
            _TELEOP, signs=[case.signs[name] for name in JOINTS],
            offsets=[case.offsets[name] for name in JOINTS])
        follower.taps()
        graph.commands()
        target = self.target(case, case.leader)
        outcome.begin_off_rad.append(max(abs(target[n] - self.at[n]) for n in JOINTS))
        begin = time.monotonic()
        graph.forget()
        graph.change(_TELEOP, CONFIGURE, ACTIVATE)
        graph.wait_guard(GuardState.TRACKING)
        leap = time.monotonic()
        self.leader.hand(**case.leap)
        self._await_arrival(self.target(case, case.leap))
        graph.change(_TELEOP, DEACTIVATE, CLEANUP)
        graph.wait_guard(GuardState.HOLDING)
        goals, faults = written(follower.taps(), graph.commands(), follower.joints)
        outcome.faults += faults
        self._judge(case, goals, target, begin, leap, outcome)
        self.at = {name: goals[name].angles[-1] for name in JOINTS}

    def target(self, case: Case, leader: Mapping[str, float]) -> dict[str, float]:
        """Return where the follower must come to, from the definition of the mapping."""
        result = {}
        for name in JOINTS:
            angle = case.signs[name] * leader[name]
            if name == 'gripper':
                # By share of both ranges, which are as wide as each other in simulation.
                assert abs(self.leader.joints[name].reach
                           - self.follower.joints[name].reach) < RAD_PER_TICK
            limit = self.follower.joints[name].reach - MARGIN_RAD
            result[name] = min(max(angle + case.offsets[name], -limit), limit)
        return result

    def _await_arrival(self, target: Mapping[str, float]) -> None:
        """Wait until the goals are where they must come to; the judge tells if they never are."""
        give_up = time.monotonic() + _LEAP_S
        while time.monotonic() < give_up:
            goal = self.graph.goal
            if goal and all(abs(goal[name] - target[name]) < CLOSE_RAD for name in JOINTS):
                return
            time.sleep(0.01)

    def close(self) -> None:
        """End everything."""
        for process in reversed(self._processes):
            end(process)
        self.graph.close()

    def _judge(
        self, case: Case, goals: Mapping[str, Goals], target: Mapping[str, float], begin: float,
        leap: float, outcome: Outcome,
    ) -> None:
        faults = []
        for name in JOINTS:
            step = abs(goals[name].angles[0] - self.at[name])
            if step > FIRST_STEP_RAD:
                faults.append(f'{name} began with a step of {step:.3f} rad')
        caught_up = when_reached(goals, target)
        if caught_up > leap:
            faults.append(f'full caps {(leap - begin):.2f} s after engaging, but the joints are '
                          f'at the leader only after {caught_up - begin:.2f} s')
        ramp = judge(
            goals, ENGAGE_VELOCITY, until=min(caught_up, leap), jitter_s=self.jitter_s)
        whole = judge(goals, MAX_VELOCITY, jitter_s=self.jitter_s)
        outcome.caught_up_s.append(caught_up - begin)
        outcome.ramp_velocity = max(outcome.ramp_velocity, ramp.velocity)
        outcome.velocity = max(outcome.velocity, whole.velocity)
        outcome.acceleration = max(outcome.acceleration, whole.acceleration)
        outcome.kinds[case.kind] += 1
        end_off = max(abs(goals[name].angles[-1] - angle)
                      for name, angle in self.target(case, case.leap).items())
        if end_off > CLOSE_RAD:
            faults.append(f'ended {end_off:.3f} rad away from the leader')
        faults += ramp.excesses + whole.excesses
        outcome.faults += [f'{case.kind.value}: {fault}' for fault in faults]


def when_reached(goals: Mapping[str, Goals], target: Mapping[str, float]) -> float:
    """Return when the last joint's goal first came close to its target, infinity if never."""
    latest = -math.inf
    for name, (times, angles) in goals.items():
        latest = max(latest, next(
            (t for t, angle in zip(times, angles) if abs(angle - target[name]) < CLOSE_RAD),
            math.inf))
    return latest


def draw(number: int, at: Mapping[str, float], bench: Bench, chance: random.Random) -> Case:
    """Draw a case for a follower that stands at `at`."""
    kind = list(Kind)[number % len(Kind)]
    reach = {name: bench.follower.joints[name].reach - 2 * MARGIN_RAD for name in JOINTS}
    leader = {name: _within(at[name], reach[name]) for name in JOINTS}
    signs, offsets = dict.fromkeys(JOINTS, 1.0), dict.fromkeys(JOINTS, 0.0)
    # The gripper's range is too narrow for these.
    chosen = chance.sample(JOINTS[:-1], chance.randint(1, 3))
    for name in chosen:
        if kind is Kind.OFF:
            away = OFF_RAD if at[name] < 0 else -OFF_RAD
            leader[name] = _within(at[name] + away, reach[name])
        elif kind is Kind.MIRRORED:
            signs[name] = -1.0
            leader[name] = chance.uniform(0.3, 0.9) * (1.0 if at[name] >= 0 else -1.0)
        else:
            offsets[name] = OFF_RAD * (1.0 if at[name] < 0 else -1.0)
    leap = {name: _within(angle + chance.choice((-0.5, 0.5)), reach[name])
            for name, angle in leader.items()}
    return Case(kind, leader, signs, offsets, leap, number % 2 == 1)


def _within(angle: float, reach: float) -> float:
    return min(max(angle, -reach), reach)


@contextmanager
def running_bench(folder: Path) -> Iterator[Bench]:
    """Run a bench on a domain of its own."""
    with own_domain() as environment, arm_process('leader', folder) as leader, \
            arm_process('follower', folder) as follower:
        bench = Bench(folder, environment, (leader, follower))
        try:
            until(lambda: all(follower.registers('torque_enable').values()), 'torque on', 20.0)
            yield bench
        finally:
            bench.close()


def run(bench: Bench, count: int, seed: int) -> Outcome:
    """Run so many cases."""
    outcome, chance = Outcome(), random.Random(seed)
    for number in range(count):
        bench.run(draw(number, bench.at, bench, chance), outcome)
    return outcome


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--n', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    arguments = parser.parse_args()
    report = Report('first motions')
    with tempfile.TemporaryDirectory() as name, running_bench(Path(name)) as bench:
        outcome = run(bench, arguments.n, arguments.seed)
    report.line(', '.join(f'{kind.value}: {n}' for kind, n in outcome.kinds.items()))
    report.row('leader off at the first motion', outcome.begin_off_rad, 'rad')
    report.row('caught up after', outcome.caught_up_s, 's')
    report.line(f'greatest speed before that {outcome.ramp_velocity:.3f} rad/s; afterwards '
                f'{outcome.velocity:.2f} rad/s and {outcome.acceleration:.1f} rad/s^2, over '
                '50 ms each')
    report.faults(outcome.faults)
    report.bound(f'{arguments.n} cases: engage velocity, caps and limits, no first step',
                 not outcome.faults and len(outcome.caught_up_s) == arguments.n)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
