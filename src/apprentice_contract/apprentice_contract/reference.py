# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Where rows come from: the slots of a reference stream, or the grid of a clock."""
from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Collection
from typing import NamedTuple

from apprentice_contract.tracker import Tracker

_NS_PER_S = 1_000_000_000


class Slot(NamedTuple):
    """
    A row that is known to come.

    `known_ns` is when it became known (receive time), `is_passed` whether the reference has shown
    a sample beyond it, `is_gap` whether the reference has no sample for it.
    """

    instant_ns: int
    known_ns: int
    is_passed: bool
    is_gap: bool


class SampledReference:
    """Rows are the samples of one stream, one a slot: the one nearest the slot's centre."""

    def __init__(self, stream: str, period_ns: float, tolerance: float) -> None:
        """Track a stream whose period is right within a fraction `tolerance`."""
        self.listens = frozenset((stream,))
        self._tracker = Tracker(period_ns, tolerance)
        self._open: list[tuple[int, int]] = []
        self._head: Slot | None = None
        self._members = 0
        self.doubled = 0

    def take(self, stream: str, stamp_ns: int, received_ns: int) -> None:
        """Take a sample in, in any order."""
        insort(self._open, (stamp_ns, received_ns))
        self._head = None

    def head(self) -> Slot | None:
        """Return the next slot; None while no sample lies in or beyond it."""
        while self._head is None and self._open:
            slot = self._tracker.slot(self._open[0][0])
            if slot < 0:
                del self._open[0]
                self.doubled += 1
            else:
                self._head = self._filled() if slot == 0 else self._gap()
        return self._head

    def pop(self) -> None:
        """Go on to the slot after the head."""
        if self._head is None:
            return
        if self._head.is_gap:
            self._tracker.skip()
        else:
            self._tracker.fill(self._head.instant_ns)
            del self._open[:self._members]
            self.doubled += self._members - 1
        self._head = None

    def _known(self) -> int:
        return min(received for _, received in self._open)

    def _gap(self) -> Slot:
        return Slot(self._tracker.expected_ns, self._known(), True, True)

    def _filled(self) -> Slot:
        tracker, samples = self._tracker, self._open
        self._members = 1
        if not tracker.is_locked:
            # While the phase is being found, a doubled sample shows only in the slot after it.
            return Slot(samples[0][0], self._known(), len(samples) > 1, False)
        nearest, distance = samples[0][0], abs(tracker.offset(samples[0][0]))
        for stamp, _ in samples[1:]:
            offset = tracker.offset(stamp)
            if offset >= 0.5:
                break
            self._members += 1
            if abs(offset) < distance:
                nearest, distance = stamp, abs(offset)
        return Slot(nearest, self._known(), len(samples) > self._members, False)


class ClockReference:
    """Rows lie on a fixed grid that begins when every stream has shown a sample."""

    def __init__(self, streams: Collection[str], fps: int) -> None:
        """Lay a grid of `fps` rows a second through the stamps of these streams."""
        self.listens = frozenset(streams)
        self._fps = fps
        self._first: dict[str, int] = {}
        self._begin: int | None = None
        self._newest = -(1 << 62)
        self._count = 0
        self._open: deque[Slot] = deque()
        self.doubled = 0

    def take(self, stream: str, stamp_ns: int, received_ns: int) -> None:
        """Learn that a stream has come as far as a stamp."""
        if self._begin is None:
            self._first.setdefault(stream, stamp_ns)
            self._newest = max(self._newest, stamp_ns)
            if len(self._first) < len(self.listens):
                return
            self._begin = max(self._first.values())
        self._newest = max(self._newest, stamp_ns)
        while (instant := self._begin + self._count * _NS_PER_S // self._fps) <= self._newest:
            self._open.append(Slot(instant, received_ns, True, False))
            self._count += 1

    def head(self) -> Slot | None:
        """Return the next row of the grid; None while no stream has come as far."""
        return self._open[0] if self._open else None

    def pop(self) -> None:
        """Go on to the row after the head."""
        if self._open:
            self._open.popleft()
