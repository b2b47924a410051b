# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Mend what a crash left behind."""

from __future__ import annotations

from pathlib import Path

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import storage_errors
from apprentice_dataset.info import read_info
from apprentice_dataset.layout import INFO
from apprentice_dataset.lock import FolderLock
from apprentice_dataset.recovery import rebuild_episode
from apprentice_dataset.staging import Staging
from apprentice_dataset.transaction import no_step
from apprentice_dataset.transaction import roll_forward
from apprentice_dataset.transaction import Step


def repair(root: Path | str) -> list[str]:
    """
    Mend a dataset and return what was done, in sentences; [] when nothing was.

    :raises DatasetBusy: a process is writing it.
    :raises DatasetReadOnly: the folder cannot be written.
    """
    root = Path(root)
    if not root.is_dir():
        raise DatasetError(f'{root}: found no such folder, expected a dataset')
    staging = Staging(root)
    if not staging.folder.exists():
        return []
    with storage_errors(root):
        lock = FolderLock(staging.folder)
        try:
            return repair_locked(root)
        finally:
            lock.release()


def repair_locked(root: Path, step: Step = no_step) -> list[str]:
    """Do the same for a caller that holds the lock."""
    staging = Staging(root)
    staging.check()
    if not staging.episode.exists():
        staging.sweep()
        return []
    if staging.intent.exists():
        roll_forward(staging, step)
        staging.sweep()
        index = read_info(root).total_episodes - 1
        return [f'episode {index} was accepted when the writer ended; its files are published']
    if not (root / INFO).exists():
        raise DatasetError(f'{root / INFO}: found no such file, expected it beside an open '
                           'episode; restore it from a copy')
    return [rebuild_episode(root, step)]
