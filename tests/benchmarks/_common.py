# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: figures, verdicts, and the launched robot with its processes."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import time
from typing import NamedTuple
import uuid

from domain_coordinator import domain_id

JOINTS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
NS = 1e-9
# Marks every process of a launch, however it was started and whoever adopted it.
_MARK = 'APPRENTICE_BENCHMARK'
_TICKS_PER_S = os.sysconf('SC_CLK_TCK')
_END_S = 15.0
_FAULTS = 20


class Figures(NamedTuple):
    """Describe a sample of one quantity."""

    n: int
    median: float
    p99: float
    max: float


def figures(values: Sequence[float]) -> Figures:
    """Return the figures of a sample; SystemExit when it is empty."""
    if not values:
        raise SystemExit('nothing was measured')
    ordered = sorted(values)
    n = len(ordered)
    return Figures(n, ordered[n // 2], ordered[min(n - 1, int(n * 0.99))], ordered[-1])


class Report:
    """Print lines and verdicts; `code` is the exit code that they come to."""

    def __init__(self, title: str) -> None:
        """Say what is measured and how busy the machine is already."""
        self.code = 0
        print(f'{title}; {os.cpu_count()} cores, load average {os.getloadavg()[0]:.2f}')

    def row(self, what: str, values: Sequence[float], unit: str, scale: float = 1.0) -> Figures:
        """Print the figures of a sample, scaled to the unit, and return them."""
        found = figures([value * scale for value in values])
        print(f'  {what}: n {found.n}, median {found.median:.2f} {unit}, '
              f'p99 {found.p99:.2f} {unit}, max {found.max:.2f} {unit}')
        return found

    def line(self, text: str) -> None:
        """Print a line."""
        print(f'  {text}')

    def faults(self, faults: Sequence[str]) -> None:
        """Print what went wrong, shortened."""
        for fault in faults[:_FAULTS]:
            print(f'  FAULT: {fault}')
        if len(faults) > _FAULTS:
            print(f'  and {len(faults) - _FAULTS} more faults')

    def bound(self, what: str, kept: bool) -> None:
        """Print whether a bound was kept."""
        print(f'  {"kept" if kept else "MISSED"}: {what}')
        if not kept:
            self.code = 1

    def end(self) -> int:
        """Say how busy the machine was at the end and return the exit code."""
        print(f'  load average at the end {os.getloadavg()[0]:.2f}', flush=True)
        return self.code


class StayedOut(RuntimeError):
    """
    Report that something awaited did not happen.

    Not a TimeoutError: domain_coordinator takes every OSError for a domain in use.
    """


def until(
    condition: Callable[[], object], what: str, timeout_s: float = 10.0,
    describe: Callable[[], str] = str,
) -> None:
    """Wait until the condition holds; StayedOut says what stayed out and `describe()`."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise StayedOut(f'{what}: waited {timeout_s:g} s {describe()}'.rstrip())
        time.sleep(0.002)


def memory_folder() -> str | None:
    """Return a folder in memory, where writing never waits for a disk; None: there is none."""
    return '/dev/shm' if os.access('/dev/shm', os.W_OK) else None


@contextmanager
def own_domain() -> Iterator[Mapping[str, str]]:
    """Take a ROS domain that no other test uses; yield the environment for processes in it."""
    before = os.environ.get('ROS_DOMAIN_ID')
    with domain_id() as domain:
        os.environ['ROS_DOMAIN_ID'] = str(domain)
        try:
            yield dict(os.environ)
        finally:
            if before is None:
                del os.environ['ROS_DOMAIN_ID']
            else:
                os.environ['ROS_DOMAIN_ID'] = before


class Launched:
    """A `ros2 launch` in a session of its own, as in a terminal, and all that it started."""

    def __init__(
        self, environment: Mapping[str, str], *arguments: str, log: Path | None = None,
        file: str = 'teleop.launch.py',
    ) -> None:
        """Start a launch file of so100_bringup in simulation."""
        mark = uuid.uuid4().hex
        self._mark = f'{_MARK}={mark}'.encode()
        self.started = time.monotonic()
        out = subprocess.DEVNULL if log is None else log.open('w', encoding='utf-8')
        self.process = subprocess.Popen(
            ['ros2', 'launch', 'so100_bringup', file, 'hardware:=sim', *arguments],
            env={**environment, _MARK: mark}, stdout=out, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True)

    def processes(self) -> dict[int, str]:
        """Return the ids and titles of everything alive that descends from the launch."""
        found = {}
        for folder in Path('/proc').glob('[0-9]*'):
            try:
                environment = (folder / 'environ').read_bytes().split(b'\0')
                words = (folder / 'cmdline').read_bytes().split(b'\0')
            except OSError:
                continue
            if self._mark in environment and words != [b'']:
                found[int(folder.name)] = _title(words)
        return found

    def interrupt(self) -> None:
        """Do what Ctrl-C in a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def close(self) -> None:
        """End everything, politely first."""
        if self.process.poll() is None:
            self.interrupt()
            try:
                self.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in self.processes():
            kill(pid, signal.SIGKILL)


def _title(words: Sequence[bytes]) -> str:
    text = b' '.join(words).decode(errors='replace')
    if 'keeper_process' in text:
        return 'keeper'
    names = [word.partition('__ns:=')[2] or word.partition('__node:=')[2]
             for word in text.split() if '__ns:=' in word or '__node:=' in word]
    executables = [word for word in text.split() if '/lib/' in word or word.endswith('ros2')]
    name = Path(executables[0]).name if executables else words[0].decode()
    where = ''.join(part for part in names if part.startswith('/'))
    return f'{name} {where}'.strip()


def kill(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


class CpuMeter:
    """Measure the processor time of processes from now on."""

    def __init__(self, processes: Mapping[int, str]) -> None:
        """Begin."""
        self._processes = dict(processes)
        self._begin = time.monotonic()
        self._at_begin = {pid: _cpu_s(pid) for pid in processes}
        self._busy_at_begin = _busy_s()

    def shares(self) -> dict[str, float]:
        """Return percent of a core by title since the beginning, and of everything else."""
        passed = time.monotonic() - self._begin
        shares = {f'{title} ({pid})': 100.0 * (_cpu_s(pid) - self._at_begin[pid]) / passed
                  for pid, title in self._processes.items()}
        all_of_it = 100.0 * (_busy_s() - self._busy_at_begin) / passed
        return {**shares, 'everything else on the machine': all_of_it - sum(shares.values())}


def _busy_s() -> float:
    """Return the processor time of the whole machine that was not idle."""
    user, nice, system, _idle, _wait, interrupts, soft, stolen = map(
        int, Path('/proc/stat').read_text().split('\n')[0].split()[1:9])
    return (user + nice + system + interrupts + soft + stolen) / _TICKS_PER_S


def _cpu_s(pid: int) -> float:
    try:
        text = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return 0.0
    fields = text.rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
