# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What `ws` says, and how it runs other programs."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
import subprocess
import sys
import threading
import time


class WorkspaceError(Exception):
    """Something that `ws` cannot go on without; the text says what to do."""


def step(text: str) -> None:
    """Say what begins now."""
    print(f'-- {text}', flush=True)


@contextmanager
def timed(text: str) -> Iterator[None]:
    """Say what begins, count the seconds on a terminal, and say how long it took."""
    begin = time.monotonic()
    done = threading.Event()

    def tick() -> None:
        while not done.wait(1.0):
            sys.stdout.write(f'\r-- {text} ({time.monotonic() - begin:.0f} s)')
            sys.stdout.flush()

    step(text)
    ticker = threading.Thread(target=tick, daemon=True)
    if sys.stdout.isatty():
        ticker.start()
    try:
        yield
    finally:
        done.set()
        if ticker.is_alive():
            ticker.join()
            sys.stdout.write('\r\033[K')
    print(f'   done in {time.monotonic() - begin:.1f} s', flush=True)


def run(command: Sequence[str], what: str, env: Mapping[str, str] | None = None) -> str:
    """Run a program quietly and return its output; on failure raise with the end of it."""
    result = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        tail = '\n'.join(result.stdout.strip().splitlines()[-25:])
        raise WorkspaceError(
            f'{what} failed (exit status {result.returncode}) in: {" ".join(command)}\n{tail}')
    return result.stdout
