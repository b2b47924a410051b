# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run trials in vectors of environments."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
import re
import time
from typing import Any
from typing import TYPE_CHECKING

from apprentice_policies.inference import LoadedPolicy
from apprentice_training.environments.config import asked
from apprentice_training.environments.config import EnvConfig
from apprentice_training.errors import TrainingError
from apprentice_training.evaluation.config import EvalOptions
from apprentice_training.evaluation.players import Players
from apprentice_training.evaluation.players import Separate
from apprentice_training.evaluation.players import Together
from apprentice_training.evaluation.results import Evaluation
from apprentice_training.evaluation.results import Trial
from apprentice_training.evaluation.videos import Video
from gymnasium.vector import SyncVectorEnv
import numpy as np

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv


def evaluate(
    loaded: LoadedPolicy, env: EnvConfig, options: EvalOptions, seed: int,
    folder: Path | None = None, say: Callable[[str], None] = lambda line: None,
) -> Evaluation:
    """
    Try a policy in every task of an environment.

    Trial i of a task has the seed `seed + i`, for its world and for the policy's noise.

    :param folder: where videos go, below `videos/`; None: none are made.
    :param say: takes a line about each batch of trials.
    :raises TrainingError: the environment is missing, or does not fit.
    :raises PolicyError: an observation does not fit the policy.
    """
    options.check()
    videos = options.max_videos if folder is not None else 0
    count = min(options.batch_size, options.n_episodes)
    players = Together(loaded) if options.batch_policy else Separate(loaded)
    start, trials = time.monotonic(), []
    for task, vector in env.vectors(count, options.use_async_envs, videos > 0):
        try:
            runner = _Runner(env, task, vector, players, folder)
            trials += runner.run(options.n_episodes, videos, seed, say)
        finally:
            vector.close()
    if not trials:
        raise TrainingError(f'env.task: found {env.task!r}, which none of the tasks is called')
    return Evaluation(trials, time.monotonic() - start)


@dataclass
class _Row:
    """A trial under way."""

    seed: int
    video: Video | None
    rewards: list[float] = field(default_factory=list)
    success: bool = False
    over: bool = False


class _Runner:
    def __init__(
        self, env: EnvConfig, task: str, vector: VectorEnv, players: Players,
        folder: Path | None,
    ) -> None:
        self._env, self._task, self._vector = env, task, vector
        self._players, self._folder = players, folder
        self._tells_success = False

    def run(
        self, episodes: int, videos: int, seed: int, say: Callable[[str], None],
    ) -> Iterator[Trial]:
        """Yield the trials of a task, batch by batch."""
        width = self._vector.num_envs
        successes = 0
        for first in range(0, episodes, width):
            begin = time.monotonic()
            rows = [_Row(seed + index, self._video(index) if index < videos else None)
                    for index in range(first, min(first + width, episodes))]
            self._batch(rows, [seed + first + row for row in range(width)])
            successes += sum(row.success for row in rows)
            done = first + len(rows)
            say(f'{self._task}: {done} of {episodes} trials, {successes} successes, '
                f'{(time.monotonic() - begin) / len(rows):.2f} s a trial')
            for row in rows:
                yield self._trial(row)

    def _batch(self, rows: list[_Row], seeds: list[int]) -> None:
        vector = self._vector
        raw, _ = asked(self._task, vector.reset, seed=seeds)
        self._players.begin(seeds[:vector.num_envs])
        actions = np.zeros(vector.action_space.shape, vector.action_space.dtype)
        words = [self._env.words(self._task)] * vector.num_envs
        try:
            while any(not row.over for row in rows):
                self._film(rows)
                observation = {**self._env.observation(raw), 'task': words}
                running = [index for index, row in enumerate(rows) if not row.over]
                for index, action in self._players.act(observation, running).items():
                    self._check(action, actions[index])
                    actions[index] = action
                raw, rewards, terminated, truncated, info = asked(self._task, vector.step,
                                                                  actions)
                for index in running:
                    rows[index].rewards.append(float(rewards[index]))
                    rows[index].success |= self._succeeded(info, index)
                    rows[index].over = bool(terminated[index] or truncated[index])
        finally:
            for row in rows:
                if row.video is not None:
                    row.video.close()
        if not self._tells_success:
            raise TrainingError(f'{self._task}: found no is_success in what the environment '
                                'tells beside its rewards (info), expected true or false')

    def _check(self, action: np.ndarray, expected: np.ndarray) -> None:
        if action.shape != expected.shape:
            raise TrainingError(f'{self._task}: found actions {list(action.shape)} of the '
                                f'policy, expected {list(expected.shape)}; it was trained for '
                                'another robot')

    def _succeeded(self, info: Mapping[str, Any], row: int) -> bool:
        for source in (info.get('final_info'), info):
            if not isinstance(source, Mapping) or 'is_success' not in source:
                continue
            told = source.get('_is_success')
            if told is None or told[row]:
                self._tells_success = True
                return bool(source['is_success'][row])
        return False

    def _film(self, rows: list[_Row]) -> None:
        filmed = [index for index, row in enumerate(rows)
                  if row.video is not None and not row.over]
        if not filmed:
            return
        if isinstance(self._vector, SyncVectorEnv):
            # Frames take longer than steps: make only those that are kept.
            frames = {index: self._vector.envs[index].render() for index in filmed}
        else:
            frames = dict(enumerate(self._vector.render() or ()))
        for index in filmed:
            if frames.get(index) is not None:
                rows[index].video.add(frames[index])

    def _video(self, index: int) -> Video | None:
        name = re.sub(r'[^\w.-]+', '_', self._task)
        return Video(self._folder / 'videos' / name / f'trial_{index:04d}.mp4', self._env.fps)

    def _trial(self, row: _Row) -> Trial:
        video = None if row.video is None else str(row.video.path.relative_to(self._folder))
        return Trial(self._task, row.seed, row.success, sum(row.rewards), max(row.rewards),
                     len(row.rewards), video)
