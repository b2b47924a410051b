# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Where the lines of a launch go: the terminal and the launch's log file."""

from __future__ import annotations

from dataclasses import dataclass
import datetime
from enum import Enum
import os
from pathlib import Path
import socket
import sys
import time
from typing import TextIO


class Level(Enum):
    """Severity of a line that launch itself writes."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


@dataclass(frozen=True)
class Output:
    """Which of a process's streams go where."""

    stdout_on_screen: bool
    stderr_on_screen: bool
    stdout_in_log: bool
    stderr_in_log: bool

    @classmethod
    def parse(cls, name: str) -> Output:
        """Parse an action's `output`; raises ValueError naming the choices."""
        try:
            return OUTPUTS[name]
        except (KeyError, TypeError):
            raise ValueError(
                f"output={name!r}: expected one of {', '.join(OUTPUTS)}") from None


OUTPUTS = {
    'screen': Output(True, True, False, False),
    'log': Output(False, True, True, True),
    'both': Output(True, True, True, True),
}


class Console:
    """Write lines to standard output and to launch.log."""

    def __init__(self, level: Level = Level.INFO) -> None:
        self._level = level
        self._file: TextIO | None = None
        self._broken = False

    def open_log(self) -> None:
        """Start launch.log in a folder of its own and say where it is."""
        folder = log_root() / _folder_name()
        try:
            folder.mkdir(parents=True)
            self._file = (folder / 'launch.log').open('w', encoding='utf-8')
        except OSError as error:
            self.log(Level.WARNING, 'launch', f'no log file is written: {error}')
        else:
            self.log(Level.INFO, 'launch', f'All log files can be found below {folder}')
        self.log(Level.INFO, 'launch', f'Default logging verbosity is set to {self._level.name}')

    def close(self) -> None:
        """Close launch.log."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def log(self, level: Level, source: str, text: str) -> None:
        """Write a line of launch's own."""
        if level.value >= self._level.value:
            line = f'[{level.name}] [{source}]: {text}'
            self._on_screen(line)
            self._in_log(line)

    def process_line(self, name: str, line: str, on_screen: bool, in_log: bool) -> None:
        """Write a line that a process printed."""
        text = f'[{name}] {line}'
        if on_screen:
            self._on_screen(text)
        if in_log:
            self._in_log(text)

    def _on_screen(self, text: str) -> None:
        if self._broken:
            return
        try:
            sys.stdout.write(text + '\n')
            sys.stdout.flush()
        except UnicodeEncodeError:
            encoding = sys.stdout.encoding or 'ascii'
            self._on_screen(text.encode(encoding, 'backslashreplace').decode(encoding))
        except OSError:
            # The reader is gone (`| head`, a closed terminal): the robot matters more.
            self._broken = True

    def _in_log(self, text: str) -> None:
        if self._file is not None:
            try:
                self._file.write(f'{time.time():.7f} {text}\n')
                self._file.flush()
            except OSError as error:
                self._file = None
                self.log(Level.WARNING, 'launch', f'the log file ends here: {error}')


def log_root() -> Path:
    """Return the folder below which ROS keeps logs."""
    if os.environ.get('ROS_LOG_DIR'):
        return Path(os.environ['ROS_LOG_DIR']).expanduser()
    home = os.environ.get('ROS_HOME') or '~/.ros'
    return Path(home).expanduser() / 'log'


def _folder_name() -> str:
    now = datetime.datetime.now().strftime('%Y-%m-%d-%H-%M-%S-%f')
    return f'{now}-{socket.gethostname()}-{os.getpid()}'
