#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Time items of a map-style dataset beside lerobot's and beside torchcodec alone.

All sides run under one Python, that with lerobot 0.6.1, which also records 2 x 640x480 with a key
frame in two. Pictures stay uint8 on both sides but for one case. Turns alternate; each is a
process of its own. `--memory` touches hard links of one mp4 at random instead.
"""
from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any

from _common import Report

HERE = Path(__file__).resolve()
LIBRARY = HERE.parents[2] / 'src' / 'apprentice_dataset'
PLAIN: dict[str, Any] = {'order': 'random', 'workers': 0, 'windows': False, 'chosen': None,
                         'small': False, 'codec': 'h264', 'frame_cache': False, 'uint8': True}
# What differs from PLAIN, the sides, and (numerator, denominator, at least) of medians.
CASES: dict[str, tuple[dict[str, Any], tuple[str, ...], list[tuple[str, str, float]]]] = {
    'random': ({}, ('ours', 'lerobot', 'bare'), [('ours', 'bare', 0.95)]),
    'random, float32': ({'uint8': False}, ('ours', 'lerobot', 'bare'), []),
    'random, 2 workers': ({'workers': 2}, ('ours', 'lerobot', 'bare'), [('ours', 'bare', 0.95)]),
    'sequential': ({'order': 'sequential'}, ('ours', 'lerobot', 'bare'),
                   [('ours', 'lerobot', 4)]),
    'blocks of 30': ({'order': 'blocks'}, ('ours', 'lerobot', 'bare'), [('ours', 'lerobot', 4)]),
    'frame cache, second epoch': ({'frame_cache': True}, ('ours', 'lerobot'),
                                  [('ours', 'lerobot', 20)]),
    'random, AV1': ({'codec': 'libsvtav1'}, ('ours', 'lerobot', 'bare'),
                    [('ours', 'bare', 0.95)]),
    'random, 240x320': ({'small': True}, ('ours', 'whole'), [('ours', 'whole', 1)]),
    'windows': ({'windows': True}, ('ours', 'lerobot'), []),
    'windows, chosen episodes': ({'windows': True, 'chosen': [0, 2]}, ('ours', 'lerobot'), [])}
MEMORY_MB, FLAT_MB = 150, 10
# Decoders that are kept open for comparison, some 3 MB each.
UNBOUNDED = 600


def side(python: str, **options: Any) -> dict[str, Any]:
    """Run one side in a process of its own and return what it prints last."""
    result = subprocess.run(
        [python, str(HERE.with_name('_lerobot_items.py')), json.dumps(options)],
        capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': str(LIBRARY), 'HF_HUB_OFFLINE': '1'})
    if result.returncode:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout.splitlines()[-1]) or {}


def measure(report: Report, folder: Path, options: argparse.Namespace) -> None:
    """Measure the cases and hold them to their bounds."""
    cases = [name for name in CASES if not options.case or name in options.case]
    for codec in sorted({CASES[name][0].get('codec', 'h264') for name in cases}):
        side(options.lerobot, do='record', root=str(folder / codec), codec=codec,
             episodes=options.episodes, frames=options.frames)
    medians: dict[str, float] = {}
    for name in cases:
        changed, sides, bounds = CASES[name]
        how = {**PLAIN, **changed}
        rates: dict[str, list[float]] = {one: [] for one in sides}
        taken: dict[str, list[float]] = {one: [] for one in sides}
        for turn in range(options.turns):
            for one in sides:
                found = side(options.lerobot, do='fetch', side=one, seed=turn,
                             items=options.items, root=str(folder / how['codec']),
                             cache=str(folder / 'frames') if how['frame_cache'] else '', **how)
                rates[one].append(found['rate'])
                taken[one] += found['batches']
        for one in sides:
            medians[f'{name} {one}'] = report.row(f'{name}: {one}', rates[one], 'items/s').median
            report.row('  a batch of 8', taken[one], 'ms', 1e3)
        for over, under, least in bounds:
            ratio = medians[f'{name} {over}'] / medians[f'{name} {under}']
            report.bound(f'{name}: {over} / {under} {ratio:.2f}, at least {least:g}',
                         ratio >= least)
        if 'lerobot' in sides:
            report.line(f'{name}: ours / lerobot '
                        f'{medians[f"{name} ours"] / medians[f"{name} lerobot"]:.2f}')
    whole, chosen = (medians.get(f'{name} ours') for name in list(CASES)[-2:])
    if whole and chosen:
        report.bound(f'windows: all / chosen episodes {whole / chosen:.2f}, at most 1.1',
                     whole / chosen <= 1.1)


def memory(report: Report, folder: Path, options: argparse.Namespace) -> None:
    """Touch many files at random with the usual limits; then some, with and without any."""
    side(options.lerobot, do='record', root=str(folder / 'one'), codec='h264', episodes=1,
         frames=30)
    path = next((folder / 'one').glob('videos/*/*/*.mp4'))
    (folder / 'files').mkdir()
    for number in range(options.files):
        os.link(path, folder / 'files' / f'{number:06}.mp4')
    common = {'do': 'touch', 'root': str(folder / 'files'), 'frames': 30}
    found = side(options.lerobot, **common, draws=options.files, block=1, unbounded=False)
    begin, half, end = found['memory']
    report.bound(f'{options.files} files: +{end - begin:.0f} MB, at most {MEMORY_MB}',
                 end - begin <= MEMORY_MB)
    report.bound(f'last half: {end - half:+.0f} MB, at most {FLAT_MB}', end - half <= FLAT_MB)
    for text, block, draws in (('in blocks of 64', 64, 30 * 64), ('at random', 1, UNBOUNDED)):
        medians = {}
        for unbounded in (False, True):
            free = side(options.lerobot, **common, draws=min(draws, options.files * block),
                        block=block, unbounded=unbounded)
            medians[unbounded] = report.row(
                f'a draw {text}, {"no limit" if unbounded else "the usual limits"}',
                free['batches'], 'ms', 1e3).median
        ratio = medians[False] / medians[True]
        report.bound(f'{text}: usual limits / no limit {ratio:.2f}, at most 1.1', ratio <= 1.1)
    cost = (free['memory'][2] - free['memory'][0]) / max(1, free['kept'] - 1)
    report.line(f'a decoder takes {cost:.2f} MB, estimated {free["estimate"] / free["kept"]:.2f} '
                f'MB; {found["kept"]} were kept')


def main() -> int:
    """Measure; 0 when the bounds are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--lerobot', required=True, help='a Python with lerobot 0.6.1')
    parser.add_argument('--episodes', type=int, default=10)
    parser.add_argument('--frames', type=int, default=300)
    parser.add_argument('--items', type=int, default=960, help='of a turn')
    parser.add_argument('--turns', type=int, default=7)
    parser.add_argument('--case', action='append', choices=CASES)
    parser.add_argument('--memory', action='store_true')
    parser.add_argument('--files', type=int, default=10_000)
    parser.add_argument('--folder', help='where datasets are made and removed again')
    options = parser.parse_args()
    report = Report('items of a map-style dataset')
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        (memory if options.memory else measure)(report, Path(folder), options)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
