# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What keeps a launch busy: its processes and its timers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import itertools
from pathlib import Path
import signal
from typing import TYPE_CHECKING

from ._console import Console
from ._console import Level
from ._processes import ChildProcess
from ._processes import ProcessGroup
from ._processes import ProcessSpec
from .events.process import ProcessExited
from .events.process import ProcessStarted
from .launch_description_entity import Action

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Supervisor:
    """Start processes and timers of one launch and end them with it."""

    def __init__(self, console: Console, context: LaunchContext,
                 do_later: Callable[[Callable[[], None]], None]) -> None:
        self.console = console
        self._context = context
        self._do_later = do_later
        self._numbers = itertools.count(1)
        self._waiting = 0
        self._running: list[ChildProcess] = []
        self._ended: list[ChildProcess] = []
        self._timers: set[asyncio.TimerHandle] = set()
        self._group: ProcessGroup | None = None
        self._files: list[str] = []

    @property
    def busy(self) -> bool:
        """Tell whether a process runs or a timer is due."""
        return bool(self._waiting or self._running or self._timers)

    def next_name(self, base: str) -> str:
        """Return a process name with the launch's next number."""
        return f'{base}-{next(self._numbers)}'

    def start(self, action: Action, spec: ProcessSpec) -> None:
        """Queue the start of a process."""
        self._waiting += 1
        self._do_later(lambda: self._start(action, spec))

    def call_later(self, seconds: float, step: Callable[[], None]) -> None:
        """Do a step after some time, unless the launch ends before."""
        def due() -> None:
            self._timers.discard(handle)
            self._do_later(step)

        handle = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(handle)

    def stop_all(self) -> None:
        """End all processes, the newest first, and drop all timers."""
        for handle in self._timers:
            handle.cancel()
        self._timers.clear()
        for child in reversed(self._running):
            child.stop()

    def remove_at_end(self, path: str) -> None:
        """Remove a file when the launch is over."""
        self._files.append(path)

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to all processes and what they started."""
        if self._group is not None:
            self._group.send(number)

    def close_group(self) -> None:
        """Wait until nothing started by this launch is left."""
        if self._group is not None:
            self._group.close()
            self._group = None

    def close(self) -> None:
        """Take the last output, let go of all pipes and remove temporary files."""
        for child in self._running + self._ended:
            child.close()
        for path in self._files:
            Path(path).unlink(missing_ok=True)

    def _start(self, action: Action, spec: ProcessSpec) -> None:
        self._waiting -= 1
        if self._context.is_shutdown:
            self.console.log(
                Level.DEBUG, spec.name, 'not started because the launch is shutting down')
            return
        if self._group is None:
            self._group = ProcessGroup()
        try:
            child = ChildProcess(spec, self._group, self.console, self._exited(action))
        except OSError as error:
            # Like upstream, which goes on without it.
            self.console.log(
                Level.ERROR, spec.name, f'exception occurred while executing process: {error}')
            return
        self._running.append(child)
        self.console.log(Level.INFO, spec.name, f'process started with pid [{child.pid}]')
        child.watch()
        self._context.emit_event_sync(ProcessStarted(**_details(action, child)))

    def _exited(self, action: Action) -> Callable[[ChildProcess, int], None]:
        def report(child: ChildProcess, returncode: int) -> None:
            self._running.remove(child)
            self._ended.append(child)
            self._context.emit_event_sync(
                ProcessExited(returncode=returncode, **_details(action, child)))
        return report


def _details(action: Action, child: ChildProcess) -> dict[str, object]:
    spec = child.spec
    return {'action': action, 'name': spec.name, 'cmd': spec.cmd, 'cwd': spec.cwd,
            'env': spec.env, 'pid': child.pid}
