# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Do what the arguments say, in their order, and report how this process was started.

    say TEXT | complain TEXT | partial TEXT   print a line, an error line, a line without end
    ignore SIGNAL                             only print that the signal came
    stay SECONDS                              print `out ready`, then wait
    exit CODE                                 end
"""

from __future__ import annotations

import json
import os
from pathlib import Path
import signal
import sys
import time
from types import FrameType


def report() -> None:
    """Write arguments, environment and parameter files to $PROBE_REPORTS/<pid>."""
    argv = sys.argv[1:]
    files = [Path(path) for flag, path in zip(argv, argv[1:]) if flag == '--params-file']
    text = json.dumps({
        'argv': argv, 'cwd': os.getcwd(), 'environment': dict(os.environ),
        'parameters': [file.read_text() if file.is_file() else None for file in files]})
    (Path(os.environ['PROBE_REPORTS']) / str(os.getpid())).write_text(text)


def write(text: str, stream: int = 1) -> None:
    """Write at once, so that a signal cannot cut the text."""
    os.write(stream, text.encode())


def catch(number: int, frame: FrameType | None) -> None:
    """Say which signal came."""
    write(f'out got {signal.Signals(number).name}\n')


def stay(seconds: float) -> None:
    """Say that all is set and wait."""
    write('out ready\n')
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.02)


def main() -> None:
    """Report, then follow the arguments."""
    report()
    words = iter(sys.argv[1:])
    for word in words:
        if word == 'say':
            write(f'out {next(words)}\n')
        elif word == 'complain':
            write(f'err {next(words)}\n', 2)
        elif word == 'partial':
            write(f'out {next(words)}')
        elif word == 'ignore':
            signal.signal(signal.Signals[next(words)], catch)
        elif word == 'stay':
            stay(float(next(words)))
        elif word == 'exit':
            sys.exit(int(next(words)))
        elif word == '--ros-args':
            return


if __name__ == '__main__':
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
