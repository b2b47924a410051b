# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
End what a launch leaves behind.

Run as a script: the leader of the process group in which a launch starts its processes. When
the pipe on standard input ends, whether the launch closed it or died, whoever is still in the
group gets SIGINT, SIGTERM and SIGKILL in turn. Only small imports: it starts with every launch.
"""

from __future__ import annotations

import os
import signal
import sys
import time

STEPS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
STEP_S = 5.0
POLL_S = 0.02
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP,
           signal.SIGTTOU)


def main() -> None:
    """Wait for the end of the launch, then clear the group."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    clear_group()


def clear_group() -> None:
    """Escalate until this process is alone in its group."""
    for number in STEPS:
        members = living_members()
        if not members:
            return
        report(f'{number.name} to what is left of the launch: {describe(members)}')
        for pid in members:
            send(pid, number)
        deadline = time.monotonic() + STEP_S
        while time.monotonic() < deadline:
            if not living_members():
                return
            time.sleep(POLL_S)


def living_members() -> list[int]:
    """Return the other processes in this group, zombies left out."""
    own, group = os.getpid(), os.getpgrp()
    found = []
    for entry in os.listdir('/proc'):
        if entry.isdigit() and int(entry) != own:
            state = read_state(int(entry))
            if state is not None and state == (group, True):
                found.append(int(entry))
    return found


def read_state(pid: int) -> tuple[int, bool] | None:
    """Return a process's group and whether it still runs, or None if there is no such process."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            fields = file.read().rpartition(')')[2].split()
    except OSError:
        return None
    return int(fields[2]), fields[0] not in 'ZX'


def describe(pids: list[int]) -> str:
    """Return ids and programs for a message."""
    texts = []
    for pid in pids:
        try:
            with open(f'/proc/{pid}/cmdline', encoding='utf-8', errors='replace') as file:
                # The second word is the script where the first is an interpreter.
                words = [os.path.basename(word) for word in file.read().split(chr(0))[:2]]
            texts.append(f"{pid} ({' '.join(words).strip()})")
        except OSError:
            texts.append(str(pid))
    return ', '.join(texts)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone by now."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def report(text: str) -> None:
    """Write to standard error, if anyone still holds its other end."""
    try:
        os.write(2, f'[WARNING] [launch]: {text}\n'.encode())
    except OSError:
        pass


if __name__ == '__main__':
    sys.exit(main())
