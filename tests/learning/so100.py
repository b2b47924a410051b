# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Learn the simulated SO-100's pick and place from scratch, and print a line for docs/results.md.

    ./ws shell -- python tests/learning/so100.py --folder /tmp/learn --settings act_state

demonstrates episodes, trains by a file of config/learn/, tries the policy in worlds that it has
not seen, and ends with 1 where fewer succeed than promised. What is in the folder already is not
made again.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
import json
import os
from pathlib import Path
import platform
import subprocess
import sys
import time

SETTINGS = Path(__file__).resolve().parents[2] / 'config' / 'learn'
# Worlds of the demonstrations begin at 0.
FIRST_TRIAL = 10_000
# What is promised, in %, and the cameras that are seen instead of the cube's pose.
PROMISES: dict[str, tuple[int, Sequence[str]]] = {
    'act_state': (90, ()), 'diffusion_state': (80, ()), 'vqbet_camera': (80, ('front',)),
    'act_cameras': (80, ('front', 'wrist'))}


def main() -> int:
    """Do the three parts and print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--folder', type=Path, required=True)
    parser.add_argument('--settings', choices=PROMISES, default='act_state')
    parser.add_argument('--episodes', type=int, default=50, help='demonstrated (default: 50)')
    parser.add_argument('--trials', type=int, default=50)
    parser.add_argument('--seed', type=int, default=0, help='of training (default: 0)')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('flags', nargs='*', help='more flags of training, after --')
    arguments = parser.parse_args()
    promise, cameras = PROMISES[arguments.settings]
    data = arguments.folder / '_'.join(('data', *cameras))
    run = arguments.folder / f'{arguments.settings}_{arguments.seed}'
    if not (data / 'meta' / 'info.json').exists():
        seen = ['--cameras=96', '--camera', *cameras, '--no-environment-state'] if cameras else []
        _call('apprentice_sim', 'demonstrate', f'--root={data}',
              f'--episodes={arguments.episodes}', '--seed=0', *seen)
    if not run.exists():
        begin = time.monotonic()
        _call('apprentice_training', 'train',
              f'--config_path={SETTINGS / arguments.settings}.json',
              '--dataset.repo_id=local/so100', f'--dataset.root={data}', f'--output_dir={run}',
              f'--seed={arguments.seed}', f'--policy.device={arguments.device}',
              *arguments.flags)
        (run / 'minutes.txt').write_text(f'{(time.monotonic() - begin) / 60:.1f}\n')
    _call('apprentice_training', 'evaluate', f'--policy.path={run}', '--env.type=so100',
          f'--policy.device={arguments.device}', f'--env.cameras=[{", ".join(cameras)}]',
          f'--env.environment_state={str(not cameras).lower()}',
          f'--eval.n_episodes={arguments.trials}', f'--seed={FIRST_TRIAL}',
          f'--output_dir={run}/eval')
    overall = json.loads((run / 'eval' / 'eval_info.json').read_text())['overall']
    sys.stdout.write(_line(arguments, ' and '.join(cameras) or 'cube pose', run, overall))
    return 0 if overall['pc_success'] >= promise else 1


def _line(arguments: argparse.Namespace, seen: str, run: Path, overall: dict) -> str:
    low, high = overall['pc_success_95']
    steps = json.loads((run / 'checkpoints' / 'last' / 'pretrained_model' /
                        'train_config.json').read_text())['steps']
    machine = f'{platform.machine()}, {len(os.sched_getaffinity(0))} cores, {arguments.device}'
    return (f'| {arguments.settings} | {seen} | {arguments.episodes} | {steps} | '
            f'{(run / "minutes.txt").read_text().strip()} min | {arguments.seed} | '
            f'{overall["successes"]} of {overall["n_episodes"]} | {low:.0f} to {high:.0f} % | '
            f'{machine} |\n')


def _call(package: str, program: str, *arguments: str) -> None:
    subprocess.run(['ros2', 'run', package, program, *arguments], check=True)


if __name__ == '__main__':
    sys.exit(main())
