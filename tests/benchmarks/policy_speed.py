#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Time training steps and predictions of policies beside lerobot's.

Both sides run under the Python with lerobot 0.6.1, with the same torch, threads, weights and
batches: two 240x320 cameras, float32, on the CPU; 4 samples a step, 1 a prediction. Sizes are the
defaults, but Diffusion denoises in 10 steps instead of 100. Turns alternate; each is a process of
its own. A step is forward, backward, clipping and the policy's own optimiser.
"""
from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from _common import figures
from _common import Report

HERE = Path(__file__).resolve()
LIBRARY = HERE.parents[2] / 'src' / 'apprentice_policies'
SIDES = ('lerobot', 'ours')
# What may be at most so many times lerobot's median.
BOUNDS = {'step': 0.9, 'predict': 0.8}
# Counts of a turn: steps or predictions that are timed.
COUNTS = {('act', 'step'): 4, ('act', 'predict'): 25, ('diffusion', 'step'): 2,
          ('diffusion', 'predict'): 4}
SAME = {'act': 1e-5, 'diffusion': 1e-4}


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('python', help='a Python with lerobot 0.6.1')
    parser.add_argument('--policies', nargs='+', default=['act', 'diffusion'],
                        choices=['act', 'diffusion'])
    parser.add_argument('--turns', type=int, default=4, help='of each side')
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    args = parser.parse_args()
    report = Report(f'Policies on {args.threads} threads, {args.turns} turns')
    for policy in args.policies:
        for what in BOUNDS:
            _compare(report, args, policy, what)
    return report.end()


def _compare(report: Report, args: argparse.Namespace, policy: str, what: str) -> None:
    turns: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for turn in range(args.turns):
        for side in SIDES if turn % 2 else reversed(SIDES):
            turns[side].append(_run(args, side, policy, what))
    for side, found in turns.items():
        for key, title in (('seconds', ''), ('cpu_seconds', ', processor time')):
            report.row(f'{policy} {what}, {side}{title}',
                       [value for turn in found for value in turn[key]], 'ms', 1e3)
        report.line(f'{policy} {what}, {side}: peak {max(turn["peak_mb"] for turn in found):.0f} '
                    'MB of memory')
    report.bound(f'{policy} {what}: {_gap(turns):.1e} of the largest entry between the results, '
                 f'at most {SAME[policy]:g}', _gap(turns) <= SAME[policy])
    for key in ('seconds', 'cpu_seconds'):
        ours, theirs = (figures([value for turn in turns[side] for value in turn[key]]).median
                        for side in ('ours', 'lerobot'))
        text = f"{policy} {what}: {ours / theirs:.2f} of lerobot's median {key}"
        if key == 'seconds':
            report.bound(f'{text}, at most {BOUNDS[what]}', ours <= BOUNDS[what] * theirs)
        else:
            report.line(text)


def _gap(turns: dict[str, list[dict[str, Any]]]) -> float:
    ours, theirs = (turns[side][0]['result'] for side in ('ours', 'lerobot'))
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / max(map(abs, theirs))


def _run(args: argparse.Namespace, side: str, policy: str, what: str) -> dict[str, Any]:
    result = subprocess.run(
        [args.python, str(HERE.with_name('_policy_side.py')), side, policy, what,
         str(COUNTS[policy, what]), str(args.threads)],
        env={**os.environ, 'PYTHONPATH': str(LIBRARY), 'HF_HUB_OFFLINE': '1'},
        capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(result.stderr[-3000:])
    return json.loads(result.stdout.splitlines()[-1])


if __name__ == '__main__':
    sys.exit(main())
