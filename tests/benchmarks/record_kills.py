#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Kill a recording at seeded moments and at every step of saving, and look what is left."""
from __future__ import annotations

import argparse
from pathlib import Path
import random
import shutil
import sys
import tempfile
import time

from _common import Report

from apprentice_dataset.reader import Dataset
from apprentice_dataset.transaction import STEPS

sys.path.append(str(Path(__file__).resolve().parents[2] / 'src/apprentice_dataset/test'))
from killed import examine  # noqa: E402
from killed import GROUP  # noqa: E402
from killed import Killed  # noqa: E402
from killed import packets  # noqa: E402

_LENGTH = 3 * GROUP
_LONGEST_S = 1.5


def kill(root: Path, moments: random.Random, steps: list[str], number: int) -> tuple[
        float, list[str], int]:
    """Kill one recording; return seconds of opening, broken promises and rows lost."""
    # Every other kill is at a step; the others are at any moment.
    step = steps[number // 2 % len(steps)] if number % 2 else ''
    killed = Killed(root, _LENGTH, step, 20.0 if step else moments.uniform(0.0, _LONGEST_S))
    accepted = [packets(root, index) for index in killed.saved]
    begin = time.monotonic()
    dataset = Dataset.open(root)
    opening = time.monotonic() - begin
    faults = examine(root, killed, _LENGTH)
    if opening > 2.0:
        faults.append(f'opening took {opening:.2f} s')
    if accepted != [packets(root, index) for index in killed.saved]:
        faults.append('an accepted episode has changed')
    taken = killed.taken.get(len(killed.saved), 0)
    there = len(dataset) - _LENGTH * len(killed.saved)
    return opening, [f'kill {number} {step}: {fault}' for fault in faults], max(0, taken - there)


def main() -> int:
    """Kill, look, print; the exit code tells whether every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--folder', help='where to record; a temporary folder by default')
    options = parser.parse_args()
    report = Report(f'{options.kills} kills of a recording at full speed, seed {options.seed}')
    moments = random.Random(options.seed)
    steps = [step for step in STEPS if 'tasks' not in step]
    openings, lost, faults = [], [], []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for number in range(options.kills):
            root = Path(folder) / str(number)
            opening, broken, rows = kill(root, moments, steps, number)
            openings.append(opening)
            lost.append(float(rows))
            faults += broken
            shutil.rmtree(root)
    report.row('opening after the kill', openings, 'ms', 1e3)
    report.row('rows lost of the open episode', lost, 'rows')
    report.faults(faults)
    report.bound('every dataset opens by itself in < 2 s, accepted episodes are identical, at '
                 f'most a group of {GROUP} frames is lost', not faults)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
