# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write a folder beside its place and put it there in one step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil

from apprentice_dataset.errors import DatasetBusy
from apprentice_dataset.exchange import exchange
from apprentice_dataset.files import make_folder
from apprentice_dataset.files import sync_path
from apprentice_dataset.layout import STAGING
from apprentice_dataset.lock import FolderLock
from apprentice_policies.errors import PolicyError
from safetensors import SafetensorError


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """
    Yield an empty folder beside; when the body ends it stands in the place of `folder`.

    All of it is synced before. Whenever the machine stops, the old folder or the new one is there
    whole; if the body fails, the old one.

    :raises PolicyError: the disk is full, or the place cannot be written.
    """
    folder = folder.absolute()
    beside = folder.with_name(f'.{folder.name}.partial-{os.getpid()}')
    try:
        make_folder(folder.parent)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        yield beside
        for path in [*beside.rglob('*'), beside]:
            sync_path(path)
        _put(beside, folder)
    except DatasetBusy:
        raise PolicyError(f'{folder}: another process is writing it; wait for its end') from None
    except (OSError, SafetensorError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        raise PolicyError(f'{folder}: {reason}; what was there before is unchanged. Free space '
                          'or name a folder that can be written') from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _put(new: Path, old: Path) -> None:
    if old.is_dir() and any(old.iterdir()):
        exchange(new, old, FolderLock(old / STAGING))
    else:
        exchange(new, old)
