# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What trials amount to: success rates with their uncertainty, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
import json
from math import sqrt
import os
from pathlib import Path
from typing import Any

EVAL_INFO = 'eval_info.json'
# The standard normal distribution's 97.5 % quantile.
_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Trial:
    """One episode: how it went, its rewards, its length in steps, and a video if there is one."""

    task: str
    seed: int
    success: bool
    sum_reward: float
    max_reward: float
    steps: int
    video: str | None = None


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """
    Return the 95 % interval of a success rate, shares of 1 (Wilson, JASA 1927).

    It stays within 0 and 1 and is right for few trials and rates near 0 or 1.
    """
    if not trials:
        return 0.0, 1.0
    rate, square = successes / trials, _Z95 * _Z95 / trials
    middle = rate + square / 2
    half = _Z95 * sqrt(rate * (1 - rate) / trials + square / (4 * trials))
    return (max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square)))


@dataclass(frozen=True)
class Evaluation:
    """All trials, and how long they took in s."""

    trials: Sequence[Trial]
    seconds: float

    @property
    def success_rate(self) -> float:
        """Return the share of successes, 0 to 1."""
        return sum(trial.success for trial in self.trials) / len(self.trials)

    def tasks(self) -> dict[str, list[Trial]]:
        """Return the trials by task."""
        found: dict[str, list[Trial]] = {}
        for trial in self.trials:
            found.setdefault(trial.task, []).append(trial)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return what `eval_info.json` holds."""
        count = len(self.trials)
        return {
            'per_episode': [asdict(trial) for trial in self.trials],
            'per_task': [{'task': task, **_figures(trials)}
                         for task, trials in self.tasks().items()],
            'overall': {**_figures(self.trials), 'eval_s': self.seconds,
                        'eval_ep_s': self.seconds / count}}

    def table(self) -> str:
        """Return a line a task, and one for all where there are several."""
        rows = [('task', 'trials', 'success', '95 % interval', 'mean reward', 'mean steps')]
        tasks = self.tasks()
        rows += [_row(task, trials) for task, trials in tasks.items()]
        if len(tasks) > 1:
            rows.append(_row('all', self.trials))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return '\n'.join('  '.join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in rows)

    def write(self, folder: Path) -> Path:
        """Write `eval_info.json` in one step and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / EVAL_INFO
        beside = folder / f'.{EVAL_INFO}.{os.getpid()}'
        beside.write_text(json.dumps(self.to_dict(), indent=2) + '\n', encoding='utf-8')
        os.replace(beside, path)
        return path


def _figures(trials: Sequence[Trial]) -> dict[str, Any]:
    count, successes = len(trials), sum(trial.success for trial in trials)
    return {
        'n_episodes': count,
        'successes': successes,
        'pc_success': 100.0 * successes / count,
        'pc_success_95': [100.0 * end for end in wilson(successes, count)],
        'avg_sum_reward': sum(trial.sum_reward for trial in trials) / count,
        'avg_max_reward': sum(trial.max_reward for trial in trials) / count,
        'avg_steps': sum(trial.steps for trial in trials) / count}


def _row(task: str, trials: Sequence[Trial]) -> tuple[str, ...]:
    figures = _figures(trials)
    low, high = figures['pc_success_95']
    return (task, str(figures['n_episodes']),
            f'{figures["successes"]} ({figures["pc_success"]:.0f} %)',
            f'{low:.1f} to {high:.1f} %', f'{figures["avg_sum_reward"]:.3f}',
            f'{figures["avg_steps"]:.0f}')
