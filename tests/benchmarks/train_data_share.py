#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Measure what share of a training step is spent waiting for data, with our loader and lerobot's.

ACT with its defaults on the CPU, batch 8, two cameras of 240x320. Both sides run under one Python,
that with lerobot 0.6.1, which also records; turns alternate, each in a process of its own.
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
SOURCES = HERE.parents[2] / 'src'
PACKAGES = ('apprentice_training', 'apprentice_policies', 'apprentice_dataset', 'apprentice_sim',
            'apprentice_control')
MOST = 0.10


def side(python: str, **options: Any) -> dict[str, Any]:
    """Run one side in a process of its own and return what it prints last."""
    path = os.pathsep.join(str(SOURCES / name) for name in PACKAGES)
    result = subprocess.run(
        [python, str(HERE.with_name('_train_loader.py')), json.dumps(options)],
        capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': path, 'HF_HUB_OFFLINE': '1',
             'OMP_NUM_THREADS': str(options.get('threads', 1))})
    if result.returncode:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])


def main() -> int:
    """Measure; 0 when the bound is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--lerobot', required=True, help='a Python with lerobot 0.6.1')
    parser.add_argument('--steps', type=int, default=12, help='of a turn')
    parser.add_argument('--turns', type=int, default=3)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--workers', type=int, nargs='*', default=[0, 1])
    options = parser.parse_args()
    report = Report('share of a training step that waits for data: ACT, batch 8, 2 x 240x320')
    with tempfile.TemporaryDirectory() as folder:
        root = str(Path(folder) / 'dataset')
        side(options.lerobot, do='record', root=root, episodes=5, frames=150)
        for workers in options.workers:
            steps: dict[str, list[dict[str, float]]] = {'ours': [], 'lerobot': []}
            for _ in range(options.turns):
                for one, found in steps.items():
                    found += side(options.lerobot, do='train', side=one, root=root, warm=2,
                                  workers=workers, steps=options.steps,
                                  threads=options.threads)['steps']
            for one, found in steps.items():
                name = f'{workers} workers, {one}'
                report.row(f'{name}: a step', [sum(step.values()) for step in found], 's')
                share = report.row(f'{name}: data', [step['data'] / sum(step.values())
                                                     for step in found], '%', 100)
                if one == 'ours':
                    report.bound(f'{name}: share {share.median:.1f} %, at most {MOST:.0%}',
                                 share.median <= 100 * MOST)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
