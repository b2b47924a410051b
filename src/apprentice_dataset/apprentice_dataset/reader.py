# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Open a dataset and read rows and frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetBusy
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.errors import DatasetReadOnly
from apprentice_dataset.info import Info
from apprentice_dataset.metadata import Episode
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.repair import repair as repair_dataset
from apprentice_dataset.staging import Staging
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.video import decode
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa
import pyarrow.compute as pc


class Dataset:
    """Read a dataset; `repaired` says what opening had to mend."""

    def __init__(self, metadata: Metadata, repaired: list[str] | None = None) -> None:
        """Take metadata that was read; `Dataset.open` does that."""
        self._metadata = metadata
        self.repaired = repaired or []

    @classmethod
    def open(cls, root: Path | str, repair: bool = True) -> Dataset:
        """
        Read the metadata of a dataset, nothing else.

        :param repair: mend first what a crash left, unless another process is writing it, the
            folder cannot be written or the disk is full.
        :raises DatasetBroken: a file is missing, unreadable or contradicts another.
        """
        root = Path(root)
        repaired: list[str] = []
        if repair and Staging(root).is_left_behind():
            try:
                repaired = repair_dataset(root)
            except (DatasetBusy, DatasetFull, DatasetReadOnly):
                # What is accepted can be read all the same.
                repaired = []
        return cls(read_metadata(root), repaired)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._metadata.info.total_frames

    @property
    def root(self) -> Path:
        """Return the folder."""
        return self._metadata.root

    @property
    def info(self) -> Info:
        """Return what info.json says."""
        return self._metadata.info

    @property
    def metadata(self) -> Metadata:
        """Return everything below meta/."""
        return self._metadata

    @property
    def tasks(self) -> Sequence[str]:
        """Return the task strings by `task_index`."""
        return self._metadata.tasks

    @property
    def episodes(self) -> Sequence[Episode]:
        """Return the episodes by number."""
        return self._metadata.episodes

    def rows(self, episode: int) -> pa.Table:
        """
        Return an episode's rows in order, every column of its data file.

        :raises DatasetBroken: the file is missing, cut, or holds another number of rows.
        """
        entry = self._episode(episode)
        path = self.root / entry.data.path(self.info.data_path)
        file = open_parquet(path)
        groups = [number for number in range(file.num_row_groups)
                  if _may_hold(file.metadata.row_group(number), episode)]
        try:
            table = file.read_row_groups(groups)
        except (pa.ArrowException, OSError) as error:
            raise DatasetBroken(str(path), str(error).splitlines()[0], 'readable rows',
                                'restore it from a copy') from None
        table = table.filter(pc.equal(table['episode_index'], episode))
        if table.num_rows != entry.length:
            raise DatasetBroken(f'{path}: episode {episode}', f'{table.num_rows} rows',
                                f'{entry.length}, as meta/episodes says')
        return table

    def frame(self, episode: int, camera: str, frame: int) -> NDArray[np.uint8]:
        """Return one picture of an episode, (height, width, 3) RGB."""
        return self.frames(episode, camera, [frame])[0]

    def frames(
        self, episode: int, camera: str, frames: Sequence[int] | None = None,
    ) -> NDArray[np.uint8]:
        """
        Return pictures of an episode, (n, height, width, 3) RGB.

        :param frames: frame indices within the episode, in any order; None: all of them.
        :raises DatasetBroken: the mp4 cannot be decoded or lacks one.
        """
        entry = self._episode(episode)
        if camera not in entry.videos:
            raise DatasetError(f'{camera}: found no such video, expected one of '
                               f'{sorted(entry.videos)}')
        wanted = range(entry.length) if frames is None else frames
        wrong = [frame for frame in wanted if not 0 <= frame < entry.length]
        if wrong:
            raise DatasetError(f'episode {episode}: found frame {wrong[0]}, expected 0 to '
                               f'{entry.length - 1}')
        place = entry.videos[camera]
        first = round(place.begin_s * self.info.fps)
        path = self.root / place.number.path(str(self.info.video_path), camera)
        return decode(path, [first + frame for frame in wanted], self.info.fps)

    def _episode(self, number: int) -> Episode:
        if not 0 <= number < len(self.episodes):
            raise DatasetError(f'found episode {number}, expected 0 to {len(self.episodes) - 1}')
        return self.episodes[number]


def _may_hold(group: Any, episode: int) -> bool:
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema == 'episode_index':
            limits = column.statistics
            return limits is None or not limits.has_min_max \
                or limits.min <= episode <= limits.max
    return True
