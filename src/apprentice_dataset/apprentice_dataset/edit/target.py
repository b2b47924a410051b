# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Put an edited dataset where it belongs: in a new folder, or in its source's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import ctypes
import errno
import os
from pathlib import Path
import shutil

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import storage_errors
from apprentice_dataset.files import sync_path
from apprentice_dataset.lock import FolderLock
from apprentice_dataset.staging import Staging
from apprentice_dataset.v2.output import built_beside

_AT_FDCWD, _EXCHANGE = -100, 2


@contextmanager
def target(root: Path, output: Path | None) -> Iterator[Path]:
    """
    Yield an empty folder that becomes `output`, or takes the place of `root` in one step.

    The new dataset appears whole, at the end. A process that dies leaves `NAME.partial-PID`
    beside, which the next one removes.

    :raises DatasetBusy: in place, while another process writes the dataset.
    :raises DatasetError: in place, with an unfinished episode; or the place cannot be used.
    """
    if output is not None:
        if output.resolve() == root.resolve():
            raise DatasetError(f'{output}: found the source, expected another folder; to replace '
                               'it say --in-place')
        with built_beside(output) as folder:
            yield folder
        return
    root = root.resolve()
    # A name that nobody else gives; the exchange makes it the old tree's.
    beside = root.with_name(f'.{root.name}.apprentice-edit')
    with storage_errors(root):
        lock = FolderLock(Staging(root).folder)
        try:
            if beside.exists():
                # Left by a process that died around the exchange.
                shutil.rmtree(beside)
            if Staging(root).is_left_behind():
                raise DatasetError(f'{root}: found an unfinished episode; repair the dataset')
            with built_beside(beside) as folder:
                yield folder
            _exchange(beside, root, lock)
        finally:
            lock.release()
            shutil.rmtree(beside, ignore_errors=True)


def _exchange(new: Path, old: Path, lock: FolderLock) -> None:
    # Both are locked meanwhile: afterwards each lock's path leads to the other's file.
    other = FolderLock(Staging(new).folder)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(old), _EXCHANGE):
            number = ctypes.get_errno()
            if number in (errno.EINVAL, errno.ENOSYS, errno.EBUSY, errno.EXDEV):
                raise DatasetError(f'{old}: {os.strerror(number)}: it cannot be replaced in one '
                                   'step here; say --output')
            raise OSError(number, os.strerror(number))
        sync_path(old.parent)
    finally:
        other.release()
