# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold a recorded episode to what was published: every sample in its row, and once."""
from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field

from _pictures import COUNT
from _pictures import numbers_in
from _replay import CAMERAS
from _replay import positions
from _replay import Published
from _replay import STREAMS
from apprentice_dataset.reader import Dataset
import numpy as np
from numpy.typing import NDArray


@dataclass
class Verdict:
    """
    What an episode has of what was published between its first and its last row.

    `early` are pictures of the reference from the start to the first row, `left` those from the
    last row to the end that belong to no row.
    """

    rows: int = 0
    held: list[int] = field(default_factory=list)
    lost_rows: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    shifted: dict[str, int] = field(default_factory=dict)
    wrong_joints: int = 0
    early: int = 0
    left: int = 0

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is lost, shifted, repeated or wrong."""
        return bool(self.rows) and not (
            self.held or self.lost_rows or self.wrong_joints
            or any(self.lost.values()) or any(self.shifted.values()))

    def __str__(self) -> str:
        """Return a line."""
        cameras = ', '.join(f'{name} {self.lost[name]} lost {self.shifted[name]} shifted'
                            for name in self.lost)
        held = f' ({self.held[0]} to {self.held[-1]})' if self.held else ''
        return (f'{self.rows} rows, {self.lost_rows} lost, {len(self.held)} held{held}, pictures: '
                f'{cameras}, {self.wrong_joints} rows of wrong joints; {self.early} pictures '
                f'from the start to the first row, {self.left} from the last row to the end')


def check(
    dataset: Dataset, episode: int, published: Published, begun_ns: int, ended_ns: int,
) -> Verdict:
    """
    Compare an episode with what was published.

    :param begun_ns: when the start of the episode was answered.
    :param ended_ns: when its end was asked for, or its recorder was killed.
    """
    table = dataset.rows(episode)
    numbers = {name: np.array(_numbers(dataset, episode, name)) for name in CAMERAS}
    stamps = published.stamps['front']
    first = _first(numbers['front'][0], stamps, begun_ns)
    instants = stamps[first] + np.array(table['sync.stamp_ns'].to_pylist(), np.int64)
    held = table['sync.held'].to_pylist()
    found = Verdict(table.num_rows, [row for row, is_held in enumerate(held) if is_held])
    own = np.isin(stamps, instants)
    last = np.searchsorted(stamps, instants[-1], 'right') - 1
    # A row whose instant is no picture's stamp is one too many where a picture has none.
    found.lost_rows = int(last - first + 1 - own[first:last + 1].sum())
    for name in CAMERAS:
        expected = np.searchsorted(published.stamps[name], instants, 'right') - 1
        shown = numbers[name]
        if len(shown) != len(expected):
            raise SystemExit(f'{name}: {len(shown)} pictures for {len(expected)} rows')
        right = shown == (expected + STREAMS[name].first) % COUNT
        found.shifted[name] = int((~right).sum())
        found.lost[name] = int(expected[-1] - expected[0] + 1 - len(np.unique(expected[right])))
    found.wrong_joints = _wrong_joints(table.to_pydict(), published, instants)
    found.early = int(((stamps > begun_ns) & (stamps < instants[0])).sum())
    sent = published.sent['front']
    found.left = int(((stamps > instants[-1]) & (sent <= ended_ns)).sum())
    return found


def _numbers(dataset: Dataset, episode: int, name: str) -> list[int]:
    camera = f'observation.images.{name}'
    place = dataset.episodes[episode].videos[camera]
    if place.begin_s:
        raise SystemExit(f'{camera}: episode {episode} does not begin its file')
    return numbers_in(dataset.root / place.number.path(str(dataset.info.video_path), camera))


def _first(number: int, stamps: NDArray[np.int64], begun_ns: int) -> int:
    """Return which published picture begins the episode: the one nearest its start."""
    candidates = np.arange(number, len(stamps), COUNT)
    if number < 0 or not len(candidates):
        raise SystemExit(f'the first picture says {number}')
    return int(candidates[np.abs(stamps[candidates] - begun_ns).argmin()])


def _wrong_joints(
    columns: dict[str, list], published: Published, instants: NDArray[np.int64],
) -> int:
    stamps = published.stamps
    state = np.concatenate([
        positions(name, np.searchsorted(stamps[name], instants, 'right') - 1)
        for name in ('left', 'right')], axis=1)
    action = positions('commands', np.searchsorted(stamps['commands'], instants, 'left'))
    wrong = ((np.array(columns['observation.state']) != state).any(axis=1)
             | (np.array(columns['action']) != action).any(axis=1))
    return int(wrong.sum())
