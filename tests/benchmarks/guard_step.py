#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Time the command guard: one streamed message and one bus step of a six-joint arm."""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time

from apprentice_control.guard import Command
from apprentice_control.guard import CommandGuard
from apprentice_control.guard import GuardConfig
from apprentice_control.guard import JointLimit
from apprentice_control.guard import TrajectoryPoint

JOINTS = (
    'shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
PERIOD_NS = 5_000_000
LEAD_NS = 20_000_000
LIMIT_US = 100.0


def measure(cycles: int) -> list[float]:
    """Return the duration of `submit` and `step` together, in microseconds, of every cycle."""
    limits = tuple(JointLimit(name, -2.0, 2.0, 4.0, 30.0) for name in JOINTS)
    guard = CommandGuard(GuardConfig(limits, {'teleop': 0}))
    now_ns = time.monotonic_ns()
    guard.activate(now_ns, [0.0] * len(JOINTS))
    durations = []
    for cycle in range(cycles):
        now_ns += PERIOD_NS
        angle = 0.3 * (1.0 - math.cos(2 * math.pi * cycle * PERIOD_NS * 1e-9))
        command = Command(
            'teleop', JOINTS, [TrajectoryPoint(now_ns + LEAD_NS, [angle] * len(JOINTS))], now_ns)
        begin_ns = time.perf_counter_ns()
        refusal = guard.submit(command, now_ns)
        guard.step(now_ns)
        durations.append((time.perf_counter_ns() - begin_ns) * 1e-3)
        if refusal is not None:
            raise RuntimeError(f'the guard refused the benchmark: {refusal.detail}')
    return durations


def main() -> int:
    """Print n, median and 99th percentile; fail where the median is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--cycles', type=int, default=20_000)
    durations = sorted(measure(parser.parse_args().cycles))
    median = statistics.median(durations)
    p99 = durations[min(len(durations) - 1, int(len(durations) * 0.99))]
    print(
        f'guard submit+step, {len(JOINTS)} joints: n={len(durations)} '
        f'median={median:.1f} us p99={p99:.1f} us (limit {LIMIT_US:g} us)')
    return 0 if median < LIMIT_US else 1


if __name__ == '__main__':
    sys.exit(main())
