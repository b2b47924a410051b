# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Kill a process that holds a simulated arm, again and again, and time the keeper's release."""
from __future__ import annotations

import argparse
from pathlib import Path
import subprocess
import sys
import tempfile
import time

from apprentice_sim.testing import SimArm
from apprentice_sim.testing import so_arm_bus

LIMIT_S = 4.0
HOLD = """
import sys, time
from feetech_driver.bus import FeetechBus, Motor
from feetech_driver.keeper import Keeper
names = sys.argv[2].split(',')
bus = FeetechBus(sys.argv[1], {name: Motor(i + 1) for i, name in enumerate(names)})
bus.open()
start = time.perf_counter()
keeper = Keeper(bus.fd, bus.ids)
spawned = time.perf_counter()
bus.write_many('torque_enable', dict.fromkeys(names, 1))
bus.read_many('torque_enable')
keeper.arm()
print(keeper.pid, spawned - start, flush=True)
while True:
    bus.read_state()
    bus.write_goals(dict.fromkeys(names, 2048))
    time.sleep(0.004)
"""


def resident_kb(pid: int) -> int:
    """Return the resident memory of a process in kB."""
    return int(Path(f'/proc/{pid}/status').read_text().split('VmRSS:')[1].split()[0])


def gone(pid: int) -> bool:
    """Tell whether a process has ended."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'Z'
    except FileNotFoundError:
        return True


def kill_once(arm: SimArm) -> tuple[float, float, int, float] | None:
    """Return seconds to torque off, to the keeper's end, its kB, its start; None: not released."""
    process = subprocess.Popen(
        [sys.executable, '-c', HOLD, arm.port, ','.join(arm.servos)],
        stdout=subprocess.PIPE, text=True)
    pid, spawn_s = process.stdout.readline().split()
    time.sleep(0.05)
    memory = resident_kb(int(pid))
    if set(arm.registers('torque_enable').values()) != {1}:
        raise RuntimeError('the arm was not held: nothing to release')
    start = time.monotonic()
    process.kill()
    process.communicate()
    off = arm.wait_until(lambda: set(arm.registers('torque_enable').values()) == {0}, LIMIT_S)
    off_s = time.monotonic() - start
    ended = arm.wait_until(lambda: gone(int(pid)), LIMIT_S)
    return (off_s, time.monotonic() - start, memory, float(spawn_s)) if off and ended else None


def main() -> int:
    """Print how many of the kills were released, and the times; return 1 if one was not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, so_arm_bus('follower', Path(folder)) as arm:
        results = [kill_once(arm) for _ in range(arguments.kills)]
    good = [result for result in results if result is not None]
    print(f'released {len(good)} of {len(results)}')
    for what, index, scale, unit in (
            ('torque off after', 0, 1, 's'), ('keeper gone after', 1, 1, 's'),
            ('keeper started in', 3, 1000, 'ms'), ('keeper memory', 2, 0.001, 'MB')):
        values = sorted(result[index] * scale for result in good)
        if values:
            n = len(values)
            print(f'{what}: n {n}, median {values[n // 2]:.2f} {unit}, '
                  f'p99 {values[n * 99 // 100]:.2f} {unit}')
    return 0 if len(good) == len(results) else 1


if __name__ == '__main__':
    sys.exit(main())
