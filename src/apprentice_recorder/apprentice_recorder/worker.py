# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A thread that does one thing at a time: its own round, and what others ask for in between."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
import threading
import time
from typing import Any

from rclpy.executors import Executor
from rclpy.task import Future


class Refused(RuntimeError):
    """The worker has ended."""


class Worker:
    """
    Call `turn()` every period until stopped, and requests of other threads between two turns.

    An exception in a turn ends the thread and is handed to `failed`.
    """

    def __init__(
        self, period_s: float, turn: Callable[[], None], failed: Callable[[BaseException], None],
    ) -> None:
        """Keep the settings; nothing runs yet."""
        self._period_s = period_s
        self._turn = turn
        self._failed = failed
        self._requests: deque[tuple[Callable[[], Any], Future]] = deque()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name='recorder', daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask(self, function: Callable[[], Any], executor: Executor | None = None) -> Future:
        """Run a function in the thread; a coroutine of `executor` may await the result."""
        future = Future(executor=executor)
        self._requests.append((function, future))
        if self._ended.is_set():
            self._refuse()
        return future

    def stop(self, timeout_s: float) -> bool:
        """End the thread after its turn and the requests so far; tell whether it ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                begin = time.monotonic()
                self._turn()
                self._serve()
                left_s = self._period_s - (time.monotonic() - begin)
                if left_s > 0.0:
                    time.sleep(left_s)
            self._serve()
        except BaseException as error:
            self._stopping.set()
            self._failed(error)
        finally:
            self._ended.set()
            self._refuse()

    def _serve(self) -> None:
        while self._requests:
            function, future = self._requests.popleft()
            try:
                result = function()
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(result)

    def _refuse(self) -> None:
        try:
            while True:
                self._requests.popleft()[1].set_exception(
                    Refused('the recorder is being deactivated'))
        except IndexError:
            return
