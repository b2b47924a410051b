# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A row of demonstrations: put the world back, demonstrate, look, note the result."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
import json
import os
from pathlib import Path

from apprentice_sim.demonstrator import Demonstrator
from apprentice_sim.demonstrator import NoGraspError
from apprentice_sim.demonstrator import NotFollowingError
from apprentice_sim.demonstrator import Sight


@dataclass(frozen=True)
class EpisodeResult:
    """How one demonstration went; `reason` says what went wrong."""

    seed: int
    cube_in_bin: bool
    attempts: int
    duration_s: float
    reason: str


class Session:
    """
    Do `episodes` demonstrations with seeds from `seed` on, then park.

    While `reset_wanted` holds a seed, the caller resets the world to it, then calls `reset_done`.
    """

    def __init__(
            self, arm: str, hand: Sequence[float], episodes: int, seed: int,
            say: Callable[[str], None]) -> None:
        self.results: list[EpisodeResult] = []
        self.episodes = episodes
        self.reset_wanted: int | None = seed
        self.done = False
        self._first_seed = seed
        self._demonstrator = Demonstrator(arm, hand, seed)
        self._hand = tuple(hand)
        self._say = say
        self._elapsed_s = 0.0
        self._phase = ''
        self._parking = False

    @property
    def succeeded(self) -> bool:
        """Whether every demonstration put the cube into the bin."""
        return len(self.results) == self.episodes and all(r.cube_in_bin for r in self.results)

    def reset_done(self) -> None:
        """Begin the demonstration in the world that was put back."""
        self.reset_wanted = None
        self._elapsed_s = 0.0
        self._phase = ''
        self._say(f'episode {len(self.results) + 1} of {self.episodes} (seed {self._seed})')
        self._demonstrator.begin()

    def step(self, dt_s: float, sight: Sight) -> tuple[float, ...]:
        """Return where the hand holds the leader now: six joints in rad."""
        if self.done or self.reset_wanted is not None:
            return self._hand
        self._elapsed_s += dt_s
        try:
            self._hand = self._demonstrator.step(dt_s, sight)
        except NoGraspError as error:
            self._finish(False, str(error))
            return self._hand
        except NotFollowingError as error:
            self._finish(False, str(error))
            self.done = True
            return self._hand
        self._tell_phase()
        if self._demonstrator.done:
            if self._parking:
                self.done = True
            else:
                self._finish(sight.cube_in_bin, '' if sight.cube_in_bin else 'cube not in bin')
        return self._hand

    def report(self) -> dict[str, object]:
        """Return the results as JSON-able values."""
        return {
            'episodes': self.episodes,
            'cubes_in_bin': sum(result.cube_in_bin for result in self.results),
            'results': [asdict(result) for result in self.results]}

    @property
    def _seed(self) -> int:
        return self._first_seed + len(self.results)

    def _tell_phase(self) -> None:
        phase = self._demonstrator.phase
        if phase != self._phase:
            self._phase = phase
            if phase:
                self._say(f'  {self._elapsed_s:5.1f} s  {phase}')

    def _finish(self, cube_in_bin: bool, reason: str) -> None:
        result = EpisodeResult(
            self._seed, cube_in_bin, self._demonstrator.attempts, round(self._elapsed_s, 2),
            reason)
        self.results.append(result)
        outcome = 'cube in bin' if cube_in_bin else f'FAILED: {reason}'
        self._say(f'  {result.duration_s:5.1f} s  {outcome}')
        if len(self.results) < self.episodes:
            self.reset_wanted = self._seed
        else:
            self._parking = True
            self._demonstrator.park()


def write_report(path: Path, report: dict[str, object]) -> None:
    """Write a report in one step, so that no reader meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f'.{path.name}.{os.getpid()}')
    staged.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    os.replace(staged, path)
