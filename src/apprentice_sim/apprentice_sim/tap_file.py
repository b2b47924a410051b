# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep the register changes of a bus in a file: one JSON array a line."""
from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path

from apprentice_sim.taps import Tap
from apprentice_sim.taps import TapKind

# A reader that follows the file is at most this far behind a bus that is in use.
_FLUSH_NS = 200_000_000


class TapFileError(OSError):
    """Report a file that cannot be written."""


class TapFile:
    """
    Write every change: [kind, monotonic ns, id, name, address, value]. For one thread.

    :raises TapFileError: if the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open('w', encoding='ascii')
        except OSError as error:
            raise TapFileError(
                error.errno, f'{path}: register changes cannot be written: {error.strerror}'
            ) from None
        self._flushed_ns = 0

    def __call__(self, tap: Tap) -> None:
        """Take one change."""
        self._file.write(
            f'["{tap.kind.value}",{tap.t_ns},{tap.servo_id},"{tap.name}",{tap.address},'
            f'{tap.value}]\n')
        if tap.t_ns - self._flushed_ns > _FLUSH_NS:
            self._flushed_ns = tap.t_ns
            self._file.flush()

    def close(self) -> None:
        """Write the rest."""
        self._file.close()


def read_taps(path: Path) -> Iterator[Tap]:
    """Yield the changes of a file, oldest first; a last line still being written is left out."""
    with path.open(encoding='ascii') as file:
        for line in file:
            if line.endswith('\n'):
                kind, *rest = json.loads(line)
                yield Tap(TapKind(kind), *rest)
