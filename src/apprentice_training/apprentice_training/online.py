# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Command line: let a policy learn by trying in a simulated environment."""

from __future__ import annotations

from collections.abc import Sequence
import csv
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
import sys

from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.registry import load_entry_points
from apprentice_training.environments.config import EnvConfig
from apprentice_training.errors import TrainingError
import draccus

CURVE = 'curve.csv'
_BAD_INPUT = 2


@dataclass
class OnlineOptions:
    """
    How long to try, and how to learn from it; steps are those of the environment.

    `random_episodes`: how many come first, their actions random and kept for `random_hold` steps.
    `updates_per_step`: updates of the weights, of `batch_size` trajectories each.
    `noise_begin`, `noise_end`: standard deviation of the noise on actions scaled to -1..1, falling
    within the first `noise_steps`. `eval_freq`: steps between evaluations of `eval_episodes`
    trials. `capacity`: steps remembered.
    """

    seed: int = 0
    steps: int = 20000
    random_episodes: int = 10
    random_hold: int = 10
    updates_per_step: float = 1.0
    batch_size: int = 256
    noise_begin: float = 0.5
    noise_end: float = 0.05
    noise_steps: int = 10000
    eval_freq: int = 2000
    eval_episodes: int = 10
    capacity: int = 200000

    def check(self) -> None:
        """Raise `TrainingError` about a number that cannot be."""
        for name in ('steps', 'random_episodes', 'random_hold', 'batch_size', 'eval_freq',
                     'eval_episodes'):
            if getattr(self, name) < 1:
                raise TrainingError(f'online.{name}: found {getattr(self, name)}, expected a '
                                    'whole number from 1')
        for name in ('updates_per_step', 'noise_begin', 'noise_end'):
            if getattr(self, name) < 0:
                raise TrainingError(f'online.{name}: found {getattr(self, name)}, expected a '
                                    'number from 0')


@dataclass
class OnlineConfig:
    """Learn by trying, from rewards alone."""

    env: EnvConfig
    policy: PolicyConfig
    output_dir: str
    online: OnlineOptions = field(default_factory=OnlineOptions)


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn and return the exit code."""
    load_entry_points()
    try:
        return _run(draccus.parse(OnlineConfig, args=list(sys.argv[1:] if arguments is None
                                                          else arguments), prog='online'))
    except (TrainingError, PolicyError) as error:
        sys.stderr.write(f'online: {error}\n')
        return _BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write('online: interrupted; nothing is written\n')
        return 130


def _run(config: OnlineConfig) -> int:
    folder = Path(config.output_dir).expanduser()
    if folder.exists() and any(folder.iterdir()):
        raise TrainingError(f'--output_dir: found {folder} with something in it, expected a new '
                            'folder')
    tasks = config.env.tasks()
    if len(tasks) != 1:
        raise TrainingError(f'env.task: found {config.env.task!r}, expected one task')
    config.env.prepare(False)
    from apprentice_policies.checkpoint import save_pretrained
    from apprentice_training.interaction import Interaction
    life = Interaction(config.policy, lambda: config.env.make(tasks[0], False),
                       config.env.observation, config.online, _say)
    try:
        points = life.run()
    finally:
        life.close()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / CURVE).open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(asdict(points[0])))
        writer.writeheader()
        writer.writerows(asdict(point) for point in points)
    save_pretrained(folder / 'pretrained_model', life.policy, life.pre, life.post)
    _say(f'{folder}: the curve is in {CURVE}, the policy in pretrained_model')
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


if __name__ == '__main__':
    sys.exit(main())
