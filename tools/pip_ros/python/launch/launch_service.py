# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The loop that visits launch descriptions and answers events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence
import os
import signal
import traceback

from ._console import Console
from ._console import Level
from ._supervisor import Supervisor
from .event import Event
from .events import Shutdown
from .launch_context import LaunchContext
from .launch_context import restore_environment
from .launch_description import LaunchDescription
from .launch_description_entity import LaunchDescriptionEntity

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
HANDLED = (*ENDING, signal.SIGTSTP)


class LaunchService:
    """Run launch descriptions until nothing is left to do."""

    def __init__(self, *, argv: Sequence[str] | None = None, noninteractive: bool = False,
                 debug: bool = False) -> None:
        self.console = Console(Level.DEBUG if debug else Level.INFO)
        self.context = LaunchContext(argv=list(argv or []), noninteractive=noninteractive)
        self._steps: deque[Callable[[], None]] = deque()
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._returncode = 0
        self._interrupted = False
        self.context.emit = self.emit_event
        self.context.supervisor = self._supervisor = Supervisor(
            self.console, self.context, self.do_later)

    def include_launch_description(self, description: LaunchDescription) -> None:
        """Queue a launch description to be visited."""
        self.do_later(lambda: self._visit(description))

    def emit_event(self, event: Event) -> None:
        """Queue an event."""
        self.do_later(lambda: self._answer(event))

    def do_later(self, step: Callable[[], None]) -> None:
        """Queue one step of the loop; any thread may call this."""
        self._steps.append(step)
        if self._loop is not None and self._wake is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def shutdown(self, force_sync: bool = False) -> None:
        """Begin the shutdown; `force_sync` is accepted and changes nothing."""
        self._shutdown('LaunchService.shutdown() called', due_to_sigint=False)

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """Run until idle or shut down; signals end it. Returns 1 after an exception, else 0."""
        handlers = {number: signal.getsignal(number) for number in HANDLED}
        try:
            return asyncio.run(self._run_with_signals(shutdown_when_idle))
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    async def run_async(self, *, shutdown_when_idle: bool = True) -> int:
        """Run in the caller's loop, leaving its signal handlers alone; returns as run()."""
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        environment = dict(os.environ)
        try:
            await self._work(shutdown_when_idle)
        finally:
            # Closing waits for stragglers, so it must not hold up the loop.
            await self._loop.run_in_executor(None, self._supervisor.close_group)
            self._supervisor.close()
            restore_environment(environment)
            self.console.close()
        return self._returncode

    async def _run_with_signals(self, shutdown_when_idle: bool) -> int:
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._interrupt, number)
        loop.add_signal_handler(signal.SIGTSTP, self._suspend)
        try:
            return await self.run_async(shutdown_when_idle=shutdown_when_idle)
        finally:
            # Nothing is left to end, and an impatient signal must not spoil the exit code.
            for number in HANDLED:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)

    async def _work(self, shutdown_when_idle: bool) -> None:
        assert self._wake is not None
        while True:
            self._wake.clear()
            while self._steps:
                self._do(self._steps.popleft())
            if not self._supervisor.busy:
                if self.context.is_shutdown:
                    return
                if shutdown_when_idle:
                    self._shutdown('idle', due_to_sigint=False)
                    continue
            await self._wake.wait()

    def _do(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # Whatever a launch file raises ends the launch in order.
            self.console.log(Level.DEBUG, 'launch', traceback.format_exc())
            self.console.log(Level.ERROR, 'launch', (
                f'Caught exception in launch (see debug for traceback): {error}'))
            self._returncode = 1
            self._shutdown(f'Caught exception in launch: {error}', due_to_sigint=False)

    def _visit(self, entity: LaunchDescriptionEntity) -> None:
        for child in entity.visit(self.context) or ():
            self._visit(child)

    def _answer(self, event: Event) -> None:
        if isinstance(event, Shutdown):
            if self.context.is_shutdown:
                return
            self.context.is_shutdown = True
        try:
            self.context.locals.push({'event': event})
            for handler in self.context.handlers_for(event):
                for entity in handler.handle(event, self.context):
                    self._visit(entity)
        finally:
            self.context.locals.pop()
            if isinstance(event, Shutdown):
                self._supervisor.stop_all()

    def _shutdown(self, reason: str, due_to_sigint: bool) -> None:
        self.emit_event(Shutdown(reason=reason, due_to_sigint=due_to_sigint))

    def _interrupt(self, number: signal.Signals) -> None:
        how = 'ctrl-c (SIGINT)' if number is signal.SIGINT else number.name
        again = ' again, ignoring...' if self._interrupted else ''
        self.console.log(Level.WARNING, 'launch', f'user interrupted with {how}{again}')
        if not self._interrupted:
            self._interrupted = True
            self._shutdown(how, due_to_sigint=number is signal.SIGINT)

    def _suspend(self) -> None:
        # The children are in a group of their own: what stops the launch must stop them.
        self._supervisor.signal_group(signal.SIGTSTP)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._supervisor.signal_group(signal.SIGCONT)
