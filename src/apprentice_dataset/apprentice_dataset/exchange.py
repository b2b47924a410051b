# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Swap two folders in one step."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
import shutil

from apprentice_dataset.files import sync_path
from apprentice_dataset.layout import STAGING
from apprentice_dataset.lock import FolderLock

_AT_WORKING_FOLDER, _EXCHANGE = -100, 2


def exchange(new: Path, old: Path, lock: FolderLock | None = None) -> None:
    """
    Put a folder in the place of another on the same file system, and remove the other.

    A reader, and a crash, finds the old one or the new one. Where the file system cannot swap two
    names, the old one is named `NAME.replaced` for a moment in between.

    :param lock: that of `old`, released here.
    :raises OSError: neither may be renamed.
    """
    if not old.exists() or lock is None:
        os.replace(new, old)
        sync_path(old.parent)
        return
    # Held by us under either name, or a writer could come in while the names change.
    other = FolderLock(new / STAGING)
    try:
        if not _swapped(new, old):
            aside = old.with_name(f'{old.name}.replaced')
            shutil.rmtree(aside, ignore_errors=True)
            os.rename(old, aside)
            os.rename(new, old)
            os.rename(aside, new)
        sync_path(old.parent)
        lock.release()
    finally:
        other.release()
    shutil.rmtree(new)


def _swapped(new: Path, old: Path) -> bool:
    rename = getattr(ctypes.CDLL(None, use_errno=True), 'renameat2', None)
    if rename is None:
        return False
    if rename(_AT_WORKING_FOLDER, os.fsencode(new), _AT_WORKING_FOLDER, os.fsencode(old),
              _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(old))
