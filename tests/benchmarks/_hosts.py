# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Two hosts on one machine: network, shared memory and /dev/shm of their own, and a cable between.

They share the file system, the processors and the clock.
"""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import ExitStack
import os
from pathlib import Path
import subprocess
import sys
from typing import Any
from typing import NamedTuple

from _common import StayedOut
from _common import until

ADDRESSES = {'robot': '10.77.0.1', 'desk': '10.77.0.2'}
DEVICE = 'cable0'
_PREPARE = ('mount -t tmpfs tmpfs /dev/shm && ip link set lo up && echo up && exec cat')
_KINDS = ('--net', '--mount', '--ipc')
_END_S = 20.0


class NoHosts(RuntimeError):
    """This machine does not let us make hosts; the text says why and what to do."""


class Cable(NamedTuple):
    """What the cable does to each frame: one-way delay, and the chance to lose it."""

    delay_ms: float = 0.0
    loss: float = 0.0


class Host:
    """One host; what is started on it sees its network only."""

    def __init__(self, name: str, inside: Sequence[str], own_user: bool) -> None:
        """Make it, below the user namespace that `inside` enters."""
        self.name, self.address = name, ADDRESSES[name]
        user = ['--user', '--map-root-user'] if own_user else []
        self._holder = subprocess.Popen(
            [*inside, 'unshare', *user, *_KINDS, 'sh', '-c', _PREPARE], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._holder.stdout and self._holder.stderr
        if self._holder.stdout.readline().strip() != 'up':
            raise NoHosts(
                f'no network namespace can be made here: {self._holder.stderr.read().strip()}. '
                'Run as root, or allow users their own namespaces (sysctl kernel.'
                'apparmor_restrict_unprivileged_userns=0), in a container with CAP_SYS_ADMIN')
        self.pid = self._holder.pid
        self._user = os.geteuid() != 0

    def command(self, *words: str, only_user: bool = False) -> list[str]:
        """Return the command that runs these words on the host, or in its user namespace only."""
        user = ['--user', '--preserve-credentials'] if self._user else []
        kinds = user if only_user else [*user, *_KINDS, '--wd']
        return ['nsenter', f'--target={self.pid}', *kinds, *words] if kinds else list(words)

    def start(
        self, *words: str, environment: Mapping[str, str], **options: Any,
    ) -> subprocess.Popen[Any]:
        """Start a process on the host."""
        return subprocess.Popen(self.command(*words), env=dict(environment), **options)

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a command on the host and return what it prints; StayedOut if it fails."""
        result = subprocess.run(
            self.command(*words), capture_output=True, text=True,
            env=None if environment is None else dict(environment))
        if result.returncode:
            raise StayedOut(f'{" ".join(words)}: {result.stderr.strip()[-2000:]}')
        return result.stdout

    def close(self) -> None:
        """Let it go; it vanishes with its last process."""
        self._holder.communicate()


@contextmanager
def two_hosts(cable: Cable = Cable()) -> Iterator[tuple[Host, Host]]:
    """Make the hosts robot and desk, and join them; NoHosts where that is not allowed."""
    with ExitStack() as stack:
        own_user = os.geteuid() != 0
        robot = Host('robot', [], own_user)
        stack.callback(robot.close)
        inside = robot.command(only_user=True)
        desk = Host('desk', inside, False)
        stack.callback(desk.close)
        if cable == Cable():
            robot.run('ip', 'link', 'add', DEVICE, 'type', 'veth', 'peer', 'name', DEVICE,
                      'netns', str(desk.pid))
        else:
            stack.callback(end, _relay(robot, desk, cable))
        for host in (robot, desk):
            host.run('ip', 'address', 'add', f'{host.address}/24', 'dev', DEVICE)
            host.run('ip', 'link', 'set', DEVICE, 'up')
        for host in (robot, desk):
            # A node takes the interfaces that run when it starts, and never looks again.
            until(lambda host=host: 'state DOWN' not in host.run('ip', 'link', 'show', DEVICE),
                  f'the cable of {host.name} runs')
        yield robot, desk


def _relay(robot: Host, desk: Host, cable: Cable) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        robot.command(sys.executable, str(Path(__file__).with_name('_cable.py')), str(robot.pid),
                      str(desk.pid), str(cable.delay_ms), str(cable.loss), only_user=True),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout and process.stderr
    if process.stdout.readline().strip() != 'up':
        raise NoHosts(f'no cable can be made here: {process.stderr.read().strip()[-300:]}. '
                      'The kernel needs TUN, and a container the device /dev/net/tun')
    return process


def end(process: subprocess.Popen[Any]) -> int:
    """End a process as SIGTERM does, its pipes closed first; return its exit code."""
    if process.poll() is None:
        process.terminate()
    try:
        process.communicate(timeout=_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return process.returncode
