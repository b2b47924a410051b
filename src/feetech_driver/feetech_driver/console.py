# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the command lines of this package share: lines that fit a terminal, and a time to wait."""
from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from typing import TextIO

_TO_COPY = ('ros2 run', 'SUBSYSTEM==')


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines, to standard output by default, broken between words on a terminal."""
    stream = stream or sys.stdout
    if stream.isatty():
        text = wrapped(text, shutil.get_terminal_size().columns - 1)
    stream.write(f'{text}\n')
    stream.flush()


def wrapped(text: str, width: int) -> str:
    """Break long lines between words, but never what somebody may copy."""
    return '\n'.join(
        line if any(word in line for word in _TO_COPY) else textwrap.fill(
            line, max(width, 20), subsequent_indent='  ', break_long_words=False,
            break_on_hyphens=False)
        for line in text.splitlines())


def seconds(text: str) -> float:
    """Return a time to wait that an option names; argparse tells the error."""
    value = float(text)
    if not 0.0 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f'found {text}, expected 0 to 3600 seconds')
    return value
