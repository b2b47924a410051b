#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Record two replayed cameras and twelve joints with the recorder's own process.

Three parts, all by default: one long episode, many short ones, and encoders that are too slow.
With `--lerobot PYTHON` (an environment with lerobot 0.6.1) its recorder gets the same pictures.
"""
from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
import json
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from _common import CpuMeter
from _common import own_domain
from _common import Report
from _oracle import check
from _oracle import Verdict
from _pictures import COUNT
from _pictures import numbers_in
from _pictures import write_pictures
from _recorder import Operator
from _recorder import Recorder
from _recorder import SLOW_HZ
from _replay import CONTRACT
from _replay import FPS
from _replay import Replay
from _replay import STREAMS
from _replay import TASK
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
import rclpy

PARTS = ('long', 'short', 'slow')
GROUP = FPS // 2
GROWTH = 0.10
SAVE_LIMIT_MS = 100.0
LIMIT_AT_AN_END = 2
_MEMORY_S = 5.0
_MINUTE_S = 60.0
_CALM_S = 4.0
_CATCH_UP_S = 180.0


class Bench:
    """What every part needs: the domain, the replay, a folder."""

    def __init__(self, report: Report, environment: Mapping[str, str], folder: Path) -> None:
        """Write contract and pictures and begin to publish."""
        self.report, self.environment, self.folder = report, environment, folder
        (folder / 'contract.yaml').write_text(CONTRACT)
        sizes = write_pictures(folder / 'pictures')
        report.line(f'pictures of {min(sizes) / 1e3:.0f} to {max(sizes) / 1e3:.0f} kB')
        self.replay = Replay(environment, folder)

    @contextmanager
    def recorder(
        self, root: Path, slowed: Path | None = None,
    ) -> Iterator[tuple[Recorder, Operator]]:
        """Run a recorder that is ready to record, and who operates it."""
        recorder = Recorder(self.environment, self.folder, root, TASK, slowed)
        operator = Operator(root)
        try:
            operator.await_ready()
            yield recorder, operator
        except Exception:
            self.report.line(recorder.log())
            raise
        finally:
            operator.close()
            code = recorder.end()
        if not recorder.is_killed:
            self.report.bound(f'the recorder ended with 0, found {code}', code == 0)

    def delays(self, begin_ns: int, end_ns: int) -> None:
        """Say how punctual the replay was itself."""
        published = self.replay.published()
        for name in STREAMS:
            delays = published.delays_s(name, begin_ns, end_ns)
            self.report.row(f'replay of {name}: from stamp to publication', delays, 'ms', 1e3)


class Speed(NamedTuple):
    """How one recorded: rows a second, share of a core, seconds to save, pictures lost."""

    fps: float
    share: float
    save_s: float
    lost: int
    offered: int

    def __str__(self) -> str:
        """Return a line."""
        return (f'{self.fps:.2f} rows/s of {FPS}, {self.share:.0f} % of a core, save '
                f'{self.save_s:.2f} s, {self.lost} of {self.offered} pictures lost')


class Memory:
    """Resident memory of a recorder over time."""

    def __init__(self, recorder: Recorder, period_s: float) -> None:
        """Begin."""
        self._recorder, self._period_s = recorder, period_s
        self._begin = self._next = time.monotonic()
        self.samples: list[tuple[float, float]] = []

    def look(self) -> None:
        """Take a sample if it is time."""
        now = time.monotonic()
        if now >= self._next:
            self._next += self._period_s
            self.samples.append((now - self._begin, self._recorder.memory_mb()))

    def judge(self, report: Report, window_s: float) -> None:
        """Compare the median of the first seconds with that of the last."""
        end = self.samples[-1][0]
        first = _median([mb for at, mb in self.samples if at <= window_s])
        last = _median([mb for at, mb in self.samples if at >= end - window_s])
        report.line(f'resident memory of the recorder: {first:.1f} MB in the first {window_s:.0f} '
                    f's, {last:.1f} MB in the last, at most '
                    f'{max(mb for _, mb in self.samples):.1f} MB')
        report.bound(f'memory grows by less than {GROWTH:.0%}, found {last / first - 1:+.1%}',
                     last < first * (1.0 + GROWTH))


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def judge(report: Report, what: str, verdicts: Sequence[Verdict]) -> None:
    """Print whether episodes hold every sample in its row."""
    bad = [f'episode {index}: {verdict}' for index, verdict in enumerate(verdicts)
           if not verdict.is_whole]
    report.faults(bad)
    early, left = (max(getattr(one, name) for one in verdicts) for name in ('early', 'left'))
    report.line(f'at the ends at most {early} pictures from the start to the first row, {left} '
                'from the last row to the end')
    report.bound(f'{what}: 0 rows lost or held, 0 pictures lost or shifted, every joint right',
                 not bad)
    report.bound(f'{what}: at most {LIMIT_AT_AN_END} pictures at an end have no row',
                 max(early, left) <= LIMIT_AT_AN_END)


def check_files(report: Report, root: Path) -> None:
    """Print whether a dataset is valid."""
    problems = [str(problem) for problem in validate(root)]
    report.faults(problems)
    report.bound('the dataset is valid', not problems)


def long_episode(bench: Bench, minutes: float) -> Speed:
    """Record one episode."""
    report, root = bench.report, bench.folder / 'long'
    print(f'one episode of {minutes:g} minutes')
    with bench.recorder(root) as (recorder, operator):
        begun_ns = operator.start()
        memory = Memory(recorder, min(_MEMORY_S, minutes * _MINUTE_S / 12))
        cpu = CpuMeter({recorder.pid: 'recorder', bench.replay.pid: 'replay'})
        operator.spin(minutes * _MINUTE_S, memory.look)
        shares = cpu.shares()
        waited, gaps = operator.most_waiting, operator.gaps()
        asked_ns, save_s = operator.save()
    verdict = check(Dataset.open(root), 0, bench.replay.published(), begun_ns, asked_ns)
    bench.delays(begun_ns, asked_ns)
    report.line(f'{verdict}; messages that never came: {gaps}')
    for title, share in shares.items():
        report.line(f'{title}: {share:.0f} % of a core')
    report.line(f'save {save_s * 1e3:.0f} ms; pictures that waited for an encoder at most: '
                f'{waited}; {_megabytes(root):.1f} MB on disk')
    judge(report, 'long episode', [verdict])
    share = next(share for title, share in shares.items() if title.startswith('recorder'))
    report.bound(f'the recorder takes less than a core, found {share:.0f} %', share < 100.0)
    memory.judge(report, min(_MINUTE_S, minutes * _MINUTE_S / 3))
    check_files(report, root)
    seconds = (asked_ns - begun_ns) * 1e-9
    lost = sum(verdict.lost.values())
    return Speed(verdict.rows / seconds, share, save_s, lost,
                 2 * (verdict.rows + verdict.lost_rows))


def _megabytes(root: Path) -> float:
    return sum(path.stat().st_size for path in root.rglob('*') if path.is_file()) / 1e6


def short_episodes(bench: Bench, episodes: int, seconds: float) -> None:
    """Record many episodes."""
    report, root = bench.report, bench.folder / 'short'
    print(f'{episodes} episodes of {seconds:g} s')
    times, saves = [], []
    with bench.recorder(root) as (recorder, operator):
        cpu = CpuMeter({recorder.pid: 'recorder', bench.replay.pid: 'replay'})
        for _ in range(episodes):
            begun_ns = operator.start()
            operator.spin(seconds)
            asked_ns, save_s = operator.save()
            times.append((begun_ns, asked_ns))
            saves.append(save_s)
        shares = cpu.shares()
    dataset, published = Dataset.open(root), bench.replay.published()
    report.bound(f'{episodes} episodes are there, found {len(dataset.episodes)}',
                 len(dataset.episodes) == episodes)
    verdicts = [check(dataset, index, published, *when) for index, when in enumerate(times)]
    for title, share in shares.items():
        report.line(f'{title}: {share:.0f} % of a core')
    found = report.row('save, from the call to the answer', saves, 'ms', 1e3)
    report.line(f'the first {saves[0] * 1e3:.1f} ms, the last {saves[-1] * 1e3:.1f} ms')
    report.row('the first 20', saves[:20], 'ms', 1e3)
    report.row('the last 20', saves[-20:], 'ms', 1e3)
    report.bound(f'save p99 < {SAVE_LIMIT_MS:g} ms', found.p99 < SAVE_LIMIT_MS)
    judge(report, 'short episodes', verdicts)
    check_files(report, root)


def slow_encoders(bench: Bench, seconds: float, is_killed: bool) -> None:
    """Record with encoders too slow for a while, then kill the recorder or let it catch up."""
    report = bench.report
    root = bench.folder / ('killed' if is_killed else 'caught_up')
    switch = bench.folder / 'slow'
    print(f'encoders at {SLOW_HZ:g} pictures a second for {seconds:g} s, then '
          + ('SIGKILL' if is_killed else 'time to catch up'))
    with bench.recorder(root, switch) as (recorder, operator):
        begun_ns = operator.start()
        operator.spin(_CALM_S)
        memory = Memory(recorder, 0.5)
        operator.spin(_CALM_S, memory.look)
        switch.touch()
        operator.spin(seconds, memory.look)
        waiting = dict(zip(operator.status.cameras, operator.status.backlog))
        gaps = operator.gaps()
        if is_killed:
            recorder.kill()
            ended_ns = time.time_ns()
        switch.unlink()
        if not is_killed:
            caught_s = operator.spin_until(
                lambda: not sum(operator.status.backlog), _CATCH_UP_S, 'the encoders catch up')
            report.line(f'caught up after {caught_s:.1f} s')
            ended_ns, save_s = operator.save()
            report.line(f'save {save_s * 1e3:.0f} ms')
    report.line(f'pictures waiting at the height, by the status: {waiting}')
    expected = 0.7 * seconds * (FPS - SLOW_HZ)
    report.bound(f'the status shows the backlog, at least {expected:.0f} a camera',
                 len(waiting) == 2 and min(waiting.values()) >= expected)
    memory.judge(report, _CALM_S)
    begin = time.perf_counter()
    dataset = Dataset.open(root)
    opening_s = time.perf_counter() - begin
    verdict = check(dataset, 0, bench.replay.published(), begun_ns, ended_ns)
    report.line(f'{verdict}; messages that never came: {gaps}')
    bench.delays(begun_ns, ended_ns)
    if is_killed:
        report.line(f'opened in {opening_s:.2f} s: {"; ".join(dataset.repaired)}')
        report.faults([] if verdict.is_whole else [str(verdict)])
        report.bound('killed: every row that is there is right', verdict.is_whole)
        report.bound(f'killed: at most {GROUP} pictures published before have no row, found '
                     f'{verdict.left}', verdict.left <= GROUP)
    else:
        judge(report, 'caught up', [verdict])
    check_files(report, root)


def lerobot(report: Report, python: str, folder: Path, seconds: float, mode: str) -> Speed:
    """Let lerobot record the same pictures; return how it did."""
    root = folder / f'lerobot_{mode}'
    program = Path(__file__).with_name('_lerobot.py')
    result = subprocess.run(
        [python, str(program), str(folder / 'pictures'), str(root), str(seconds), mode],
        capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f'lerobot failed: {result.stderr.strip()[-600:]}')
    said = json.loads(result.stdout.strip().splitlines()[-1])
    taken = said['taken']
    lost = 0
    for name in ('front', 'wrist'):
        videos = sorted(root.glob(f'videos/observation.images.{name}/*/*.mp4'))
        shown = [number for video in videos for number in numbers_in(video)]
        expected = [(number + STREAMS[name].first) % COUNT for number in taken]
        # The numbers come round again, so that each counts as often as it was offered.
        lost += said['offered'] - (Counter(shown) & Counter(expected)).total()
        wrong = sum(a != b for a, b in zip(shown, expected)) + len(expected) - len(shown)
        report.line(f'lerobot, {mode}, {name}: {len(taken)} rows, {len(shown)} pictures in the '
                    f'video, {wrong} rows with another picture or none')
    return Speed(len(taken) / said['spent_s'], 100.0 * said['cpu_s'] / said['spent_s'],
                 said['save_s'], lost, 2 * said['offered'])


def beside_lerobot(report: Report, python: str, folder: Path, seconds: float, ours: Speed) -> None:
    """Print what lerobot does with the same pictures, and the ratio."""
    print(f'lerobot, {seconds:g} s, its pictures decoded beforehand, without ROS')
    report.line(f'ours: {ours}')
    for mode in ('default', 'streaming'):
        theirs = lerobot(report, python, folder, seconds, mode)
        report.line(f'lerobot, {mode}: {theirs}')
        report.line(f'ours against lerobot, {mode}: {ours.fps / theirs.fps:.2f} times the rows a '
                    f'second, {theirs.save_s / ours.save_s:.1f} times faster to save')


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=10.0, help='of the long episode')
    parser.add_argument('--episodes', type=int, default=200, help='how many short ones')
    parser.add_argument('--episode-seconds', type=float, default=1.0)
    parser.add_argument('--slow-seconds', type=float, default=20.0)
    for part in PARTS:
        parser.add_argument(f'--{part}', action='store_true', help='this part; default all')
    parser.add_argument('--lerobot', help='the Python that imports lerobot')
    parser.add_argument('--lerobot-seconds', type=float, default=30.0)
    parser.add_argument('--folder', help='where to record; a temporary folder by default')
    options = parser.parse_args()
    parts = [part for part in PARTS if getattr(options, part)] or list(PARTS)
    report = Report(f'live recording: {", ".join(parts)}')
    ours = None
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        with own_domain() as environment:
            rclpy.init()
            bench = Bench(report, environment, folder)
            try:
                if 'long' in parts:
                    ours = long_episode(bench, options.minutes)
                if 'short' in parts:
                    short_episodes(bench, options.episodes, options.episode_seconds)
                if 'slow' in parts:
                    for is_killed in (False, True):
                        slow_encoders(bench, options.slow_seconds, is_killed)
            finally:
                bench.replay.close()
                rclpy.try_shutdown()
        if options.lerobot and ours is not None:
            beside_lerobot(report, options.lerobot, folder, options.lerobot_seconds, ours)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
