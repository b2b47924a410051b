# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Programs that the demo starts, and that never outlive it."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
import ctypes
from functools import partial
import os
from pathlib import Path
import signal
import subprocess

PR_SET_PDEATHSIG = 1
# A driver may take 4 s to lower and release its arm, and launch another 5 s before it kills.
STOP_TIMEOUT_S = 15.0
_LIBC = ctypes.CDLL(None)


class Program:
    """A program in a session of its own, its output in a file."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str],
    ) -> None:
        """Start it; should this process die, it is told to end as by Ctrl-C."""
        self.log = log
        # An interrupt that hits the hooks of a fork would be swallowed.
        with log.open('wb') as output, _uninterrupted():
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=dict(environment), start_new_session=True,
                preexec_fn=partial(_end_with_parent, os.getpid()))

    @property
    def exit_code(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.poll()

    def tail(self, count: int = 25) -> str:
        """Return the last lines of its output."""
        text = self.log.read_text(encoding='utf-8', errors='replace')
        return '\n'.join(text.splitlines()[-count:])

    def stop(self) -> int:
        """End it as Ctrl-C does, kill what is left after a while, return its exit code."""
        with _uninterrupted():
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT_S)
            # Also ends children that outlived their parent.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            return self._process.wait()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold back an impatient second Ctrl-C until everything has ended."""
    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        # It died before this process could ask to be told.
        os._exit(1)
