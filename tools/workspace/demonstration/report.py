# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The demo's result as text and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from demonstration.measures import as_json
from demonstration.measures import Distribution
from demonstration.measures import interventions_of
from demonstration.measures import lags_of
from demonstration.measures import latencies_of
from demonstration.measures import Rate
from demonstration.measures import rate_of
from demonstration.records import Recording


@dataclass(frozen=True)
class Episode:
    """How one episode ended; times are ns of the system clock."""

    seed: int
    begin_ns: int
    end_ns: int
    cube_in_bin: bool

    @property
    def duration_s(self) -> float:
        """Duration, s."""
        return (self.end_ns - self.begin_ns) * 1e-9


@dataclass(frozen=True)
class Report:
    """Everything the demo measured; latencies and lags in ms."""

    episodes: tuple[Episode, ...]
    rates: Mapping[str, Rate]
    latencies: Mapping[str, Distribution]
    lags: Mapping[str, float]
    interventions: Mapping[str, int]
    bring_up_s: float

    @property
    def cubes(self) -> int:
        """Count the episodes that ended with the cube in the bin."""
        return sum(episode.cube_in_bin for episode in self.episodes)

    def to_json(self) -> object:
        """Return plain data."""
        return as_json({
            'bring_up_s': self.bring_up_s,
            'episodes': [
                {'seed': episode.seed, 'duration_s': episode.duration_s,
                 'cube_in_bin': episode.cube_in_bin} for episode in self.episodes],
            'rates': self.rates,
            'latencies_ms': self.latencies,
            'lags_ms': self.lags,
            'interventions': self.interventions,
        })


def make_report(
    recording: Recording, episodes: Sequence[Episode], bring_up_s: float,
) -> Report:
    """Measure a recording."""
    return Report(
        tuple(episodes),
        {stream.topic: rate_of(stream) for stream in recording.streams()},
        latencies_of(recording), lags_of(recording), interventions_of(recording.guard),
        bring_up_s)


def to_text(report: Report) -> str:
    """Lay the report out for a terminal."""
    lines = [f'Bring-up: first follower state after {report.bring_up_s:.1f} s', '', 'Episodes']
    for number, episode in enumerate(report.episodes, 1):
        outcome = 'cube in the bin' if episode.cube_in_bin else 'CUBE MISSED'
        lines.append(f'  {number}  {outcome:16} {episode.duration_s:5.1f} s  seed {episode.seed}')
    lines += ['', f'{"Rates":44}{"n":>7}{"Hz":>8}{"median":>9}{"p99":>9}{"lost":>6}']
    for topic, rate in report.rates.items():
        period = rate.period_ms
        lines.append(
            f'  {topic:42}{period.n:7}{rate.mean_hz:8.1f}{period.median:6.1f} ms'
            f'{period.p99:6.1f} ms{rate.lost:6}')
    lines += ['', f'{"Latencies":44}{"n":>7}{"":8}{"median":>9}{"p99":>9}']
    for name, delay in report.latencies.items():
        lines.append(
            f'  {name:42}{delay.n:7}{"":8}{delay.median:6.1f} ms{delay.p99:6.1f} ms')
    lines += ['', 'Lag of whole curves (20 ms of it are the lead that smooths the motion)']
    lines += [f'  {name:42}{lag:21.1f} ms' for name, lag in report.lags.items()]
    lines += ['', 'What the guard did or refused']
    lines += [f'  {name:42}{count:7}' for name, count in report.interventions.items()] \
        or ['  none']
    return '\n'.join(lines)
