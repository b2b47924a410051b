#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Watch memory and time while a dataset of v2.1 with two cameras of 640x480 is converted."""
from __future__ import annotations

import argparse
import os
from pathlib import Path
import sys
import tempfile
import time

from _common import Report
from apprentice_dataset.v2.convert import convert
import numpy as np

TESTS = Path(__file__).resolve().parents[2] / 'src' / 'apprentice_dataset' / 'test'
sys.path.insert(0, str(TESTS))

from older import build  # noqa: E402  (the path above must come first)
from older import write_mp4  # noqa: E402

ROWS = 60
GROWTH_MB = 50.0


def resident_mb() -> float:
    """Return the memory of this process that is in use now, in MB."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def make(root: Path, episodes: int) -> int:
    """Build the source; all episodes share one large video. Return its size in bytes."""
    build(root, *[ROWS] * episodes)
    random = np.random.default_rng(0)
    scene = random.integers(0, 255, (60, 80, 3), dtype=np.uint8)
    large = np.kron(scene, np.ones((8, 8, 1), np.uint8))
    write_mp4(root / 'large.mp4', [np.roll(large, 8 * number, axis=1) for number in range(ROWS)])
    for path in root.rglob('episode_*.mp4'):
        path.unlink()
        os.link(root / 'large.mp4', path)
    return sum(path.stat().st_size for path in root.rglob('*') if path.is_file())


def main() -> int:
    """Convert, and print what memory and time it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--episodes', type=int, default=200)
    options = parser.parse_args()
    report = Report('converting v2.1')
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        size = make(Path(folder) / 'old', options.episodes)
        begin = time.monotonic()
        convert(Path(folder) / 'old', Path(folder) / 'new',
                progress=lambda done, total: memory.append(resident_mb()))
        spent_s = time.monotonic() - begin
    tenth = max(1, len(memory) // 10)
    report.line(f'{options.episodes} episodes of {ROWS} rows, {size / 1e6:.0f} MB: {spent_s:.1f} '
                f's, {1000 * spent_s / options.episodes:.0f} ms an episode')
    report.line(f'memory after {tenth} episodes {memory[tenth - 1]:.0f} MB, at most '
                f'{max(memory):.0f} MB, at the end {memory[-1]:.0f} MB')
    grown = max(memory) - memory[tenth - 1]
    report.bound(f'memory grows by {grown:.0f} MB, at most {GROWTH_MB:.0f} MB',
                 grown <= GROWTH_MB)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
