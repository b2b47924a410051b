# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Numbers computed from a recording."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from demonstration.records import Arrival
from demonstration.records import GuardSample
from demonstration.records import JointStream
from demonstration.records import Recording
from demonstration.records import Stream
import numpy as np

MS = 1e-6
GRID_NS = 5_000_000
LONGEST_LAG_NS = 300_000_000
# A joint that hardly moves says nothing about delay.
LEAST_MOTION_RAD = 0.05


class Distribution(NamedTuple):
    """Count, median and 99th percentile."""

    n: int
    median: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Distribution:
        """Summarise; zeros when there is nothing."""
        if len(values) == 0:
            return cls(0, 0.0, 0.0)
        return cls(len(values), float(np.median(values)), float(np.percentile(values, 99)))


@dataclass(frozen=True)
class Rate:
    """A stream's rate: mean in Hz, time between stamps in ms, messages that never came."""

    mean_hz: float
    period_ms: Distribution
    lost: int


def rate_of(stream: Stream) -> Rate:
    """Measure a stream by its stamps and its publication sequence numbers."""
    arrivals = stream.arrivals
    if len(arrivals) < 2:
        return Rate(0.0, Distribution.of(()), 0)
    stamps = np.array([arrival.stamp_ns for arrival in arrivals])
    span_s = (stamps[-1] - stamps[0]) * 1e-9
    mean_hz = (len(stamps) - 1) / span_s if span_s > 0 else 0.0
    return Rate(mean_hz, Distribution.of(np.diff(stamps) * MS), lost_of(arrivals))


def lost_of(arrivals: Sequence[Arrival]) -> int:
    """Count gaps in the publication sequence numbers."""
    numbers = [arrival.number for arrival in arrivals]
    return numbers[-1] - numbers[0] + 1 - len(numbers) if numbers else 0


def latencies_of(recording: Recording) -> dict[str, Distribution]:
    """Return delays in ms by what they lie between."""
    commands = recording.commands.arrivals
    delays = {
        'leader measured -> command sent': [
            (arrival.sent_ns - arrival.stamp_ns) * MS for arrival in commands],
        'leader measured -> next goal written': _to_next_goal(commands, recording.goals.arrivals),
    }
    for name, camera in recording.cameras.items():
        delays[f'{name} exposed -> received here'] = [
            (arrival.received_ns - arrival.stamp_ns) * MS for arrival in camera.arrivals]
    return {name: Distribution.of(values) for name, values in delays.items()}


def lags_of(recording: Recording) -> dict[str, float]:
    """
    Return how far goals and measured positions trail the leader's curve, ms.

    The shift with the smallest squared difference, over all joints that follow by angle.
    """
    leader = recording.leader
    return {
        'goals behind the leader': lag_between(leader, recording.goals),
        'follower behind the leader': lag_between(leader, recording.follower),
    }


def lag_between(first: JointStream, second: JointStream, skip: str = 'gripper') -> float:
    """Return by how many ms the second stream's curves trail the first's; NaN if none moves."""
    names = [name for name in first.names if name in second.names and name != skip]
    moving = []
    for name in names:
        curve = _curve(first, name)
        if len(curve[1]) > 1 and np.ptp(curve[1]) >= LEAST_MOTION_RAD:
            moving.append((curve, _curve(second, name)))
    if not moving:
        return float('nan')
    lags_ns = np.arange(0, LONGEST_LAG_NS, GRID_NS // 2)
    errors = [sum(_difference(a, b, lag) for a, b in moving) for lag in lags_ns]
    return float(lags_ns[int(np.argmin(errors))] * MS)


def interventions_of(guard: Sequence[GuardSample]) -> dict[str, int]:
    """Count what the guard did during the recording, by reason."""
    if not guard:
        return {}
    before, after = guard[0].counters, guard[-1].counters
    counts = {name: after[name] - before.get(name, 0) for name in after}
    return {name: count for name, count in counts.items() if count}


def as_json(value: object) -> object:
    """Return plain lists and dicts, numbers rounded."""
    if isinstance(value, Distribution):
        return as_json(value._asdict())
    if isinstance(value, Rate):
        return as_json(vars(value))
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 3)
    return value


def _to_next_goal(commands: Sequence[Arrival], goals: Sequence[Arrival]) -> list[float]:
    written = [goal.stamp_ns for goal in goals]
    delays = []
    for command in commands:
        index = bisect_left(written, command.received_ns)
        if index < len(written):
            delays.append((written[index] - command.stamp_ns) * MS)
    return delays


def _curve(stream: JointStream, name: str) -> tuple[np.ndarray, np.ndarray]:
    column = stream.names.index(name)
    count = min(len(stream.arrivals), len(stream.positions))
    times = np.array([arrival.stamp_ns for arrival in stream.arrivals[:count]])
    return times, np.array([row[column] for row in stream.positions[:count]])


def _difference(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray], lag_ns: int,
) -> float:
    begin = max(first[0][0], second[0][0]) + LONGEST_LAG_NS
    grid = np.arange(begin, min(first[0][-1], second[0][-1]), GRID_NS)
    # A constant offset (backlash, sag under load) is no delay.
    gap = np.interp(grid, *second) - np.interp(grid - lag_ns, *first)
    return float(np.sum((gap - gap.mean()) ** 2)) if len(grid) else 0.0
