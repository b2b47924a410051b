# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Know where the open episode lies until it is published, on the dataset's file system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import shutil

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import sync_path
from apprentice_dataset.files import throw_away
from apprentice_dataset.layout import STAGING


@dataclass(frozen=True)
class Staging:
    """Name the places of one dataset's open episode."""

    root: Path

    @property
    def folder(self) -> Path:
        """Return the folder of everything that is not part of the format."""
        return self.root / STAGING

    @property
    def episode(self) -> Path:
        """Return the open episode's folder."""
        return self.folder / 'episode'

    @property
    def trash(self) -> Path:
        """Return where a folder goes in one step before it is removed."""
        return self.folder / 'trash'

    @property
    def journal(self) -> Path:
        """Return the file of the rows."""
        return self.episode / 'journal'

    @property
    def intent(self) -> Path:
        """Return the file whose existence commits the episode."""
        return self.episode / 'intent.json'

    @property
    def staged(self) -> Path:
        """Return the folder of files about to be published."""
        return self.episode / 'staged'

    def spool(self, camera: str) -> Path:
        """Return the folder of a camera's pictures."""
        return self.episode / 'spool' / camera

    def video(self, camera: str) -> Path:
        """Return a camera's mp4."""
        return self.episode / 'video' / f'{camera}.mp4'

    def rest(self, camera: str) -> Path:
        """Return the mp4 of what a crash left unencoded."""
        return self.episode / 'rest' / f'{camera}.mp4'

    def sweep(self) -> None:
        """Remove the open episode, if there is one, and empty the trash."""
        throw_away(self.episode, self.trash)
        if self.trash.exists():
            shutil.rmtree(self.trash)

    def is_left_behind(self) -> bool:
        """Return whether there is something to repair."""
        return self.episode.exists() or self.trash.exists()

    def check(self) -> None:
        """Raise DatasetError for a link: what is written or removed by it lies elsewhere."""
        for path in (self.folder, *self.folder.rglob('*')):
            if path.is_symlink():
                raise DatasetError(f'{path}: found a link, expected a file or a folder of the '
                                   f'recorder; remove {self.folder} to give its episode up')

    def make(self) -> None:
        """Make the folders of a new episode, to be found again after a power failure."""
        for name in ('spool', 'video'):
            (self.episode / name).mkdir(parents=True)
        for folder in (self.episode, self.folder, self.root):
            sync_path(folder)
