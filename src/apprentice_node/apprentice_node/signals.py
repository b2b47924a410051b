# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Turn SIGINT and SIGTERM into one request to stop that nothing can interrupt."""
from __future__ import annotations

from collections.abc import Callable
import os
import signal
import threading
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def exit_quietly_until_run() -> None:
    """Let a signal that arrives while the node's modules are imported end the process, quietly."""
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: os._exit(0))


class StopSignals:
    """
    Call back once on the first SIGINT or SIGTERM, from a thread of its own.

    The main thread may be inside a C call that no Python signal handler interrupts, so the
    interpreter's wake-up descriptor carries the signal. Later signals are swallowed: a release
    under way always finishes.
    """

    def __init__(self) -> None:
        """Install the handlers; call from the main thread."""
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._callback: Callable[[], None] | None = None
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._previous_fd = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._previous = {number: signal.signal(number, _ignore) for number in STOP_SIGNALS}
        self._thread = threading.Thread(target=self._watch, name='signals', daemon=True)
        self._thread.start()

    @property
    def stopped(self) -> bool:
        """Tell whether a signal has arrived."""
        return self._stopped.is_set()

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Call back when a signal arrives, at once if one has."""
        with self._lock:
            self._callback = callback
            if not self._stopped.is_set():
                return
        callback()

    def close(self) -> None:
        """Ignore further stop signals and end the thread."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(self._previous_fd)
        os.close(self._writer)
        self._thread.join()
        os.close(self._reader)

    def restore(self) -> None:
        """Close and give the signals back to whoever had them before."""
        self.close()
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _watch(self) -> None:
        while data := os.read(self._reader, 16):
            if not any(number in STOP_SIGNALS for number in data):
                continue
            with self._lock:
                first = not self._stopped.is_set()
                self._stopped.set()
                callback = self._callback
            if first and callback is not None:
                callback()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Keep the default action of the signal from happening."""
