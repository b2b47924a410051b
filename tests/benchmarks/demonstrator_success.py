# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Measure how often the scripted demonstrator puts the cube into the bin, without ROS or buses.

Hand positions become follower goals after a delay and within the guard's caps. Exit code 1 if
fewer than 95 % of the cubes end in the bin.
"""
from __future__ import annotations

import argparse
import sys
import time

from _common import Report
from apprentice_sim.rehearsal import Chain
from apprentice_sim.rehearsal import Rehearsal
from so_arm_description import ARMS

GOAL = 0.95


def main() -> int:
    """Rehearse and print what came out; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--arm', choices=(*ARMS, 'both'), default='both')
    parser.add_argument('--seeds', type=int, default=100, help='episodes an arm (default: 100)')
    parser.add_argument('--first-seed', type=int, default=1000)
    parser.add_argument('--delay-ms', type=float, default=40.0, help='hand to goal (default: 40)')
    arguments = parser.parse_args()
    report = Report('scripted demonstrations')
    chain = Chain(delay_s=arguments.delay_ms * 1e-3)
    for arm in ARMS if arguments.arm == 'both' else (arguments.arm,):
        rehearse(report, arm, range(
            arguments.first_seed, arguments.first_seed + arguments.seeds), chain)
    return report.end()


def rehearse(report: Report, arm: str, seeds: range, chain: Chain) -> None:
    """Do one episode a seed and report."""
    start = time.monotonic()
    rehearsal = Rehearsal(arm, chain)
    outcomes = [rehearsal.run(seed) for seed in seeds]
    placed = sum(outcome.cube_in_bin for outcome in outcomes)
    again = sum(outcome.attempts > 1 for outcome in outcomes)
    missed = [outcome.seed for outcome in outcomes if not outcome.cube_in_bin]
    simulated = sum(outcome.duration_s for outcome in outcomes)
    report.line(
        f'{arm}: {placed} of {len(outcomes)} cubes in the bin, {again} with a second attempt; '
        f'missed seeds: {missed or "none"}; '
        f'{simulated / (time.monotonic() - start):.0f} times real time')
    report.row('episode', [outcome.duration_s for outcome in outcomes], 's')
    report.row('fastest joint of the hand', [o.peak_velocity for o in outcomes], 'rad/s')
    report.row('greatest gripper load', [o.peak_load for o in outcomes], '%', 100.0)
    report.bound(f'{arm}: at least {GOAL:.0%} in the bin', placed >= GOAL * len(outcomes))


if __name__ == '__main__':
    sys.exit(main())
