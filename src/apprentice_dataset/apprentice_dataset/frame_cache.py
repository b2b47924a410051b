# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep decoded frames on disk, mapped into memory, from the first time they are read."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from contextlib import suppress
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from apprentice_dataset.depth import is_depth
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.files import storage_errors
from apprentice_dataset.frames import Allocate
from apprentice_dataset.frames import FrameReader
from apprentice_dataset.frames import numpy_array
from apprentice_dataset.frames import put
from apprentice_dataset.frames import Wanted
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.row_cache import cache_home
import numpy as np
from numpy.typing import NDArray

CACHE_BYTES = 64 << 30
"""Usual limit of a dataset's frames on disk."""
_BOOT = Path('/proc/sys/kernel/random/boot_id')


def _boot() -> str:
    """Return what differs after a power failure, which may keep a mark and lose its frame."""
    try:
        return _BOOT.read_text('ascii').strip()
    except OSError:
        return 'any'


class FrameCache:
    """
    Read frames as a `FrameReader` does, each from its mp4 only the first time.

    There is a file a camera, with room for every row of the dataset, and a byte a row that is set
    when its frame is there; since frames are not synced, the system's next start begins anew.
    Processes may share it: two that write the same frame write the same bytes. A camera whose
    frames do not fit into the limit is decoded each time.
    """

    def __init__(
        self, reader: FrameReader, metadata: Metadata, folder: Path | None = None,
        most_bytes: int = CACHE_BYTES,
    ) -> None:
        """
        Take what decodes; nothing is written before a frame is read.

        :param folder: instead of the user's cache folder.
        :param most_bytes: limit of the frames of this dataset at this size.
        :raises DatasetError: a limit below 0.
        """
        if most_bytes < 0:
            raise DatasetError(f'most_bytes: found {most_bytes}, expected a number from 0')
        self.reader, self.size = reader, reader.size
        self._metadata, self._folder = metadata, folder or cache_home() / 'frames'
        self._cameras: dict[str, tuple[int, int]] = {}
        for name, feature in metadata.info.cameras.items():
            shape = reader.size or feature.height_width
            used = metadata.info.total_frames * 3 * shape[0] * shape[1]
            if not is_depth(feature) and used <= most_bytes:
                self._cameras[name] = shape
                most_bytes -= used
        self._maps: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}
        self._paths: dict[str, Path] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Go to another process, which maps the files itself."""
        return {**self.__dict__, '_maps': {}}

    @property
    def threads(self) -> int | None:
        """Return how many files are decoded at once."""
        return self.reader.threads

    @threads.setter
    def threads(self, count: int | None) -> None:
        self.reader.threads = count

    def read(
        self, wanted: Wanted, allocate: Allocate = numpy_array,
    ) -> Callable[[], dict[str, NDArray[Any]]]:
        """Begin to read pictures as `FrameReader.read` does."""
        missing, places = {}, {}
        first = self._metadata.episodes.column('dataset_from_index')
        for camera, (episodes, frames) in wanted.items():
            absent = np.arange(frames.size)
            if camera in self._cameras:
                there = self._map(camera)[1][first[episodes] + frames]
                absent = np.flatnonzero(there == 0)
            places[camera] = absent
            missing[camera] = episodes[absent], frames[absent]
        decoded = self.reader.read(missing)

        def finish() -> dict[str, NDArray[Any]]:
            fresh = decoded()
            return {camera: self._joined(camera, first[episodes] + frames, places[camera],
                                         fresh[camera], allocate)
                    for camera, (episodes, frames) in wanted.items()}
        return finish

    def _joined(
        self, camera: str, rows: NDArray[np.int64], places: NDArray[np.int64],
        fresh: NDArray[Any], allocate: Allocate,
    ) -> NDArray[Any]:
        """Return pictures of rows, those at `places` fresh ones, and keep these."""
        found = allocate(camera, (rows.size, *fresh.shape[1:]), fresh.dtype)
        for place, picture in zip(places.tolist(), fresh):
            put(found[place], picture)
        if camera in self._cameras:
            kept = self._map(camera)[0]
            for place in np.setdiff1d(np.arange(rows.size), places).tolist():
                put(found[place], kept[rows[place]])
            self._keep(camera, dict(zip(rows[places].tolist(), fresh)))
        return found

    def _keep(self, camera: str, pictures: Mapping[int, NDArray[np.uint8]]) -> None:
        _, there = self._map(camera)
        path = self._path(camera)
        with storage_errors(path), open(path, 'r+b', buffering=0) as file:
            for row, picture in pictures.items():
                # Written, not mapped: a full disk is an error here and a signal there.
                os.pwrite(file.fileno(), np.ascontiguousarray(picture).data, row * picture.size)
                there[row] = 1

    def _map(self, camera: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        if camera not in self._maps:
            path, rows = self._path(camera), self._metadata.info.total_frames
            shape = (rows, *self._cameras[camera], 3)
            marks = path.with_suffix(f'.{_boot()}.there')
            with storage_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                for old in path.parent.glob(f'{path.stem}.*.there'):
                    if old != marks:
                        old.unlink(missing_ok=True)
                for one, size in ((path, int(np.prod(shape))), (marks, rows)):
                    with open(one, 'ab') as file:
                        if file.tell() < size:
                            file.truncate(size)
            self._maps[camera] = (np.memmap(path, np.uint8, 'r', shape=shape),
                                  np.memmap(marks, np.uint8, 'r+', shape=(rows,)))
        return self._maps[camera]

    def _path(self, camera: str) -> Path:
        """Return the file of a camera's frames, another one when an mp4 was replaced."""
        if camera not in self._paths:
            info, files = self._metadata.info, []
            for run in self._metadata.episodes.file_runs(camera):
                path = self._metadata.root / run.number.path(str(info.video_path), camera)
                with suppress(OSError):
                    stat = path.stat()
                    files.append([str(path.resolve()), stat.st_size, stat.st_mtime_ns])
            text = json.dumps([camera, self._cameras[camera], info.total_frames, files])
            name = hashlib.sha256(text.encode()).hexdigest()[:32]
            self._paths[camera] = self._folder / f'{name}.frames'
        return self._paths[camera]
