# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Put an edited dataset where it belongs: in a new folder, or in its source's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import errno
from pathlib import Path
import shutil

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.exchange import exchange
from apprentice_dataset.files import storage_errors
from apprentice_dataset.lock import FolderLock
from apprentice_dataset.output import built_beside
from apprentice_dataset.staging import Staging


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
            try:
                exchange(beside, root, lock)
            except OSError as error:
                if error.errno not in (errno.EBUSY, errno.EXDEV):
                    raise
                # A mount, such as a container's volume.
                raise DatasetError(f'{root}: {error.strerror}: it cannot be replaced here; say '
                                   '--output') from None
        finally:
            lock.release()
            shutil.rmtree(beside, ignore_errors=True)
