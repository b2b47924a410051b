# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Child processes: their start, their output, their end."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable
from dataclasses import dataclass
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import IO

from ._console import Console
from ._console import Level
from ._console import Output

READ_BYTES = 65536
# A process that prints without ever ending a line must not fill the memory.
MAX_LINE_CHARS = 65536
GUARD = Path(__file__).with_name('_guard.py')


@dataclass(frozen=True)
class ProcessSpec:
    """All that is needed to start a process."""

    name: str
    cmd: tuple[str, ...]
    cwd: str | None
    env: dict[str, str]
    output: Output
    sigterm_timeout: str
    sigkill_timeout: str


class ProcessGroup:
    """
    The process group of a launch's children, led by a guard.

    The terminal's signals reach the launch alone, which passes each on once. The guard outlives
    the launch and ends whatever it leaves behind.
    """

    def __init__(self) -> None:
        self._guard = subprocess.Popen(
            [sys.executable, '-I', '-S', str(GUARD)], stdin=subprocess.PIPE, process_group=0)

    @property
    def number(self) -> int:
        """Return the group's id."""
        return self._guard.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal to everyone in the group."""
        os.killpg(self._guard.pid, number)

    def close(self) -> None:
        """End what is still in the group and wait until that is done."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()


class LineReader:
    """Cut what arrives on a pipe into lines."""

    def __init__(self, stream: IO[bytes], emit: Callable[[str], None]) -> None:
        self._stream = stream
        self._emit = emit
        self._decoder = codecs.getincrementaldecoder('utf-8')('replace')
        self._rest = ''
        os.set_blocking(stream.fileno(), False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(stream.fileno(), self.drain)

    def drain(self) -> None:
        """Take everything that can be read now."""
        while not self._stream.closed:
            try:
                data = os.read(self._stream.fileno(), READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self.close()
                return
            self._take(self._decoder.decode(data))

    def flush(self) -> None:
        """Give out an unfinished last line."""
        self._take(self._decoder.decode(b'', final=True))
        if self._rest:
            self._emit(self._rest)
            self._rest = ''

    def close(self) -> None:
        """Stop reading."""
        if not self._stream.closed:
            self._loop.remove_reader(self._stream.fileno())
            self._stream.close()
            self.flush()

    def _take(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split('\n')
        for line in lines:
            self._emit(line.removesuffix('\r'))
        if len(self._rest) > MAX_LINE_CHARS:
            self._emit(self._rest)
            self._rest = ''


class ChildProcess:
    """A running process of the launch."""

    def __init__(self, spec: ProcessSpec, group: ProcessGroup, console: Console,
                 on_exit: Callable[[ChildProcess, int], None]) -> None:
        """Start the process; raises OSError if it cannot be started."""
        self.spec = spec
        self._console = console
        self._on_exit = on_exit
        self._popen = subprocess.Popen(
            spec.cmd, cwd=spec.cwd, env=spec.env, process_group=group.number,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pid = self._popen.pid
        self._loop = asyncio.get_running_loop()
        self._escalation: asyncio.TimerHandle | None = None
        self._stopping = False
        try:
            self._pidfd = os.pidfd_open(self.pid)
        except OSError:
            self._popen.kill()
            self._popen.wait()
            raise

    def watch(self) -> None:
        """Begin to read output and to wait for the end."""
        output = self.spec.output
        self._readers = [
            self._reader(self._popen.stdout, output.stdout_on_screen, output.stdout_in_log),
            self._reader(self._popen.stderr, output.stderr_on_screen, output.stderr_in_log)]
        self._loop.add_reader(self._pidfd, self._ended)

    def stop(self) -> None:
        """Ask the process to end, and insist step by step."""
        if not self._stopping:
            self._stopping = True
            self.send(signal.SIGINT)
            self._later(float(self.spec.sigterm_timeout), self._terminate)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        if self._pidfd < 0:
            return
        name = self.spec.name
        self._log(Level.INFO, f"sending signal '{number.name}' to process[{name}]")
        try:
            signal.pidfd_send_signal(self._pidfd, number)
        except ProcessLookupError:
            # It has just ended; _ended() is about to run.
            return

    def close(self) -> None:
        """Let go of the pipes; for use after the end."""
        for reader in self._readers:
            reader.drain()
            reader.close()

    def _terminate(self) -> None:
        self._complain(self.spec.sigterm_timeout, signal.SIGINT, signal.SIGTERM)
        self.send(signal.SIGTERM)
        self._later(float(self.spec.sigkill_timeout), self._kill)

    def _kill(self) -> None:
        waited = float(self.spec.sigterm_timeout) + float(self.spec.sigkill_timeout)
        self._complain(str(waited), signal.SIGTERM, signal.SIGKILL)
        self.send(signal.SIGKILL)

    def _complain(self, seconds: str, after: signal.Signals, then: signal.Signals) -> None:
        self._log(Level.ERROR, (
            f"process[{self.spec.name}] failed to terminate '{seconds}' seconds after receiving "
            f"'{after.name}', escalating to '{then.name}'"))

    def _later(self, seconds: float, step: Callable[[], None]) -> None:
        self._escalation = self._loop.call_later(seconds, step)

    def _reader(self, stream: IO[bytes] | None, on_screen: bool, in_log: bool) -> LineReader:
        assert stream is not None
        return LineReader(stream, lambda line: self._console.process_line(
            self.spec.name, line, on_screen, in_log))

    def _ended(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        if self._escalation is not None:
            self._escalation.cancel()
        returncode = self._popen.wait()
        for reader in self._readers:
            # All that it wrote is in the pipes by now; a grandchild may keep them open.
            reader.drain()
            reader.flush()
        assert self._popen.stdin is not None
        self._popen.stdin.close()
        if returncode == 0:
            self._log(Level.INFO, f'process has finished cleanly [pid {self.pid}]')
        else:
            self._log(Level.ERROR, (
                f'process has died [pid {self.pid}, exit code {returncode}, '
                f"cmd '{' '.join(self.spec.cmd)}']."))
        self._on_exit(self, returncode)

    def _log(self, level: Level, text: str) -> None:
        self._console.log(level, self.spec.name, text)
