# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Timed points and the path through them, sampled at the bus rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class TrajectoryPoint(NamedTuple):
    """Positions (rad) and, optionally, velocities (rad/s) due at a monotonic instant."""

    due_ns: int
    position: Sequence[float]
    velocity: Sequence[float] | None = None


class Track:
    """
    One joint's way through the knots of a path.

    Between knots that both have a velocity the way is a cubic Hermite curve, else a line; after
    the last knot it stays there.
    """

    __slots__ = ('ahead_high', 'ahead_low', 'positions', 'velocities')

    def __init__(self, positions: list[float], velocities: list[float] | None) -> None:
        """Take knot positions (rad) and velocities (rad/s, or none: straight lines)."""
        self.positions = positions
        self.velocities = velocities
        self.ahead_low: list[float] = []
        self.ahead_high: list[float] = []

    def measure_ahead(self, times: list[int]) -> None:
        """Note, for every segment, within which positions the rest of the way stays."""
        low = high = self.positions[-1]
        lows, highs = [], []
        for index in range(len(times) - 2, -1, -1):
            hull = [self.positions[index + 1]]
            if self.velocities is not None:
                third = (times[index + 1] - times[index]) / 3e9
                # The control points of the curve enclose it.
                hull.append(self.positions[index])
                hull.append(self.positions[index] + self.velocities[index] * third)
                hull.append(self.positions[index + 1] - self.velocities[index + 1] * third)
            low, high = min(low, *hull), max(high, *hull)
            lows.append(low)
            highs.append(high)
        self.ahead_low = lows[::-1]
        self.ahead_high = highs[::-1]


class Path:
    """
    The way of every commanded joint from an instant on.

    :param anchor_ns: where the way begins: the instant of the position commanded last.
    :param points: at least one, due one after the other, values in the order of `joints`.
    :param joints: index of every commanded joint.
    :param position: commanded position of every joint of the arm at the anchor.
    :param velocity: the same for velocity; it shapes only curves.
    :param streamed: a stream's single point, to be replaced before it is due.
    """

    __slots__ = ('_segment', '_times', 'streamed', 'tracks')

    def __init__(
        self,
        anchor_ns: int,
        points: Sequence[TrajectoryPoint],
        joints: Sequence[int],
        position: Sequence[float],
        velocity: Sequence[float],
        streamed: bool = False,
    ) -> None:
        """Lay the way through the points."""
        self.streamed = streamed
        self._times = [min(anchor_ns, points[0].due_ns - 1), *(point.due_ns for point in points)]
        self._segment = 0
        self.tracks: list[Track | None] = [None] * len(position)
        curved = all(point.velocity is not None for point in points)
        for column, joint in enumerate(joints):
            track = Track(
                [position[joint], *(point.position[column] for point in points)],
                [velocity[joint], *(point.velocity[column] for point in points)]
                if curved else None)
            if not streamed:
                track.measure_ahead(self._times)
            self.tracks[joint] = track

    @property
    def first_due_ns(self) -> int:
        """Return the instant of the first point."""
        return self._times[1]

    @property
    def end_ns(self) -> int:
        """Return the instant of the last point."""
        return self._times[-1]

    def advance(self, now_ns: int) -> tuple[int, float, float]:
        """
        Find the place of an instant on the way; instants must not go back.

        :returns: segment, fraction of the segment passed (0 to 1), seconds the segment lasts.
        """
        times = self._times
        last = len(times) - 2
        segment = self._segment
        while segment < last and now_ns >= times[segment + 1]:
            segment += 1
        self._segment = segment
        length = times[segment + 1] - times[segment]
        passed = min(max(now_ns - times[segment], 0), length)
        return segment, passed / length, length * 1e-9


def sample(track: Track, place: tuple[int, float, float]) -> float:
    """Return a joint's position (rad) at a place that `Path.advance` found."""
    segment, s, length = place
    start = track.positions[segment]
    end = track.positions[segment + 1]
    if s >= 1.0:
        return end
    if track.velocities is None:
        return start + (end - start) * s
    rest = 1.0 - s
    bend = rest * track.velocities[segment] - s * track.velocities[segment + 1]
    return (
        start + (end - start) * s * s * (3.0 - 2.0 * s)
        + s * rest * length * bend)
