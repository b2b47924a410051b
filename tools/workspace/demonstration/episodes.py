# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Where episodes begin and end, and what is shown while they last."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
import sys
import time

from demonstration.records import Recording
from demonstration.records import WorldSample
from demonstration.report import Episode

# On a terminal the line changes in place; in a log a line now and then is enough.
LOG_PERIOD_S = 5.0
RATE_WINDOW_NS = 2_000_000_000


def episodes_of(world: Sequence[WorldSample]) -> list[Episode]:
    """Return the stretches between resets of the world, each of which has a seed of its own."""
    episodes = []
    for seed, group in groupby(world, key=lambda sample: sample.seed):
        samples = list(group)
        episodes.append(Episode(
            seed, samples[0].stamp_ns, samples[-1].stamp_ns, samples[-1].cube_in_bin))
    return episodes


class Progress:
    """One line that says what is going on."""

    def __init__(self) -> None:
        """Show the first line at once."""
        self._is_terminal = sys.stdout.isatty()
        self._next = 0.0

    def show(self, text: str) -> None:
        """Show the line, as often as the output bears it."""
        if not self._is_due():
            return
        self._next = time.monotonic() + (0.5 if self._is_terminal else LOG_PERIOD_S)
        if self._is_terminal:
            print(f'\r   {text}\033[K', end='', flush=True)
        else:
            print(f'   {text}', flush=True)

    def show_episodes(self, recording: Recording, seeds: range, elapsed_s: float) -> None:
        """Show episode, cubes in the bin and the rates of the last two seconds."""
        if not self._is_due():
            return
        episodes = [e for e in episodes_of(recording.world) if e.seed in seeds]
        done = sum(episode.cube_in_bin for episode in episodes)
        rates = '  '.join(
            f'{stream.topic.split("/")[0]} {_recent_hz([a.stamp_ns for a in stream.arrivals]):.0f}'
            for stream in (recording.leader, recording.follower, *recording.cameras.values()))
        self.show(f'{elapsed_s:4.0f} s  episode {max(1, len(episodes))} of {len(seeds)}, '
                  f'{done} in the bin   Hz: {rates}')

    def _is_due(self) -> bool:
        return time.monotonic() >= self._next

    def end(self, text: str) -> None:
        """Replace the line for good."""
        print(f'\r{text}\033[K' if self._is_terminal else text, flush=True)


def _recent_hz(stamps: Sequence[int]) -> float:
    if not stamps:
        return 0.0
    recent = [stamp for stamp in stamps[-1000:] if stamp > stamps[-1] - RATE_WINDOW_NS]
    return len(recent) * 1e9 / RATE_WINDOW_NS
