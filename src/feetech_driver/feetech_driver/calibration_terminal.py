# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The user's side of a calibration on a terminal, a pipe, or nobody's: a table and one key."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import os
import select
import shutil
import signal
import sys
import termios
import threading
import time
import tty
from types import TracebackType
from typing import TextIO

from apprentice_node.signals import StopSignals
from feetech_driver.calibration_plan import Phase
from feetech_driver.calibration_plan import PlanError
from feetech_driver.calibration_plan import Row
from feetech_driver.calibration_screen import headline
from feetech_driver.calibration_screen import line
from feetech_driver.calibration_screen import table
from feetech_driver.console import wrapped

_REDRAW_S = 0.05
_LINE_S = 2.0
_STOP_KEY = 'q'


class Terminal:
    """
    A Front on standard input and output.

    `seconds` by phase make it need nobody: each phase is confirmed when its time is over.
    """

    def __init__(self, seconds: Mapping[Phase, float] | None, plain: bool) -> None:
        """Take the terminal as it is; nothing is changed before the context is entered."""
        self._seconds = seconds
        self._redraw = not plain and sys.stdout.isatty() and os.environ.get('TERM') != 'dumb'
        self._keys = seconds is None and sys.stdin.isatty()
        self._before: list | None = None
        self._signals: StopSignals | None = None
        self._stop = threading.Event()
        self._phase = Phase.CONNECT
        self._prompt = ''
        self._began = self._shown = 0.0
        self._height = 0
        self._lines: list[str] = []

    def __enter__(self) -> Terminal:
        """Let each key through at once, and turn signals into a wish to stop."""
        self._signals = StopSignals()
        signal.signal(signal.SIGHUP, lambda *_: self._stop.set())
        if self._keys:
            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the terminal back as it was."""
        self._signals.close()
        if self._before is not None:
            try:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)
            except termios.error:
                return  # the terminal is gone, and so is what there was to put back

    # Front --------------------------------------------------------------------------------

    def tell(self, text: str) -> None:
        """Print above the table."""
        self._print(text, sys.stdout)

    def warn(self, text: str) -> None:
        """Print above the table, as a warning."""
        self._print(f'WARNING {text}', sys.stderr)

    def begin(self, phase: Phase, prompt: str) -> None:
        """Begin a phase; what was typed before does not confirm it."""
        self._phase, self._prompt = phase, prompt
        self._began = time.monotonic()
        self._shown = 0.0
        self._erase()
        if self._keys and phase.waits:
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
        if not self._redraw or not phase.waits:
            self._print(headline(phase, prompt, self._left()), sys.stdout)

    def show(self, rows: Sequence[Row]) -> None:
        """Draw the table again, or print a line now and then where that is impossible."""
        now = time.monotonic()
        if now - self._shown < (_REDRAW_S if self._redraw else _LINE_S):
            return
        self._shown = now
        if not self._redraw:
            self._write(sys.stdout, line(rows) + '\n')
            return
        size = shutil.get_terminal_size()
        lines = table(self._phase, self._prompt, rows, size.columns - 1, self._left())
        lines = lines[:size.lines - 1]
        if lines != self._lines:
            self._erase()
            self._write(sys.stdout, '\n'.join(lines) + '\n')
            self._lines, self._height = lines, len(lines)

    def confirmed(self) -> bool:
        """Tell whether Enter was pressed, or the time is over."""
        if self._seconds is not None:
            left_s = self._left()
            return left_s is not None and left_s <= 0.0
        typed = self._typed()
        if _STOP_KEY in typed:
            self._stop.set()
            return False
        return '\n' in typed or '\r' in typed

    def stopped(self) -> bool:
        """Tell whether a signal or q came, or the terminal is gone."""
        return self._stop.is_set() or self._signals.stopped

    # For the program ----------------------------------------------------------------------

    @property
    def asks(self) -> bool:
        """Whether somebody can be asked."""
        return self._keys

    def choose(self, question: str, keys: str) -> str:
        """Return the first key of `keys` that is pressed, empty for Enter or a wish to stop."""
        self._write(sys.stdout, f'{question}\n')
        while not self.stopped():
            typed = self._typed(0.1)
            for key in typed:
                if key in keys:
                    return key
                if key in '\r\n' + _STOP_KEY:
                    return ''
        return ''

    def end(self, text: str, failed: bool = False) -> None:
        """Print a last word."""
        self._print(text, sys.stderr if failed else sys.stdout)

    # Inside -------------------------------------------------------------------------------

    def _left(self) -> float | None:
        if self._seconds is None or self._phase not in self._seconds:
            return None
        return self._seconds[self._phase] - (time.monotonic() - self._began)

    def _typed(self, wait_s: float = 0.0) -> str:
        try:
            if not select.select([sys.stdin], [], [], wait_s)[0]:
                return ''
            data = os.read(sys.stdin.fileno(), 1 if not self._keys else 64)
        except (OSError, ValueError):
            data = b''
        if not data:
            raise PlanError(
                'the standard input has ended, so nobody can confirm; run this on a terminal, or '
                'with --yes, which confirms by time')
        return data.decode(errors='replace')

    def _print(self, text: str, where: TextIO) -> None:
        self._erase()
        if where.isatty():
            text = wrapped(text, shutil.get_terminal_size().columns - 1)
        self._write(where, text + '\n')

    def _erase(self) -> None:
        if self._height:
            self._write(sys.stdout, f'\033[{self._height}A\033[J')
            self._height, self._lines = 0, []

    def _write(self, where: TextIO, text: str) -> None:
        try:
            where.write(text)
            where.flush()
        except OSError:
            # Nobody is there any more; the registers must be put back all the same.
            self._stop.set()
