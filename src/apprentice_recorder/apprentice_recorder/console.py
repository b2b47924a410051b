# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keyboard console of a recorder: shows its status, calls its services."""
from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
import os
import select
import shutil
import signal
import sys
import termios
import time
import tty
from typing import Any

from apprentice_msgs.msg import RecorderStatus
from apprentice_msgs.srv import LabelEpisode
from apprentice_msgs.srv import SaveEpisode
from apprentice_msgs.srv import StartEpisode
from apprentice_recorder.screen import fit
from apprentice_recorder.screen import Key
from apprentice_recorder.screen import key_of
from apprentice_recorder.screen import render
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

ANSWER_S = 60.0
SILENT_S = 3.0
_PERIOD_S = 0.05
_SERVICES = {'start': StartEpisode, 'save': SaveEpisode, 'discard': Trigger,
             'label': LabelEpisode}
_LABELS = {Key.SUCCESS: SaveEpisode.Request.SUCCESS, Key.FAILURE: SaveEpisode.Request.FAILURE}


class Console(Node):
    """A client of one recorder; the relative names follow a namespace."""

    def __init__(self) -> None:
        """Connect; nothing is shown before the first status."""
        super().__init__('recorder_console')
        self.status: RecorderStatus | None = None
        self._heard = 0.0
        self.said = 'waiting for recorder/status: does the recorder run on this ROS_DOMAIN_ID?'
        self._clients_of = {
            name: self.create_client(kind, f'recorder/{name}')
            for name, kind in _SERVICES.items()}
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self.create_subscription(RecorderStatus, 'recorder/status', self._take, 1)

    def spin(self, seconds: float) -> None:
        """Take what comes within so many seconds."""
        self._executor.spin_once(seconds)

    def press(self, key: Key) -> bool:
        """Do what a key asks for; tell whether the console goes on."""
        state = self.status.state if self.status else RecorderStatus.IDLE
        if key is Key.QUIT:
            return False
        if key is Key.START:
            self._call('start', StartEpisode.Request())
        elif key is Key.SAVE:
            self._call('save', SaveEpisode.Request())
        elif key is Key.FORCE:
            self._call('save', SaveEpisode.Request(force=True))
        elif key in _LABELS and state != RecorderStatus.IDLE:
            self._call('save', SaveEpisode.Request(
                label=_LABELS[key], force=state == RecorderStatus.REVIEW))
        elif key in _LABELS:
            self._call('label', LabelEpisode.Request(label=_LABELS[key]))
        elif key is Key.DISCARD:
            self._call('discard', Trigger.Request())
        elif key is Key.AGAIN and self._call('discard', Trigger.Request()):
            self._call('start', StartEpisode.Request())
        return True

    def start(self, task: str) -> bool:
        """Start an episode with a task; tell whether it began."""
        return self._call('start', StartEpisode.Request(task=task))

    def lines(self, width: int) -> list[str]:
        """Return what to show."""
        if self.status is None:
            return fit(self.said, width)
        silent_s = time.monotonic() - self._heard
        if silent_s > SILENT_S:
            return fit(f'nothing from the recorder for {silent_s:.0f} s: has it ended?   q quit',
                       width)
        # What the recorder did is in its status already.
        said = '' if self.said == self.status.last else self.said
        return [*render(self.status, width), *fit(said, width)]

    def _take(self, status: RecorderStatus) -> None:
        if self.status is None:
            self.said = ''
        self.status = status
        self._heard = time.monotonic()

    def _call(self, name: str, request: Any) -> bool:
        client = self._clients_of[name]
        if not client.service_is_ready():
            self.said = f'recorder/{name} is not there: has the recorder ended?'
            return False
        future = client.call_async(request)
        self._executor.spin_until_future_complete(future, ANSWER_S)
        answer = future.result()
        if answer is None:
            self.said = f'recorder/{name} did not answer within {ANSWER_S:g} s'
            return False
        self.said = answer.message
        return answer.success


@contextmanager
def _raw_keyboard() -> Iterator[None]:
    """Let each key through at once; the terminal is put back whatever happens."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        sys.stdout.write('\033[?25h\n')
        sys.stdout.flush()


def _read_key(seconds: float) -> str:
    return _read_bytes(seconds).decode(errors='replace')


def _read_bytes(seconds: float) -> bytes:
    if not select.select([sys.stdin], [], [], seconds)[0]:
        return b''
    return os.read(sys.stdin.fileno(), 8)


def _ask_task(console: Console) -> None:
    """Read a line with the keyboard as it was, then start with it."""
    sys.stdout.write('\033[?25h\ntask: ')
    sys.stdout.flush()
    decoder = codecs.getincrementaldecoder('utf-8')(errors='replace')
    text = ''
    while not text.endswith(('\r', '\n')):
        typed = decoder.decode(_read_bytes(_PERIOD_S))
        console.spin(0.0)
        for letter in typed:
            text = text[:-1] if letter in '\x7f\x08' else text + letter
        sys.stdout.write(f'\r\033[Ktask: {text.strip()}')
        sys.stdout.flush()
    if text.strip():
        console.start(text.strip())


def _draw(lines: list[str]) -> None:
    sys.stdout.write('\033[?25l\033[H' + '\033[K\r\n'.join(lines) + '\033[K\033[J')
    sys.stdout.flush()


def run() -> int:
    """Run until q, Ctrl-C or the end of ROS; 2 where there is no terminal."""
    if not sys.stdin.isatty():
        print('console: standard input is not a terminal; use the services recorder/start, '
              'save, discard and label instead', file=sys.stderr)
        return 2
    # The terminal must be put back; nothing else ends this process on a signal.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    console = Console()
    try:
        with _raw_keyboard():
            sys.stdout.write('\033[2J')
            while True:
                console.spin(_PERIOD_S)
                _draw(console.lines(shutil.get_terminal_size().columns))
                typed = _read_key(0.0)
                state = console.status.state if console.status else -1
                key = key_of(state, typed) if typed else None
                if key is Key.TASK:
                    _ask_task(console)
                elif (key and not console.press(key)) or (typed in ('q', '\x03') and not key):
                    return 0
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    finally:
        console.destroy_node()
        rclpy.try_shutdown()
