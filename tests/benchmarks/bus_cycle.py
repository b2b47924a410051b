# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure the bus cycle of a driver, a state read and a goal write of 6 motors, on a pty."""
from __future__ import annotations

import argparse
from pathlib import Path
import sys
import tempfile
import time

from apprentice_sim.testing import so_arm_process
from feetech_driver.bus import FeetechBus
from feetech_driver.bus import Motor

NAMES = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
WANTED_HZ = 250


def main() -> int:
    """Print n, median, p99, the rate and the share of a core; return 1 below the wanted rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--cycles', type=int, default=5000)
    arguments = parser.parse_args()
    motors = {name: Motor(index + 1) for index, name in enumerate(NAMES)}
    goals = dict.fromkeys(NAMES, 2048)
    times = []
    with tempfile.TemporaryDirectory() as folder, \
            so_arm_process('follower', Path(folder)) as (port, _):
        bus = FeetechBus(port, motors)
        bus.open()
        bus.handshake()
        begin, cpu = time.perf_counter(), time.process_time()
        for _ in range(arguments.cycles):
            start = time.perf_counter()
            bus.read_state()
            bus.write_goals(goals)
            times.append(time.perf_counter() - start)
        passed, cpu = time.perf_counter() - begin, time.process_time() - cpu
        bus.close()
    n = len(times)
    times.sort()
    rate = n / passed
    print(f'read_state + write_goals: n {n}, median {times[n // 2] * 1e3:.3f} ms, '
          f'p99 {times[n * 99 // 100] * 1e3:.3f} ms, {rate:.0f} Hz')
    print(f'processor time of the driver: {cpu / n * 1e6:.0f} us a cycle, '
          f'{cpu / n * 200 * 100:.1f} % of a core at 200 Hz')
    return 0 if rate >= WANTED_HZ else 1


if __name__ == '__main__':
    sys.exit(main())
