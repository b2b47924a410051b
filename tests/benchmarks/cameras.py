# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Count what a subscriber in another process loses of both cameras' compressed images."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
import sys
import tempfile
import time

from _common import CpuMeter
from _common import Launched
from _common import own_domain
from _common import Report
from _listener import Listener

START_S = 8.0
PERIOD_MS = 1e3 / 30


def lost(numbers: Sequence[int]) -> int:
    """Return how many publication sequence numbers are missing."""
    return numbers[-1] - numbers[0] + 1 - len(numbers)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=10.0)
    minutes = parser.parse_args().minutes
    report = Report(f'compressed images of two cameras over {minutes:g} minutes, whole robot up')
    with tempfile.TemporaryDirectory() as folder, own_domain() as environment:
        launched = Launched(environment, log=Path(folder, 'log'))
        time.sleep(START_S)
        listener = Listener(environment)
        try:
            cpu = CpuMeter({**launched.processes(), listener.pid: 'subscriber'})
            time.sleep(minutes * 60.0)
            shares = cpu.shares()
            streams = listener.finish()
        finally:
            listener.close()
            launched.close()
    for camera, stream in streams.items():
        stamps = stream['stamps_ns']
        gaps = [(b - a) * 1e-6 for a, b in zip(stamps, stamps[1:])]
        rate = len(gaps) / ((stamps[-1] - stamps[0]) * 1e-9)
        missing = lost(stream['numbers'])
        report.row(f'{camera}: age at arrival', stream['ages_ms'], 'ms')
        report.row(f'{camera}: interval of stamps', gaps, 'ms')
        report.line(
            f'{camera}: {len(stamps)} images, {rate:.3f} Hz, '
            f'{stream["bytes"] / len(stamps) / 1000:.1f} kB each, '
            f'{sum(gap > 1.5 * PERIOD_MS for gap in gaps)} instants not rendered')
        report.bound(f'{camera}: 0 lost by sequence number, found {missing}', missing == 0)
    for title, share in shares.items():
        report.line(f'{title}: {share:.0f} % of a core')
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
