# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A thread that runs a cycle at absolute deadlines, and other work between cycles."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
import threading
import time
from typing import TypeVar

from apprentice_node.priority import raise_priority
from apprentice_node.rates import DurationMonitor

Result = TypeVar('Result')

CALL_TIMEOUT_S = 5.0


class LoopError(Exception):
    """Report that the loop's thread does not answer."""


class Loop:
    """
    Call `cycle(now_ns)` every period, on the monotonic clock, in a thread of its own.

    A late cycle never shifts the later ones; deadlines that passed meanwhile are skipped and
    counted. An exception in a cycle ends the thread and is handed to `failed`.
    """

    def __init__(
        self, period_ns: int, cycle: Callable[[int], None],
        failed: Callable[[BaseException], None], phase: float = 0.0,
    ) -> None:
        """
        Keep the settings; nothing runs yet.

        Deadlines lie `phase` (0 to 1) of a period behind the multiples of the period on the
        monotonic clock, so that loops of one host keep their distance from each other.
        """
        self.period_ns = period_ns
        self.lateness = DurationMonitor()
        self.durations = DurationMonitor()
        self.skipped = 0
        self.priority = ''
        self._cycle = cycle
        self._failed = failed
        self._phase = phase
        self._calls: deque[tuple[Callable[[], object], Future]] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='bus', daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = CALL_TIMEOUT_S) -> None:
        """End the thread after the cycle under way; LoopError when it does not end in time."""
        self._stopping.set()
        if not self._thread.is_alive():
            return
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise LoopError(f'the bus thread did not end within {timeout_s:g} s')

    @property
    def running(self) -> bool:
        """Tell whether the thread is alive and not about to end."""
        return self._thread.is_alive() and not self._stopping.is_set()

    def call(self, function: Callable[[], Result], timeout_s: float = CALL_TIMEOUT_S) -> Result:
        """
        Run a function between two cycles and return what it returns or raise what it raises.

        LoopError when the thread has ended or does not come to it in time.
        """
        if not self.running:
            raise LoopError('the bus thread has ended')
        future: Future = Future()
        self._calls.append((function, future))
        try:
            return future.result(timeout_s)
        except FutureTimeoutError:
            future.cancel()
            raise LoopError(f'the bus thread did not answer within {timeout_s:g} s') from None

    def _run(self) -> None:
        self.priority = raise_priority()
        try:
            self._keep_time()
        except BaseException as error:
            self._stopping.set()
            self._failed(error)
        finally:
            while self._calls:
                self._calls.popleft()[1].cancel()

    def _keep_time(self) -> None:
        period_ns, cycle = self.period_ns, self._cycle
        deadline_ns = first_deadline_ns(time.monotonic_ns(), period_ns, self._phase)
        while not self._stopping.is_set():
            wait_ns = deadline_ns - time.monotonic_ns()
            if wait_ns > 0:
                time.sleep(wait_ns * 1e-9)
            now_ns = time.monotonic_ns()
            self.lateness.add(now_ns - deadline_ns)
            cycle(now_ns)
            while self._calls:
                _execute(*self._calls.popleft())
            end_ns = time.monotonic_ns()
            self.durations.add(end_ns - now_ns)
            deadline_ns += period_ns
            if end_ns > deadline_ns + period_ns:
                skipped = (end_ns - deadline_ns) // period_ns
                deadline_ns += skipped * period_ns
                self.skipped += skipped


def first_deadline_ns(now_ns: int, period_ns: int, phase: float) -> int:
    """Return the first deadline at least a period after now."""
    offset_ns = int(period_ns * phase)
    return now_ns - (now_ns - offset_ns) % period_ns + 2 * period_ns


def _execute(function: Callable[[], object], future: Future) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(result)
