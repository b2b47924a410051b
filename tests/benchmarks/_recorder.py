#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
A recorder in a process of its own, and who operates it.

Run as a program it is the recorder with encoders that a file's existence slows.
"""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import json
import os
from pathlib import Path
import resource
import signal
import subprocess
import sys
import time
from typing import Any

from _common import StayedOut

_SLOWED = 'APPRENTICE_SLOWED'
SLOW_HZ = 10.0
_READY_S = 40.0
_ANSWER_S = 120.0
_END_S = 30.0
_SPIN_S = 0.1


class Recorder:
    """The process."""

    def __init__(
        self, environment: Mapping[str, str], folder: Path, dataset: Path, task: str,
        slowed: Path | None = None,
    ) -> None:
        """Start the console script on `folder`/contract.yaml, or the one that `slowed` slows."""
        parameters = {'contract': str(folder / 'contract.yaml'), 'dataset': str(dataset),
                      'task': task}
        arguments = [part for name, value in parameters.items()
                     for part in ('-p', f'{name}:={json.dumps(value)}')]
        self._log = folder / f'{dataset.name}.log'
        with self._log.open('wb') as output:
            self._process = subprocess.Popen(
                [*_program(slowed), '--ros-args', *arguments], stdin=subprocess.DEVNULL,
                env={**environment, _SLOWED: str(slowed or '')}, stdout=output,
                stderr=subprocess.STDOUT)
        self.pid = self._process.pid
        self.is_killed = False

    def memory_mb(self) -> float:
        """Return the resident memory of the process; StayedOut if it has ended."""
        if self._process.poll() is not None:
            raise StayedOut(f'the recorder has ended with {self._process.returncode}')
        pages = int(Path(f'/proc/{self.pid}/statm').read_text().split()[1])
        return pages * resource.getpagesize() / 2 ** 20

    def log(self) -> str:
        """Return the end of what it has said."""
        return self._log.read_text(errors='replace')[-2000:]

    def kill(self) -> None:
        """Kill it where it stands."""
        self.is_killed = True
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """End it as Ctrl-C does; return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL


class Operator:
    """Call the services of the recorder of one dataset, and see its status."""

    def __init__(self, dataset: Path, namespace: str = '') -> None:
        """Join the graph; rclpy must be initialised."""
        from apprentice_msgs.msg import RecorderStatus
        from apprentice_msgs.srv import SaveEpisode
        from apprentice_msgs.srv import StartEpisode
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        self.status: RecorderStatus | None = None
        self.most_waiting: dict[str, int] = {}
        self._gaps_before: dict[str, int] = {}
        self._dataset = str(dataset)
        self._types = {'start': StartEpisode, 'save': SaveEpisode}
        self._node = rclpy.create_node(
            'operator', namespace=namespace or None, start_parameter_services=False)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._node.create_subscription(RecorderStatus, 'recorder/status', self._take, 1)
        self._services = {name: self._node.create_client(kind, f'recorder/{name}')
                          for name, kind in self._types.items()}

    def await_ready(self) -> None:
        """Wait until nothing is in the way of an episode."""
        self.spin_until(
            lambda: self.status is not None and not self.status.blocks
            and all(client.service_is_ready() for client in self._services.values()),
            _READY_S, 'the recorder is ready')

    def spin(self, seconds: float, every: Callable[[], None] | None = None) -> None:
        """Let time pass; call something after each wait."""
        end = time.monotonic() + seconds
        while (left_s := end - time.monotonic()) > 0.0:
            self._executor.spin_once(min(_SPIN_S, left_s))
            if every is not None:
                every()

    def spin_until(
        self, condition: Callable[[], object], timeout_s: float, what: str,
    ) -> float:
        """Wait until a condition holds; return for how long, StayedOut if it never did."""
        begin = time.monotonic()
        while not condition():
            if time.monotonic() - begin > timeout_s:
                raise StayedOut(f'{what}: waited {timeout_s:g} s; {self.status}')
            self._executor.spin_once(_SPIN_S)
        return time.monotonic() - begin

    def start(self) -> int:
        """Begin an episode; return when that was answered, in ns."""
        self._gaps_before = self._sequence_gaps()
        self._call('start')
        self.most_waiting = {}
        return time.time_ns()

    def save(self) -> tuple[int, float]:
        """End and save the episode; return when that was asked for, in ns, and the seconds."""
        asked_ns, begin = time.time_ns(), time.perf_counter()
        self._call('save')
        return asked_ns, time.perf_counter() - begin

    def gaps(self) -> dict[str, int]:
        """Return how many messages of the episode never came, by streams that lack any."""
        return {name: count - self._gaps_before.get(name, 0)
                for name, count in self._sequence_gaps().items()
                if count > self._gaps_before.get(name, 0)}

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()

    def _sequence_gaps(self) -> dict[str, int]:
        return {stream.name: stream.sequence_gaps for stream in self.status.streams}

    def _call(self, name: str) -> Any:
        future = self._services[name].call_async(self._types[name].Request())
        self._executor.spin_until_future_complete(future, _ANSWER_S)
        answer = future.result()
        if answer is None or not answer.success:
            raise StayedOut(f'{name}: {answer.message if answer else "no answer"}')
        return answer

    def _take(self, status: Any) -> None:
        if status.dataset != self._dataset:
            return
        self.status = status
        for camera, count in zip(status.cameras, status.backlog):
            self.most_waiting[camera] = max(count, self.most_waiting.get(camera, 0))


def _program(slowed: Path | None) -> list[str]:
    if slowed is not None:
        return [sys.executable, __file__]
    from ament_index_python.packages import get_package_prefix
    package = 'apprentice_recorder'
    return [str(Path(get_package_prefix(package), 'lib', package, 'recorder'))]


def _slow_down(switch: Path) -> None:
    """Make every video's encoder take a frame in no less than its share while a file is there."""
    from apprentice_dataset.mp4 import Mp4Writer
    write = Mp4Writer.write
    ready_at: dict[int, float] = {}

    def slowly(self: Mp4Writer, frame: Any) -> None:
        write(self, frame)
        if switch.exists():
            now = time.monotonic()
            due = max(ready_at.get(id(self), 0.0) + 1.0 / SLOW_HZ, now)
            ready_at[id(self)] = due
            time.sleep(due - now)

    Mp4Writer.write = slowly


def main() -> int:
    """Run the recorder."""
    from apprentice_recorder.main import recorder
    _slow_down(Path(os.environ[_SLOWED]))
    return recorder()


if __name__ == '__main__':
    sys.exit(main())
