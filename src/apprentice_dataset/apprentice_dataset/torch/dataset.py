# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Give a dataset to PyTorch by number: LeRobot's LeRobotDataset, for reading."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import os
from pathlib import Path
from typing import Any

from apprentice_dataset.decoder_cache import DecoderCache
from apprentice_dataset.depth import is_depth
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.features import Feature
from apprentice_dataset.frame_cache import FrameCache
from apprentice_dataset.frames import FrameReader
from apprentice_dataset.frames import put
from apprentice_dataset.frames import Size
from apprentice_dataset.hub import default_root
from apprentice_dataset.items import Items
from apprentice_dataset.layout import INFO
from apprentice_dataset.origin import read_origin
from apprentice_dataset.pull import pull
from apprentice_dataset.torch.batches import allocated
from apprentice_dataset.torch.decoders import opener
from apprentice_dataset.torch.meta import LeRobotDatasetMetadata
import numpy as np
from numpy.typing import NDArray
import torch
from torch.utils.data import Dataset
from torch.utils.data import get_worker_info

_WRITING = {'batch_encoding_size', 'rgb_encoder', 'depth_encoder', 'encoder_threads',
            'streaming_encoding', 'encoder_queue_maxsize'}


class LeRobotDataset(Dataset[dict[str, Any]]):
    """
    Give items by number, with LeRobot's keys, shapes and types; batches are fetched at once.

    It goes to DataLoader workers by fork and by spawn, each with decoders of its own.
    """

    def __init__(
        self, repo_id: str, root: str | Path | None = None, episodes: list[int] | None = None,
        episode_filter: Callable[[dict[str, Any]], bool] | None = None,
        image_transforms: Callable[[Any], Any] | None = None,
        delta_timestamps: Mapping[str, Sequence[float]] | None = None, tolerance_s: float = 1e-4,
        revision: str | None = None, force_cache_sync: bool = False, download_videos: bool = True,
        video_backend: str | None = None, return_uint8: bool = False,
        depth_output_unit: str = 'mm', *, token: str | bool | None = None,
        size: Size = None, decoder_cache: DecoderCache | None = None,
        frame_cache_bytes: int = 0, frame_cache_folder: Path | None = None, **writing: Any,
    ) -> None:
        """
        Read the metadata, no rows and no pictures; pull the dataset where it is not there.

        :param repo_id: USER/NAME on the Hub; not asked for where `root` is a dataset.
        :param episode_filter: takes a row of meta/episodes, tells whether it is wanted.
        :param video_backend: `auto`, `torchcodec` or `pyav`.
        :param return_uint8: pictures of videos as uint8, not as float32 from 0 to 1.
        :param size: height and width that pictures are scaled to while they are decoded.
        :param decoder_cache: instead of one with the usual limits.
        :param frame_cache_bytes: limit of a cache of decoded frames on disk; 0: none.
        :param frame_cache_folder: where it lies; None: the user's cache folder.
        :param writing: LeRobot's settings of the encoder, which reading does without.
        :raises DatasetError: an argument that cannot be, or no dataset there.
        """
        unknown = sorted(writing.keys() - _WRITING)
        if unknown:
            raise TypeError(f'found arguments {unknown}, expected those of LeRobot')
        if depth_output_unit not in ('mm', 'm'):
            raise DatasetError(f'depth_output_unit: found {depth_output_unit!r}, expected mm or m')
        self.repo_id, self.revision, self.tolerance_s = repo_id, revision, tolerance_s
        self.root = default_root(repo_id) if root is None else Path(root)
        there = (self.root / INFO).is_file()
        if force_cache_sync or not there or read_origin(self.root) is not None:
            pull(repo_id, revision, self.root, episodes=episodes, videos=download_videos,
                 refresh=force_cache_sync, token=token if isinstance(token, str) else None)
        self.meta = LeRobotDatasetMetadata.read(self.root)
        if episode_filter is not None:
            episodes = self._filtered(episode_filter, episodes)
        self.episodes, self.delta_timestamps = episodes, delta_timestamps
        self.image_transforms, self.return_uint8 = image_transforms, return_uint8
        self.depth_output_unit = depth_output_unit
        frames: FrameReader | FrameCache = FrameReader(
            self.meta, decoder_cache, opener(video_backend), size)
        if frame_cache_bytes > 0:
            frames = FrameCache(frames, self.meta, frame_cache_folder, frame_cache_bytes)
        self.items = Items(self.meta, frames, episodes, delta_timestamps, tolerance_s)

    def _filtered(
        self, wanted: Callable[[dict[str, Any]], bool], episodes: list[int] | None,
    ) -> list[int]:
        table = self.meta.episodes.table
        among = range(table.num_rows) if episodes is None else sorted(set(episodes))
        found = [number for number in among if wanted(table.slice(number, 1).to_pylist()[0])]
        if not found:
            raise DatasetError(f'{self.root}: episode_filter: found no episode that it wants')
        return found

    @property
    def fps(self) -> int | float:
        """Return the rate in frames/s."""
        return self.meta.info.fps

    @property
    def features(self) -> dict[str, dict[str, Any]]:
        """Return the features as info.json has them, each shape a tuple."""
        return self.meta.features

    @property
    def num_frames(self) -> int:
        """Return the number of items."""
        return len(self.items)

    @property
    def num_episodes(self) -> int:
        """Return the number of chosen episodes."""
        return len(self.items.episodes)

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    def __repr__(self) -> str:
        """Name the dataset and its size."""
        return (f'LeRobotDataset({self.repo_id!r}, {str(self.root)!r}: {self.num_episodes} '
                f'episodes, {self.num_frames} frames)')

    def __getitem__(self, idx: int | slice) -> Any:
        """Return an item, or the list of those of a slice."""
        if isinstance(idx, slice):
            return self.__getitems__(list(range(*idx.indices(len(self)))))
        return self.__getitems__([idx])[0]

    def __getitems__(self, indices: list[int]) -> list[dict[str, Any]]:
        """
        Return items by position; rows are taken at once and each mp4 is decoded in one pass.

        :raises DatasetBroken: a file is missing or contradicts the metadata.
        """
        if not indices:
            return []
        worker = get_worker_info()
        if worker is not None:
            cores = len(os.sched_getaffinity(0))
            self.items.frames.threads = max(1, cores // worker.num_workers)
        videos: dict[str, torch.Tensor] = {}

        def allocate(name: str, shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
            plain = kind == np.uint8 and self.return_uint8
            videos[name] = allocated(shape, torch.uint8 if plain else torch.float32)
            return videos[name].numpy()
        columns = {name: self._video(name, videos[name], len(indices)) if name in videos
                   else self._column(name, column)
                   for name, column in self.items.batch(indices, allocate).items()}
        return [dict(zip(columns, values)) for values in zip(*columns.values())]

    def set_image_transforms(self, image_transforms: Callable[[Any], Any] | None) -> None:
        """Apply another transform to RGB pictures; None: none."""
        self.image_transforms = image_transforms

    def clear_image_transforms(self) -> None:
        """Apply no transform."""
        self.image_transforms = None

    def _video(self, name: str, found: torch.Tensor, count: int) -> Sequence[torch.Tensor]:
        """Return (channels, height, width) an item, with a window one more axis in front."""
        if name in self.items.windows:
            found = found.unflatten(0, (count, -1))
        return self._transformed(self.meta.info.features[name], found)

    def _column(self, name: str, column: Sequence[Any]) -> Sequence[Any]:
        feature = self.meta.info.features.get(name)
        if feature is not None and feature.dtype == 'image':
            return self._transformed(feature, self._pictures(name, column, feature))
        if not isinstance(column, np.ndarray):
            return column
        kind = {'f': np.float32, 'i': np.int64, 'u': np.int64, 'b': np.bool_}[column.dtype.kind]
        return torch.from_numpy(np.ascontiguousarray(column, kind)).unbind()

    def _pictures(
        self, name: str, column: Sequence[Any], feature: Feature,
    ) -> torch.Tensor:
        """Return pictures of a column of images, (items, [window,] height, width, channels)."""
        windowed = isinstance(column[0], list)
        pictures = [one for window in column for one in window] if windowed else column
        found = allocated((len(pictures), *pictures[0].shape), torch.float32)
        for picture, place in zip(pictures, found.numpy()):
            if picture.shape != place.shape:
                raise DatasetBroken(f'{self.root}: {name}', f'a picture of {picture.shape}',
                                    f'{place.shape}, as the others')
            put(place, picture)
        return found.unflatten(0, (len(column), -1)) if windowed else found

    def _transformed(self, feature: Feature, found: torch.Tensor) -> Sequence[torch.Tensor]:
        depth = is_depth(feature)
        if depth and self.depth_output_unit == 'm':
            found /= 1000
        items = found.movedim(-1, -3).unbind()
        if self.image_transforms is None or depth:
            return items
        return [self.image_transforms(one) for one in items]
