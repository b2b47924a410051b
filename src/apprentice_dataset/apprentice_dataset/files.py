# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write files that outlive a crash, and turn the disk's errors into sentences."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
import errno
import os
from pathlib import Path
import shutil

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.errors import DatasetReadOnly

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
_AT_ONCE = 2


@contextmanager
def storage_errors(where: Path) -> Iterator[None]:
    """Raise DatasetFull, DatasetReadOnly or DatasetError for an OSError of the body."""
    try:
        yield
    except OSError as error:
        raise translated(error, where) from error


def translated(error: OSError, where: Path) -> DatasetError:
    """Return the error of ours that an OSError means."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return DatasetFull(f'{where}: {reason}; accepted episodes are intact. Free space, then '
                           'discard or save this episode again')
    if error.errno in _CLOSED:
        return DatasetReadOnly(f'{where}: {reason}; the folder must be writable by this user')
    return DatasetError(f'{where}: {reason}')


def write_all(descriptor: int, *buffers: bytes | memoryview) -> None:
    """Append buffers by one write(2); goes on where the kernel took only a part."""
    views = [memoryview(buffer).cast('B') for buffer in buffers]
    while views := [view for view in views if view.nbytes]:
        written = os.writev(descriptor, views)
        while written:
            taken = min(written, views[0].nbytes)
            views[0] = views[0][taken:]
            written -= taken
            if not views[0].nbytes:
                views.pop(0)


def write_file(path: Path, data: bytes | memoryview, sync: bool = True) -> None:
    """Write a whole file and, with `sync`, bring it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        write_all(descriptor, data)
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_path(path: Path) -> None:
    """Bring the contents of a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_together(paths: Iterable[Path]) -> None:
    """Do that for many at once: a file system joins what is asked for at the same time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(sync_path, paths):
            pass


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, and bring their names to the disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_path(folder.parent)


def replace_file(path: Path, beside: Path, data: bytes) -> None:
    """Write a file beside, then rename it into place: readers see the old one or the new one."""
    make_folder(path.parent)
    write_file(beside, data)
    os.replace(beside, path)
    sync_path(path.parent)


def throw_away(folder: Path, trash: Path) -> None:
    """Take a folder out of use in one step: a crash leaves it whole or in the trash."""
    if trash.exists():
        shutil.rmtree(trash)
    if folder.exists():
        os.rename(folder, trash)
