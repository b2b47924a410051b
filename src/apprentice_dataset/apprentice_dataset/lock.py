# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Let one process at a time write a dataset."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from apprentice_dataset.errors import DatasetBusy
from apprentice_dataset.errors import DatasetError


class FolderLock:
    """Hold the lock of a dataset; the kernel releases it when the process dies."""

    def __init__(self, folder: Path) -> None:
        """
        Take the lock file in a folder, which is made where it is missing.

        :raises DatasetBusy: another process or writer holds it.
        :raises OSError: the folder cannot be written.
        """
        self._folder = folder
        self._path = folder / 'lock'
        self._descriptor: int | None = self._take()

    def _take(self) -> int:
        while True:
            # A link would lead what is written, emptied and removed here to somewhere else.
            if self._folder.is_symlink():
                raise DatasetError(f'{self._folder}: found a link, expected a folder; remove it')
            self._folder.mkdir(exist_ok=True)
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                                     | os.O_NOFOLLOW, 0o644)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(descriptor, 32).decode(errors='replace').strip() or 'unknown'
                os.close(descriptor)
                raise DatasetBusy(f'{self._folder.parent}: process {holder} is writing this '
                                  'dataset; end it or record into another folder') from None
            # The last holder may have removed the file between our open and our lock.
            if self._is_ours(descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f'{os.getpid()}\n'.encode())
                return descriptor
            os.close(descriptor)

    def _is_ours(self, descriptor: int) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(descriptor))

    def release(self) -> None:
        """Give the lock back; remove its file, and the folder if nothing else lies there."""
        if self._descriptor is None:
            return
        self._path.unlink(missing_ok=True)
        if not any(self._folder.iterdir()):
            try:
                self._folder.rmdir()
            except OSError:
                pass
        os.close(self._descriptor)
        self._descriptor = None


def is_held(folder: Path) -> bool:
    """Tell whether a living process holds the lock of a folder; nothing is changed."""
    try:
        descriptor = os.open(folder / 'lock', os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
