# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Give items of a dataset by number: rows, windows of rows, pictures, tasks; as NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from apprentice_dataset.columns import to_numpy
from apprentice_dataset.depth import from_recorded
from apprentice_dataset.depth import is_depth
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.frame_cache import FrameCache
from apprentice_dataset.frames import Allocate
from apprentice_dataset.frames import FrameReader
from apprentice_dataset.frames import nearest
from apprentice_dataset.frames import numpy_array
from apprentice_dataset.frames import Size
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.pictures import decode_picture
from apprentice_dataset.pictures import reason
from apprentice_dataset.row_store import RowStore
from apprentice_dataset.stream import windows
import av
import numpy as np
from numpy.typing import NDArray


class Items:
    """
    Give items by position among the chosen episodes, which lie in the order of the dataset.

    Names come in LeRobot's order: cameras of mp4s, columns, `NAME_is_pad`, `task`, and `subtask`
    where an older writer kept some.
    """

    def __init__(
        self, metadata: Metadata, frames: FrameReader | FrameCache | None = None,
        episodes: Sequence[int] | None = None,
        delta_timestamps: Mapping[str, Sequence[float]] | None = None, tolerance_s: float = 1e-4,
    ) -> None:
        """
        Take what to give; no row and no picture is read.

        :param episodes: those that are wanted, in whatever order; None: all.
        :param delta_timestamps: a feature's window, in seconds from the row. Beyond the episode
            its first or last value is repeated, and `NAME_is_pad` is true there.
        :param tolerance_s: how far a time of a window may lie from whole frames.
        :raises DatasetError: an episode, feature or window that cannot be.
        """
        self.metadata = metadata
        self.frames = FrameReader(metadata) if frames is None else frames
        self.windows = windows(metadata, delta_timestamps or {}, tolerance_s)
        self.rows = RowStore(metadata, episodes=episodes)
        lengths = metadata.episodes.column('length')
        self.episodes = np.arange(lengths.size) if episodes is None \
            else np.unique(np.asarray(episodes, np.int64))
        if not self.episodes.size:
            raise DatasetError(f'{metadata.root}: found no episodes, expected at least one')
        self._ends = np.cumsum(lengths[self.episodes])

    def __len__(self) -> int:
        """Return the number of items."""
        return int(self._ends[-1])

    def indices(self, positions: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of rows (`index`) at positions; negative ones count from the end."""
        at = np.asarray(positions, np.int64).reshape(-1)
        wrong = at[(at < -len(self)) | (at >= len(self))]
        if wrong.size:
            raise IndexError(f'found item {wrong[0]}, expected 0 to {len(self) - 1}')
        at = np.where(at < 0, at + len(self), at)
        place = np.searchsorted(self._ends, at, 'right')
        ends = self.metadata.episodes.column('dataset_to_index')[self.episodes[place]]
        return ends - (self._ends[place] - at)

    def batch(
        self, positions: Sequence[int] | NDArray[np.int64], allocate: Allocate = numpy_array,
    ) -> dict[str, Sequence[Any]]:
        """
        Return columns, each with one entry for every position.

        A picture is (height, width, 3) uint8, of depth (height, width, 1) float32 in mm. A
        feature with a window has one more axis in front; windows of a column of pictures are
        lists.

        :param allocate: see `FrameReader.read`.
        :raises DatasetBroken: a file is missing or contradicts the metadata.
        """
        index = self.indices(positions)
        episodes = self.metadata.episodes
        episode = np.searchsorted(episodes.column('dataset_to_index'), index, 'right')
        first = episodes.column('dataset_from_index')[episode][:, None]
        last = episodes.column('dataset_to_index')[episode][:, None] - 1
        reach = {name: index[:, None] + offsets for name, offsets in self.windows.items()}
        inside = {name: np.clip(wanted, first, last) for name, wanted in reach.items()}
        cameras = {}
        for name in self.metadata.info.cameras:
            wanted = inside.get(name, index[:, None])
            whose = np.broadcast_to(episode[:, None], wanted.shape)
            cameras[name] = whose.reshape(-1), (wanted - first).reshape(-1)
        pictures = self.frames.read(cameras, allocate)
        # Meanwhile pictures are decoded.
        columns = self._columns(index, inside)
        found: dict[str, Sequence[Any]] = {
            name: array.reshape(*inside[name].shape, *array.shape[1:]) if name in inside else array
            for name, array in pictures().items()}
        found.update(columns)
        for name, wanted in reach.items():
            found[f'{name}_is_pad'] = (wanted < first) | (wanted > last)
        found['task'] = self._named('task', self.metadata.tasks, index, found)
        if self.metadata.subtasks and 'subtask_index' in self.metadata.info.columns:
            found['subtask'] = self._named('subtask', self.metadata.subtasks, index, found)
        return found

    def items(self, positions: Sequence[int] | NDArray[np.int64]) -> list[dict[str, Any]]:
        """Return items one by one, see `batch`."""
        columns = self.batch(positions)
        return [dict(zip(columns, values)) for values in zip(*columns.values())]

    def _named(
        self, kind: str, names: Sequence[str], index: NDArray[np.int64],
        columns: Mapping[str, Sequence[Any]],
    ) -> list[str]:
        """Return each row's own task or subtask, whatever window its number has."""
        column = f'{kind}_index'
        numbers = columns[column] if column not in self.windows else \
            self.rows.take(index, [column])[column].to_pylist()
        found = []
        for number in numbers:
            if number is None or not 0 <= number < len(names):
                raise DatasetBroken(f'{self.metadata.root}: {column}', str(number),
                                    f'a number from 0 to {len(names) - 1}')
            found.append(names[int(number)])
        return found

    def _columns(
        self, index: NDArray[np.int64], inside: Mapping[str, NDArray[np.int64]],
    ) -> dict[str, Sequence[Any]]:
        features = self.metadata.info.columns
        plain = [name for name, feature in features.items() if feature.dtype != 'image']
        wide = [inside[name].reshape(-1) for name in plain if name in inside]
        wanted = np.unique(np.concatenate([index, *wide]))
        rows = self.rows.take(wanted, plain)
        found: dict[str, Sequence[Any]] = {}
        for name, feature in features.items():
            at = inside.get(name, index)
            if feature.dtype == 'image':
                found[name] = self._pictures(name, feature, at)
                continue
            values = to_numpy(rows[name], feature)
            place = np.searchsorted(wanted, at)
            found[name] = values[place] if isinstance(values, np.ndarray) \
                else _listed(values, place)
        return found

    def _pictures(self, name: str, feature: Feature, at: NDArray[np.int64]) -> Sequence[Any]:
        wanted, back = np.unique(at, return_inverse=True)
        cells = self.rows.take(wanted, [name])[name]
        found = []
        for number, cell in zip(wanted.tolist(), cells):
            try:
                picture = decode_picture((cell.as_py() or {}).get('bytes'), feature)
            except BadPicture as error:
                raise DatasetBroken(f'{self.metadata.root}: {name} of row {number}',
                                    reason(error), 'a whole picture', 'restore it from a copy'
                                    ) from None
            if is_depth(feature):
                found.append(nearest(from_recorded(picture, feature.info), self.frames.size))
            else:
                found.append(_scaled(picture, self.frames.size))
        return _folded([found[place] for place in back.reshape(-1).tolist()],
                       at if at.ndim > 1 else None)


def _scaled(picture: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    if size is None:
        return picture
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), 'rgb24').to_ndarray(
        format='rgb24', height=size[0], width=size[1])


def _folded(pictures: list[Any], windows: NDArray[np.int64] | None) -> list[Any]:
    if windows is None:
        return pictures
    count = windows.shape[1]
    return [pictures[begin:begin + count] for begin in range(0, len(pictures), count)]


def _listed(values: list[Any], place: NDArray[np.int64]) -> list[Any]:
    return [_listed(values, one) if one.ndim else values[one] for one in place]
