# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The demo's second half: a policy learns from demonstrations, and is tried."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
import json
from pathlib import Path
import subprocess

from demonstration.recorder import free_folder

SETTINGS = Path(__file__).resolve().parents[3] / 'config' / 'learn' / 'act_demo.json'
EPISODES, TRIALS = 30, 10
# Demonstrated worlds have the seeds 0, 1, 2, ...
FIRST_TRIAL = 10_000


class LearningError(RuntimeError):
    """A step failed; it has said itself why."""


def learn(out: Path) -> None:
    """Demonstrate, train for a minute or two, try the policy and tell what came of it."""
    if find_spec('torch') is None:
        print('\n-- Nothing is learned: PyTorch is not installed (./ws setup --learn)')
        return
    data, policy, trials = (free_folder(out / name) for name in ('pick_place', 'act', 'trials'))
    print(f'\n-- {EPISODES} demonstrations without ROS, faster than real time: {data}')
    _run('apprentice_sim', 'demonstrate', '--root', str(data), '--episodes', str(EPISODES))
    print('-- A small ACT learns from them')
    _run('apprentice_training', 'train', f'--config_path={SETTINGS}',
         '--dataset.repo_id=demo/pick_place', f'--dataset.root={data}', f'--output_dir={policy}',
         '--log_freq=500')
    print(f'-- It is tried in {TRIALS} worlds that it has not seen')
    _run('apprentice_training', 'evaluate', f'--policy.path={policy}', '--env.type=so100',
         f'--eval.n_episodes={TRIALS}', '--eval.max_videos=1', f'--seed={FIRST_TRIAL}',
         f'--output_dir={trials}')
    overall = json.loads((trials / 'eval_info.json').read_text())['overall']
    print(f'   {overall["successes"]} of {TRIALS} cubes in the bin; docs/results.md shows what '
          'more training reaches')
    for video in sorted(trials.rglob('*.mp4')):
        print(f'Video of a trial: {video}')


def _run(package: str, program: str, *arguments: str) -> None:
    command: Sequence[str] = ('ros2', 'run', package, program, *arguments)
    if subprocess.call(command, stdin=subprocess.DEVNULL):
        raise LearningError(f'{program} failed: see above')
