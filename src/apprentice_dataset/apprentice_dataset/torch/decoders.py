# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Decode mp4s by torchcodec, or by PyAV where that does not work."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
import logging
from pathlib import Path
from typing import Any

from apprentice_dataset.decoder_cache import Decoder
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.frames import decoder_bytes
from apprentice_dataset.frames import OpenVideo
from apprentice_dataset.frames import Size
from apprentice_dataset.frames import VideoFile
import numpy as np
from numpy.typing import NDArray

BACKENDS = ('auto', 'torchcodec', 'pyav')


class TorchcodecFile:
    """Decode an mp4 by torchcodec."""

    def __init__(self, path: Path, fps: Fraction) -> None:
        """Open it; DatasetBroken when it is no mp4."""
        from torchcodec import decoders
        self._path, self._fps = path, fps
        if not path.is_file():
            raise DatasetBroken(str(path), 'no such file', 'an mp4', 'restore it from a copy')
        try:
            self._decoder = decoders.VideoDecoder(
                str(path), dimension_order='NHWC', seek_mode='approximate',
                num_ffmpeg_threads=1)
        except (RuntimeError, ValueError) as error:
            raise DatasetBroken(str(path), _line(error), 'an mp4', 'restore it from a copy'
                                ) from None
        about = self._decoder.metadata
        self._count = about.num_frames or 0
        self.nbytes = decoder_bytes(about.height or 0, about.width or 0, self._count)
        self._other: VideoFile | None = None

    def close(self) -> None:
        """Close it: torchcodec does so when nothing holds it."""
        del self._decoder
        if self._other:
            self._other.close()

    def frames(self, numbers: Sequence[int]) -> Iterable[NDArray[Any]]:
        """Return frames by ascending number, each (height, width, 3) RGB uint8."""
        if self._other is None and numbers[-1] < self._count:
            try:
                batch = self._decoder.get_frames_at(list(numbers))
            except (RuntimeError, ValueError, IndexError) as error:
                raise DatasetBroken(str(self._path), _line(error), 'frames that can be decoded',
                                    'restore it from a copy') from None
            shown = np.rint(batch.pts_seconds.numpy() * float(self._fps))
            if np.array_equal(shown, numbers):
                return batch.data.numpy()
        # It counts by the mean rate: where a frame is missing its numbers are not the file's.
        if self._other is None:
            self._other = VideoFile(self._path, self._fps)
        return self._other.frames(numbers)


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@cache
def _torchcodec_fault() -> str:
    try:
        from torchcodec import decoders
        assert decoders.VideoDecoder
    except (ImportError, RuntimeError, OSError) as error:
        return _line(error)
    return ''


@cache
def opener(backend: str | None) -> OpenVideo:
    """
    Return what opens an mp4; the choice of `auto`, or None, is logged once.

    :param backend: `auto`, `torchcodec` or `pyav`.
    :raises DatasetError: another name, or torchcodec that does not work here.
    """
    backend = backend or 'auto'
    if backend not in BACKENDS:
        raise DatasetError(f'video_backend: found {backend!r}, expected one of {BACKENDS}')
    if backend == 'pyav':
        return VideoFile
    fault = _torchcodec_fault()
    if fault and backend == 'torchcodec':
        raise DatasetError(f'video_backend: found no torchcodec that works here ({fault}); '
                           'install FFmpeg and torchcodec, or take pyav')
    if backend == 'auto':
        logging.getLogger(__name__).info(
            'decoding with %s', f'PyAV, for torchcodec does not work: {fault}' if fault
            else 'torchcodec')
    return VideoFile if fault else _open


def _open(path: Path, fps: Fraction, size: Size) -> Decoder:
    # Torchcodec scales by a filter graph, which takes longer than the larger picture does.
    return TorchcodecFile(path, fps) if size is None else VideoFile(path, fps, size)
