#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Kill the writer and every tool at seeded moments of their run, and look what is left.

Sources stay as they are, a result is not there or whole, the next run clears away what was left
and succeeds; of a recording nothing that was accepted is lost.
"""
from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
import random
import shutil
import sys
import tempfile

from _common import Report

sys.path.append(str(Path(__file__).resolve().parents[2] / 'src/apprentice_dataset/test'))
from killed import examine  # noqa: E402  (the path above must come first)
from killed import GROUP  # noqa: E402
from killed import Killed  # noqa: E402
from killed_tools import Runner  # noqa: E402
from killed_tools import TOOLS  # noqa: E402
from killed_tools import Trial  # noqa: E402

WRITER = 'writer'
_LENGTH = 2 * GROUP
_EPISODES, _MEASURED_S = 4, 3.0
_WHENS = ('before', 'during', 'after')
# A little beyond the end, for a run may take longer than the first.
_SHARES = 1.1


def kill_writer(folder: Path, points: int, moments: random.Random) -> tuple[
        Counter[str], list[str]]:
    """Kill recordings of several episodes; return when that was, and broken promises."""
    measured = Killed(folder / 'whole', _LENGTH, after_s=_MEASURED_S)
    length_s = _MEASURED_S * _EPISODES / max(1, len(measured.saved))
    whens: Counter[str] = Counter()
    faults = []
    for number in range(points):
        root = folder / str(number)
        after_s = moments.uniform(0.0, length_s)
        killed = Killed(root, _LENGTH, after_s=after_s)
        whens['before' if not killed.saved else 'during' if len(killed.saved) < _EPISODES
              else 'after'] += 1
        faults += [f'writer, kill {number} after {after_s:.3f} s: {fault}'
                   for fault in examine(root, killed, _LENGTH)]
        shutil.rmtree(root)
    return whens, faults


def kill_tool(runner: Runner, name: str, folder: Path, points: int, moments: random.Random) -> \
        tuple[Counter[str], list[str]]:
    """Kill a tool; return when that was, and broken promises."""
    trial = Trial(runner, name, folder)
    whens: Counter[str] = Counter()
    faults = []
    for number in range(points):
        when, broken = trial.kill(number, moments.uniform(0.0, _SHARES))
        whens[when] += 1
        faults += broken
    return whens, faults


def main() -> int:
    """Kill, look, print a table; the exit code tells whether every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--points', type=int, default=50, help='of each tool')
    parser.add_argument('--writer-points', type=int, default=200)
    parser.add_argument('--tools', nargs='+', choices=[WRITER, *TOOLS],
                        default=[WRITER, *TOOLS])
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--folder', help='where to work; a temporary folder by default')
    options = parser.parse_args()
    report = Report(f'SIGKILL at uniform moments, seed {options.seed}')
    report.line(f'{"tool":16} | points | before/during/after | exceptions')
    faults = []
    with tempfile.TemporaryDirectory(dir=options.folder) as name, Runner() as runner:
        for tool in options.tools:
            moments = random.Random(f'{options.seed} {tool}')
            folder = Path(name) / tool
            if tool == WRITER:
                folder.mkdir()
                points = options.writer_points
                whens, broken = kill_writer(folder, points, moments)
            else:
                points = options.points
                whens, broken = kill_tool(runner, tool, folder, points, moments)
            report.line(f'{tool:16} | {points:6} | '
                        f'{"/".join(str(whens[when]) for when in _WHENS):>19} | {len(broken)}')
            sys.stdout.flush()
            faults += broken
            shutil.rmtree(folder)
    report.faults(faults)
    report.bound('sources untouched, results absent or whole, the next run clears away and '
                 'succeeds', not faults)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
