# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Open a dataset and read rows and frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apprentice_dataset.columns import IMAGE
from apprentice_dataset.columns import in_one_form
from apprentice_dataset.depth import from_codes
from apprentice_dataset.depth import from_recorded
from apprentice_dataset.depth import is_depth
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetBusy
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.errors import DatasetFull
from apprentice_dataset.errors import DatasetReadOnly
from apprentice_dataset.features import Feature
from apprentice_dataset.info import Info
from apprentice_dataset.metadata import Episode
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.origin import read_origin
from apprentice_dataset.pictures import decode_picture
from apprentice_dataset.pictures import reason
from apprentice_dataset.repair import repair as repair_dataset
from apprentice_dataset.staging import Staging
from apprentice_dataset.tables import open_parquet
from apprentice_dataset.tables import parquet_errors
from apprentice_dataset.video import decode
from apprentice_dataset.video import to_codes
import numpy as np
from numpy.typing import NDArray
import pyarrow as pa
import pyarrow.compute as pc


class Dataset:
    """
    Read a dataset; `repaired` says what opening had to mend.

    `origin` says of a copy that `dataset pull` made where it came from and which episodes are
    there; None for others.
    """

    def __init__(self, metadata: Metadata, repaired: list[str] | None = None) -> None:
        """Take metadata that was read; `Dataset.open` does that."""
        self._metadata = metadata
        self.repaired = repaired or []
        self.origin = read_origin(metadata.root)

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

    def rows(self, episode: int, columns: Sequence[str] | None = None) -> pa.Table:
        """
        Return an episode's rows in order, as its data file has them.

        :param columns: names of columns; None: all.
        :raises DatasetBroken: the file is missing, cut, or holds another number of rows.
        """
        entry = self._episode(episode)
        path = self.root / entry.data.path(self.info.data_path)
        names = None if columns is None else [*columns, 'episode_index']
        with open_parquet(path) as file, parquet_errors(path, 'readable rows'):
            groups = self._groups(file.metadata, entry)
            table = _of_episode(file.read_row_groups(groups, names), episode)
            if table.num_rows != entry.length and len(groups) < file.num_row_groups:
                # Some tools leave the rows of a file in another order.
                table = _of_episode(file.read(names), episode)
            if columns is not None:
                table = table.select(columns)
        if table.num_rows != entry.length:
            raise DatasetBroken(f'{path}: episode {episode}', f'{table.num_rows} rows',
                                f'{entry.length}, as meta/episodes says')
        return table

    def _groups(self, footer: Any, entry: Episode) -> list[int]:
        """Return the row groups in which an episode must lie by what meta/episodes says."""
        # Not by the statistics of the groups: of a damaged footer they end the interpreter.
        episodes = self._metadata.episodes
        chunks, files, begins = (episodes.column(name) for name in (
            'data/chunk_index', 'data/file_index', 'dataset_from_index'))
        first = int(np.argmax((chunks == entry.data.chunk) & (files == entry.data.file)))
        place = entry.rows.start - int(begins[first])
        ends = np.cumsum([footer.row_group(number).num_rows
                          for number in range(footer.num_row_groups)])
        held = (ends > place) & (np.concatenate([[0], ends[:-1]]) < place + entry.length)
        return np.flatnonzero(held).tolist()

    def frame(self, episode: int, camera: str, frame: int) -> NDArray[Any]:
        """Return one picture of an episode; `frames` says its shape."""
        return self.frames(episode, camera, [frame])[0]

    def frames(
        self, episode: int, camera: str, frames: Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """
        Return pictures of an episode: (n, height, width, 3) RGB uint8.

        Those of a depth camera are (n, height, width, 1) float32, in mm, or in the recorded unit
        where the dataset does not say it.

        :param frames: frame indices within the episode, in any order; None: all of them.
        :raises DatasetBroken: the file cannot be decoded or lacks one.
        """
        entry = self._episode(episode)
        feature = self.info.features.get(camera)
        if feature is None or feature.dtype not in ('video', 'image'):
            cameras = [name for name, one in self.info.features.items()
                       if one.dtype in ('video', 'image')]
            raise DatasetError(f'{camera}: found no such camera, expected one of '
                               f'{sorted(cameras)}')
        wanted = range(entry.length) if frames is None else frames
        wrong = [frame for frame in wanted if not 0 <= frame < entry.length]
        if wrong:
            raise DatasetError(f'episode {episode}: found frame {wrong[0]}, expected 0 to '
                               f'{entry.length - 1}')
        if feature.dtype == 'image':
            return self._images(episode, camera, feature, wanted)
        place = entry.videos[camera]
        first = round(place.begin_s * self.info.fps)
        path = self.root / place.number.path(str(self.info.video_path), camera)
        numbers = [first + frame for frame in wanted]
        if is_depth(feature):
            return from_codes(decode(path, numbers, self.info.fps, to_codes), feature.info)
        return decode(path, numbers, self.info.fps)

    def _images(
        self, episode: int, camera: str, feature: Feature, wanted: Sequence[int],
    ) -> NDArray[Any]:
        cells = in_one_form(f'{self.root}: episode {episode}: {camera}',
                            self.rows(episode, [camera])[camera], feature, IMAGE)
        found = []
        for frame in wanted:
            try:
                found.append(decode_picture((cells[frame].as_py() or {}).get('bytes'), feature))
            except BadPicture as error:
                raise DatasetBroken(f'{self.root}: episode {episode}: {camera}, frame {frame}',
                                    reason(error), 'a whole PNG, or TIFF for depth',
                                    'validate the dataset') from None
        if not found:
            raise DatasetError(f'{self.root}: episode {episode}: {camera}: found no frame asked '
                               'for, expected at least one')
        pictures = np.stack(found)
        return from_recorded(pictures, feature.info) if is_depth(feature) else pictures

    def _episode(self, number: int) -> Episode:
        if not 0 <= number < len(self.episodes):
            raise DatasetError(f'found episode {number}, expected 0 to {len(self.episodes) - 1}')
        if self.origin is not None and not self.origin.has(number):
            raise DatasetError(
                f'{self.root}: found {self.origin}, expected episode {number}; `dataset pull '
                f'{self.origin.repo_id} --root {self.root} --episodes {number}` brings it')
        return self.episodes[number]


def _of_episode(table: pa.Table, episode: int) -> pa.Table:
    return table.filter(pc.equal(table['episode_index'], episode))
