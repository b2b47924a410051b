# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Let TD-MPC learn to reach by trying, once a seed, and print the rows for docs/results.md.

    ./ws shell -- python tests/learning/reach.py --folder /tmp/reach

ends with 1 where a seed's last return is not above its first. A seed that is in the folder already
is not run again.
"""
from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path
import subprocess
import sys

SETTINGS = Path(__file__).resolve().parents[2] / 'config' / 'learn' / 'tdmpc_reach.json'


def main() -> int:
    """Run every seed and print its curve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--folder', type=Path, required=True)
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('flags', nargs='*', help='more flags of `online`, after --')
    arguments = parser.parse_args()
    curves = []
    for seed in arguments.seeds:
        run = arguments.folder / f'seed_{seed}'
        if not run.exists():
            subprocess.run(
                ['ros2', 'run', 'apprentice_training', 'online', f'--config_path={SETTINGS}',
                 f'--output_dir={run}', f'--online.seed={seed}', '--policy.device=cpu',
                 *arguments.flags], check=True,
                # So small a network gains nothing from a second thread.
                env={**os.environ, 'OMP_NUM_THREADS': '1'})
        with (run / 'curve.csv').open(newline='', encoding='utf-8') as file:
            curves.append(list(csv.DictReader(file)))
    steps = [point['step'] for point in curves[0]]
    print(f'| seed | {" | ".join(steps)} | success | learned in |')
    print(f'|{"---|" * (len(steps) + 3)}')
    for seed, curve in zip(arguments.seeds, curves):
        returns = ' | '.join(f'{float(point["mean_return"]):.1f}' for point in curve)
        last = curve[-1]
        print(f'| {seed} | {returns} | {float(last["success_rate"]):.0%} | '
              f'{float(last["seconds"]) / 60:.1f} min |')
    return int(any(float(curve[-1]['mean_return']) <= float(curve[0]['mean_return'])
                   for curve in curves))


if __name__ == '__main__':
    sys.exit(main())
