# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Send bytes over a damaged serial line, both ways, and print what became of them.

First with at most one corrupt byte a packet, where nothing may go wrong; then with heavy
damage, where the 8-bit checksum lets about 1 in 256 packets pass and the rates are printed.
Exits with 1 when a wait was too long, a session died, or single corruption did harm.
"""
from __future__ import annotations

import argparse
import os
from pathlib import Path
import sys

TEST_FOLDER = Path(__file__).resolve().parents[2] / 'src' / 'feetech_driver' / 'test'
sys.path.insert(0, str(TEST_FOLDER))

from fuzz_session import run  # noqa: E402
from fuzz_session import Session  # noqa: E402  (the path above must come first)
from fuzzed_wire import Damage  # noqa: E402

LIMIT_S = 0.05


def describe(name: str, session: Session) -> bool:
    """Print one session; return whether it kept the time limit and survived."""
    wire, counters = session.wire, session.counters
    print(f'{name}:')
    print(f'  bytes: {wire.bytes_to_servos} to the servos, {wire.bytes_to_host} to the host; '
          f'damaged packets: {wire.damaged_to_servos} and {wire.damaged_to_host}')
    for what, times in (('read_state', session.read_s), ('write_goals', session.write_s)):
        ordered = sorted(times)
        n = len(ordered)
        print(f'  {what}: n {n}, median {ordered[n // 2] * 1e3:.2f} ms, '
              f'p99 {ordered[n * 99 // 100] * 1e3:.2f} ms, longest {ordered[-1] * 1e3:.2f} ms, '
              f'above 50 ms {sum(took > LIMIT_S for took in ordered)}')
    print(f'  commands: {wire.goals_applied} goals applied, {wire.wrong_goals} wrong, '
          f'the longest for {wire.longest_wrong} cycles, {wire.longest_wrong_intact} with an '
          f'intact goal packet; '
          f'writes to other registers: {len(wire.other_writes)}')
    print(f'  readings: {session.readings}, wrong {session.wrong_readings} '
          f'(at most {session.largest_wrong} ticks); refused as implausible '
          f'{counters.implausible}, bad checksums {counters.bad_checksums}')
    print(f'  the session {"survived" if session.recovered else "DIED"}'
          f'{"; a servo needed a power cycle" if session.damaged_servos else ""}')
    worst = max(session.read_s + session.write_s)
    return session.recovered and worst <= LIMIT_S


def ask_for_priority() -> bool:
    """Take the real-time priority that a driver takes where the host allows it."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except PermissionError:
        return False
    return True


def main() -> int:
    """Run both sessions; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--bytes', type=int, default=1_000_000, help='bytes each way')
    parser.add_argument('--seed', type=int, default=1)
    arguments = parser.parse_args()
    print('real-time priority' if ask_for_priority() else
          'no real-time priority here: other work on this machine shows as long waits')
    single = run(Damage.ONE_BYTE, 0.1, arguments.bytes, arguments.seed)
    good = describe('at most one corrupt byte a packet, 10 % of packets', single)
    good &= not (single.wire.wrong_goals or single.wire.other_writes or single.wrong_readings)
    many = run(Damage.MANY, 0.25, arguments.bytes, arguments.seed)
    good &= describe('heavy damage, 25 % of packets', many)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
