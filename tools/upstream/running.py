# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Start `ros2 launch` at a terminal of its own, wait for a topic, press Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
import importlib
import os
from pathlib import Path
import pty
import signal
import threading
import time
import uuid

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data

MARK = 'APPRENTICE_PROOF_MARK'
UP_S, ENDED_S, GONE_S = 120.0, 45.0, 5.0
# Long enough for what starts later than the first topic.
SETTLED_S = 2.0
CTRL_C = b'\x03'


@dataclass(frozen=True)
class Outcome:
    """What became of one start; `problem` is empty if all was well."""

    up_s: float
    down_s: float
    exit_code: int | None
    left: tuple[str, ...]
    problem: str


class Terminal:
    """A command in a pseudo-terminal that is its controlling terminal, as in a user's shell."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        """Start the command; everything it starts carries a mark in its environment."""
        self._mark = f'{MARK}={uuid.uuid4().hex}'
        self._log = log
        name, value = self._mark.split('=')
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(command[0], command, {**environment, name: value})
            except OSError as error:
                os.write(2, f'{command[0]}: {error}\n'.encode())
            os._exit(127)
        self.exit_code: int | None = None
        threading.Thread(target=self._copy, daemon=True).start()

    def _copy(self) -> None:
        with self._log.open('wb') as log:
            while True:
                try:
                    data = os.read(self._descriptor, 65536)
                except OSError:  # what Linux says when the last writer is gone
                    break
                if not data:
                    break
                log.write(data)
                log.flush()

    def has_ended(self) -> bool:
        """Tell whether the command has ended, and keep its exit code."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None

    def press(self, keys: bytes) -> None:
        """Type at the terminal."""
        os.write(self._descriptor, keys)

    def living(self) -> dict[int, str]:
        """Return the command of each living process that it started, by process id."""
        found = {}
        for entry in Path('/proc').glob('[0-9]*'):
            try:
                marks = (entry / 'environ').read_bytes().split(b'\0')
                command = (entry / 'cmdline').read_bytes().replace(b'\0', b' ').decode().strip()
            except OSError:
                continue
            if self._mark.encode() in marks and command:
                found[int(entry.name)] = command
        return found

    def close(self) -> None:
        """Kill what is left and close the terminal."""
        for pid in self.living():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        wait(self.has_ended, GONE_S)
        os.close(self._descriptor)


class Listener:
    """Waits for the first message of a topic, whatever its type."""

    def __init__(self, domain: int) -> None:
        """Join the graph of a domain."""
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain)
        self._node = Node('proof', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)

    def hears(self, topic: str, give_up: Callable[[], bool]) -> bool:
        """Return whether a message came before `give_up` said so."""
        heard: list[bytes] = []
        subscribed = False
        while not heard and not give_up():
            self._executor.spin_once(timeout_sec=0.05)
            types = dict(self._node.get_topic_names_and_types()).get(topic)
            if types and not subscribed:
                package, _, name = types[0].partition('/msg/')
                kind = getattr(importlib.import_module(f'{package}.msg'), name)
                self._node.create_subscription(
                    kind, topic, heard.append, qos_profile_sensor_data, raw=True)
                subscribed = True
        return bool(heard)

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)


def wait(condition: Callable[[], bool], limit_s: float) -> bool:
    """Return whether the condition came true in time."""
    end = time.monotonic() + limit_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def run(command: list[str], topic: str, domain: int, folder: Path) -> Outcome:
    """Start a launch, wait for its topic, press Ctrl-C and see what is left."""
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(domain),
                   'ROS_LOG_DIR': str(folder / 'log'), 'XDG_RUNTIME_DIR': str(folder / 'run')}
    (folder / 'run').mkdir()
    listener = Listener(domain)
    begin = time.monotonic()
    terminal = Terminal(command, environment, folder / 'launch.log')
    try:
        problem = ''
        if topic and not listener.hears(
                topic, lambda: terminal.has_ended() or time.monotonic() > begin + UP_S):
            problem = f'no message on {topic}'
        up = time.monotonic() - begin
        if topic and not wait(terminal.has_ended, SETTLED_S):
            terminal.press(CTRL_C)
        pressed = time.monotonic()
        if not wait(terminal.has_ended, ENDED_S if topic else UP_S):
            problem = problem or f'did not end within {ENDED_S:g} s'
        down = time.monotonic() - pressed
        wait(lambda: not terminal.living(), GONE_S)
        left = tuple(terminal.living().values()) + tuple(
            str(path) for path in (folder / 'run').iterdir())
        if not problem and left:
            problem = 'left something behind'
        if not problem and terminal.exit_code != 0:
            problem = f'exit code {terminal.exit_code}'
        return Outcome(up, down, terminal.exit_code, left, problem)
    finally:
        terminal.close()
        listener.close()
