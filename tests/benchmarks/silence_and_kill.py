# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Silence the commander in motion, by SIGSTOP and by SIGKILL, and kill the driver in motion.

The arm must stop within the command timeout and its deceleration, within its caps; a killed
driver's keeper must switch the torque of all six motors off. Judged at the servos' registers.
"""
from __future__ import annotations

import argparse
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
import random
import signal
import sys
import tempfile
import time

from _arms import arm_process
from _arms import ArmProcess
from _arms import end
from _arms import judge
from _arms import MAX_ACCELERATION
from _arms import MAX_VELOCITY
from _arms import start_driver
from _arms import WRITE_JITTER_S
from _commander import PEAK_VELOCITY
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

TIMEOUT_S = 0.1
# A command under way when the commander fell silent, and the bus cycles at both ends.
SLACK_S = 0.02
STOP_S = TIMEOUT_S + PEAK_VELOCITY / MAX_ACCELERATION + SLACK_S
RELEASE_S = 4.0
_REST_S = 0.3


@dataclass
class Outcome:
    """What became of each case."""

    stops_s: list[float] = field(default_factory=list)
    releases_s: list[float] = field(default_factory=list)
    velocity: float = 0.0
    acceleration: float = 0.0
    faults: list[str] = field(default_factory=list)

    def take_stop(
        self, arm: ArmProcess, taps: Sequence[Tap], commands: Sequence[Command],
        silent_ns: int, slack_s: float,
    ) -> None:
        """Judge what was written after a commander's silence."""
        goals, faults = written(taps, commands, arm.joints)
        self.faults += faults
        judged = judge(goals, MAX_VELOCITY, jitter_s=slack_s)
        self.velocity = max(self.velocity, judged.velocity)
        self.acceleration = max(self.acceleration, judged.acceleration)
        self.faults += judged.excesses
        stop_s = (last_change_ns(taps) - silent_ns) * 1e-9
        self.stops_s.append(max(stop_s, 0.0))
        if stop_s > STOP_S + slack_s:
            self.faults.append(f'stopped {stop_s * 1e3:.0f} ms after the silence')


def last_change_ns(taps: Sequence[Tap]) -> int:
    """Return when a goal last differed from the one before it, 0 if none did."""
    last: dict[str, int] = {}
    latest = 0
    for tap in taps:
        if tap.kind is TapKind.GOAL:
            if last.setdefault(tap.name, tap.value) != tap.value:
                latest = tap.t_ns
            last[tap.name] = tap.value
    return latest


def silence(
    arm: ArmProcess, graph: Graph, environment: Mapping[str, str], stops: int, kills: int,
    chance: random.Random, slack_s: float = WRITE_JITTER_S,
) -> Outcome:
    """Stop one commander `stops` times and kill `kills` others; the driver runs throughout."""
    outcome = Outcome()
    commander = start_commander(environment, sources(kills)[0])
    try:
        for number in range(stops + kills):
            graph.wait_guard(GuardState.TRACKING)
            arm.taps()
            graph.commands()
            time.sleep(chance.uniform(0.0, 0.5))
            graph.wait_moving()
            by_kill = number >= stops
            silent_ns = time.monotonic_ns()
            commander.send_signal(signal.SIGKILL if by_kill else signal.SIGSTOP)
            time.sleep(STOP_S + slack_s + _REST_S)
            outcome.take_stop(arm, arm.taps(), graph.commands(), silent_ns, slack_s)
            graph.wait_guard(GuardState.HOLDING)
            if by_kill:
                commander.wait()
            if by_kill or number == stops - 1:
                # Each on a source of its own: a killed publisher lingers on the graph.
                commander.kill()
                commander.wait()
                if number < stops + kills - 1:
                    commander = start_commander(
                        environment, sources(kills)[number - stops + 2])
            else:
                commander.send_signal(signal.SIGCONT)
    finally:
        commander.kill()
        commander.wait()
    return outcome


def sources(kills: int) -> list[str]:
    """Return names of sources, one for each commander."""
    return [f'commander_{number}' for number in range(kills + 2)]


def kill_driver(
    arm: ArmProcess, graph: Graph, environment: Mapping[str, str], kills: int,
    chance: random.Random, folder: Path,
) -> Outcome:
    """Kill drivers in motion and wait for the keeper's work."""
    outcome = Outcome()
    commander = start_commander(environment)
    try:
        for _ in range(kills):
            graph.forget()
            driver = start_driver(environment, arm, folder / 'log')
            graph.wait_guard(GuardState.TRACKING)
            time.sleep(chance.uniform(0.0, 0.5))
            graph.wait_moving()
            arm.taps()
            killed_ns = time.monotonic_ns()
            driver.kill()
            driver.wait()
            try:
                until(lambda: not any(arm.registers('torque_enable').values()),
                      'torque off', RELEASE_S + 1.0)
            except StayedOut:
                outcome.faults.append(f'torque stayed on: {arm.registers("torque_enable")}')
                continue
            off_ns = max(tap.t_ns for tap in arm.taps()
                         if tap.kind is TapKind.TORQUE and tap.value == 0)
            outcome.releases_s.append((off_ns - killed_ns) * 1e-9)
    finally:
        commander.kill()
        commander.wait()
    return outcome


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--stops', type=int, default=50, help='commanders stopped')
    parser.add_argument('--kills', type=int, default=50, help='commanders killed')
    parser.add_argument('--drivers', type=int, default=50, help='drivers killed')
    parser.add_argument('--seed', type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    report = Report(f'silences and kills, arm waving at up to {PEAK_VELOCITY:.2f} rad/s')
    with tempfile.TemporaryDirectory() as name, own_domain() as environment, \
            arm_process('follower', Path(name)) as arm:
        graph = Graph()
        names = sources(arguments.kills)
        try:
            driver = start_driver(
                environment, arm, Path(name, 'log'), source_names=['default', *names],
                source_priorities=[0] * (len(names) + 1))
            try:
                quiet = silence(arm, graph, environment, arguments.stops, arguments.kills, chance)
            finally:
                end(driver)
            killed = kill_driver(
                arm, graph, environment, arguments.drivers, chance, Path(name))
        finally:
            graph.close()
    n = arguments.stops + arguments.kills
    report.row('last change of a goal after the silence', quiet.stops_s, 'ms', 1e3)
    report.line(f'greatest speed {quiet.velocity:.2f} rad/s, greatest acceleration '
                f'{quiet.acceleration:.1f} rad/s^2, over 50 ms each')
    report.row('torque off after the kill of the driver', killed.releases_s, 's')
    report.faults(quiet.faults + killed.faults)
    report.bound(f'{n} silences: still within {STOP_S * 1e3:.0f} ms, within caps and limits',
                 not quiet.faults and len(quiet.stops_s) == n)
    report.bound(f'{arguments.drivers} drivers killed, {len(killed.releases_s)} released in '
                 f'{RELEASE_S:g} s', len(killed.releases_s) == arguments.drivers
                 and not killed.faults and max(killed.releases_s) < RELEASE_S)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
