# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read frames of many cameras and episodes at once, each file in one pass."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
import os
from pathlib import Path
from typing import Any
from typing import NamedTuple

from apprentice_dataset.decoder_cache import Decoder
from apprentice_dataset.decoder_cache import DecoderCache
from apprentice_dataset.depth import from_codes
from apprentice_dataset.depth import is_depth
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.metadata import Metadata
from apprentice_dataset.video import frames_from
from apprentice_dataset.video import video_errors
from apprentice_dataset.video import video_stream
import av
from av.video.reformatter import Interpolation
from av.video.reformatter import VideoReformatter
import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int] | None
"""Height and width that pictures are scaled to; None: as they are stored."""
OpenVideo = Callable[[Path, Fraction, Size], Decoder]
"""What opens an mp4: its path, frames/s, the size."""
Wanted = Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]
"""By camera: numbers of episodes, and of a frame in each."""
Allocate = Callable[[str, tuple[int, ...], np.dtype[Any]], NDArray[Any]]
"""Gives the array that pictures of a camera are put into: its name, a shape and a type."""
# So many frames are decoded rather than sought: about what a group costs.
_NEAR = 16
# An open file and its demuxer, and how many pictures a decoder and its scaler hold.
_FILE_BYTES, _PICTURES = 600_000, 6


def numpy_array(_camera: str, shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
    """Return an array that nobody else has."""
    return np.empty(shape, kind)


def decoder_bytes(height: int, width: int, frames: int) -> int:
    """Return about what a decoder takes: file, index of the frames, pictures in 4:2:0."""
    return _FILE_BYTES + 100 * frames + _PICTURES * height * width * 3 // 2


class VideoFile:
    """Decode an mp4 by PyAV; it goes on where the last call ended when that is near."""

    def __init__(
        self, path: Path, fps: Fraction, size: Size = None, depth: bool = False,
    ) -> None:
        """
        Open it.

        :param depth: give the codes of distances, (n, height, width, 1), not RGB.
        :raises DatasetBroken: it is no mp4 with a video stream.
        """
        self._path, self._fps, self._size, self._depth = path, fps, size, depth
        with video_errors(path, 'an mp4'):
            self._container = av.open(str(path))
        try:
            self._stream = video_stream(path, self._container)
        except DatasetBroken:
            self._container.close()
            raise
        self._stream.codec_context.thread_count = 1
        context = self._stream.codec_context
        self.nbytes = decoder_bytes(context.height, context.width, self._stream.frames)
        # A frame's own would be made anew for each.
        self._scale, self._convert = VideoReformatter(), VideoReformatter()
        self._frames: Iterator[Any] = iter(())
        self._next, self._key, self._group = -1, -1, 0

    def close(self) -> None:
        """Close it."""
        self._frames = iter(())
        self._container.close()

    def frames(self, numbers: Sequence[int]) -> Iterator[NDArray[Any]]:
        """
        Yield frames by ascending number, (height, width, 3) RGB uint8, each good until the next.

        :raises DatasetBroken: one is missing or cannot be decoded.
        """
        with video_errors(self._path, 'frames that can be decoded'):
            for number in numbers:
                yield self._frame(number)

    def _is_near(self, number: int) -> bool:
        """Tell whether going on costs no more than seeking the key frame before a number."""
        if self._next < 0 or not 0 <= number - self._next <= _NEAR:
            return False
        # Groups are of one length but for the last of an episode, where a guess costs little.
        return not self._group or \
            number - (number - self._key) % self._group <= self._next

    def _frame(self, number: int) -> NDArray[Any]:
        if not self._is_near(number):
            self._frames = frames_from(self._container, self._stream, number, self._fps)
            self._key = -1
        for found, frame in self._frames:
            if frame.key_frame:
                if self._key >= 0:
                    self._group = found - self._key
                self._key = found
            self._next = found + 1
            if found == number:
                return self._pixels(frame)
            if found > number:
                break
        self._next = -1
        raise DatasetBroken(str(self._path), f'no frame {number}', 'one with that number',
                            'validate the dataset')

    def _pixels(self, frame: av.VideoFrame) -> NDArray[Any]:
        if self._depth:
            return nearest(frame.to_ndarray(format='gray12le')[:, :, None], self._size)
        if self._size is not None:
            # First smaller, then RGB: swscale is slow where it does both at once.
            frame = self._scale.reformat(frame, height=self._size[0], width=self._size[1],
                                         interpolation=Interpolation.BILINEAR)
        return self._convert.reformat(frame, format='rgb24').to_ndarray()


def nearest(picture: NDArray[Any], size: Size) -> NDArray[Any]:
    """Return a picture scaled by taking the nearest pixel; distances must not be mixed."""
    if size is None:
        return picture
    rows, columns = (((np.arange(new) + 0.5) * old / new).astype(np.int64)
                     for new, old in zip(size, picture.shape))
    return picture[rows[:, None], columns]


class _Job(NamedTuple):
    """Hold frames of one file, ascending, where each is wanted, and what they are put into."""

    camera: str
    into: NDArray[Any]
    path: Path
    numbers: list[int]
    places: list[NDArray[np.int64]]


class FrameReader:
    """Read frames of mp4s; it may be used by several threads and go to other processes."""

    def __init__(
        self, metadata: Metadata, cache: DecoderCache | None = None,
        open_video: OpenVideo = VideoFile, size: Size = None, threads: int | None = None,
    ) -> None:
        """
        Take what to read; nothing is opened.

        :param open_video: gives what decodes RGB; depth is always decoded by PyAV.
        :param size: what RGB is scaled to while it is decoded; depth takes the nearest pixel.
        :param threads: how many files are decoded at once; None: one a core.
        :raises DatasetError: a size that cannot be.
        """
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise DatasetError(f'size: found {size}, expected height and width above 0')
        self._metadata, self.size, self.threads = metadata, size, threads
        self.cache = DecoderCache() if cache is None else cache
        self._open = open_video
        self._fps = Fraction(metadata.info.fps).limit_denominator(1_000_000)
        self._pool: tuple[int, ThreadPoolExecutor] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Go to another process without threads."""
        return {**self.__dict__, '_pool': None}

    def read(
        self, wanted: Wanted, allocate: Allocate = numpy_array,
    ) -> Callable[[], dict[str, NDArray[Any]]]:
        """
        Begin to read pictures of cameras; what is returned waits for them and gives them.

        They come in the order asked for, (n, height, width, 3) uint8, of depth (n, height, width,
        1) float32 in mm. What is asked for twice is decoded once.

        :param wanted: by camera: numbers of episodes, and of a frame in each.
        :param allocate: gives the array of a camera from its name, shape and type; RGB that is
            put into one of float32 goes from 0 to 1.
        :raises DatasetBroken: a file is missing, cannot be decoded or lacks a frame, or its
            pictures are not of the size in info.json.
        """
        found, jobs = {}, []
        for camera, (episodes, frames) in wanted.items():
            feature = self._metadata.info.features[camera]
            depth = is_depth(feature)
            found[camera] = allocate(
                camera, (frames.size, *(self.size or feature.height_width), 1 if depth else 3),
                np.dtype(np.float32 if depth else np.uint8))
            jobs += self._jobs(camera, found[camera], episodes, frames)
        threads = self.threads or len(os.sched_getaffinity(0))
        pending: Iterator[None] = map(self._run, jobs) if len(jobs) < 2 or threads < 2 \
            else self._threads(threads).map(self._run, jobs)

        def finish() -> dict[str, NDArray[Any]]:
            for _ in pending:
                pass
            return found
        return finish

    def _threads(self, count: int) -> ThreadPoolExecutor:
        # A forked child has none of its parent's threads.
        if self._pool is None or self._pool[0] != os.getpid():
            self._pool = os.getpid(), ThreadPoolExecutor(count, 'decode')
        return self._pool[1]

    def _jobs(
        self, camera: str, into: NDArray[Any], episodes: NDArray[np.int64],
        frames: NDArray[np.int64],
    ) -> Iterator[_Job]:
        info, columns = self._metadata.info, self._metadata.episodes
        prefix = f'videos/{camera}'
        begins = columns.column(f'{prefix}/from_timestamp')[episodes]
        numbers = np.rint(begins * float(info.fps)).astype(np.int64) + frames
        chunks = columns.column(f'{prefix}/chunk_index')[episodes]
        files = columns.column(f'{prefix}/file_index')[episodes]
        order = np.lexsort((numbers, files, chunks))
        keys = np.stack([chunks[order], files[order], numbers[order]])
        changed = np.diff(keys, axis=1) != 0
        ends = [*(np.flatnonzero(changed[:2].any(axis=0)) + 1).tolist(), order.size]
        fresh = np.concatenate([[True], changed.any(axis=0)])
        begin = 0
        for end in ends if order.size else ():
            heads = np.flatnonzero(fresh[begin:end]) + begin
            entry = columns[int(episodes[order[begin]])].videos[camera]
            yield _Job(camera, into, self._metadata.root / entry.number.path(
                str(info.video_path), camera), keys[2, heads].tolist(),
                np.split(order[begin:end], heads[1:] - begin))
            begin = end

    def _run(self, job: _Job) -> None:
        feature = self._metadata.info.features[job.camera]
        depth = is_depth(feature)

        def make() -> Decoder:
            if depth:
                return VideoFile(job.path, self._fps, self.size, depth=True)
            return self._open(job.path, self._fps, self.size)
        with video_errors(job.path, 'an mp4'):
            stat = job.path.stat()
        # A file that was replaced is another one.
        key = str(job.path), stat.st_ino, stat.st_mtime_ns, stat.st_size, self.size, depth
        with self.cache.lent(key, make) as decoder:
            for picture, places in zip(decoder.frames(job.numbers), job.places):
                if depth:
                    picture = from_codes(picture, feature.info)
                if picture.shape != job.into.shape[1:]:
                    raise DatasetBroken(str(job.path), f'a picture of {picture.shape}',
                                        f'{job.into.shape[1:]}, as info.json says')
                for place in places.tolist():
                    put(job.into[place], picture)


def put(place: NDArray[Any], picture: NDArray[Any]) -> None:
    """Copy a picture; from uint8 to float32 it then goes from 0 to 1."""
    if place.dtype == picture.dtype:
        np.copyto(place, picture)
    else:
        # By NumPy: torch would set a thread a core to so little.
        np.divide(picture, np.float32(255), out=place)
