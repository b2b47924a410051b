# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Keep an mp4 open and give frames of it by their time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from apprentice_dataset.decoding import to_rgb
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.video import frames_from
from apprentice_dataset.video import to_codes
from apprentice_dataset.video import video_errors
from apprentice_dataset.video import video_stream
import av
import numpy as np
from numpy.typing import NDArray

# So many frames are decoded rather than sought: about what a group costs.
_NEAR = 16
# Pictures that a decoder holds, one in the making and those that it refers to.
_FRAMES = 4


class StreamVideo:
    """Decode frames of one mp4, going on where the last call ended when that is near."""

    def __init__(
        self, path: str, source: Any, fps: int | float, depth: bool = False,
    ) -> None:
        """
        Open it.

        :param path: for errors.
        :param depth: give the codes of distances, not RGB.
        :raises DatasetBroken: it is no mp4 with a video stream.
        """
        self._path, self._source = path, source
        self._convert = to_codes if depth else to_rgb
        self._rate = Fraction(fps).limit_denominator(1_000_000)
        with video_errors(path, 'an mp4'):
            self._container = av.open(source)
        self._stream = video_stream(path, self._container)
        self._stream.thread_type = 'SLICE'
        size = self._stream.codec_context
        self.nbytes = _FRAMES * 3 * size.width * size.height // 2
        self._frames: Iterator[Any] = iter(())
        self._next = -1

    def close(self) -> None:
        """Close it."""
        self._container.close()
        if not isinstance(self._source, str):
            self._source.close()

    def frames(self, times: NDArray[np.float64], tolerance_s: float) -> list[NDArray[Any]]:
        """
        Return the frames shown at ascending times in seconds, (height, width, 3) RGB or 1.

        :raises DatasetBroken: there is none within the tolerance, or it cannot be decoded.
        """
        return [self._frame(float(time), tolerance_s) for time in times]

    def _frame(self, time: float, tolerance_s: float) -> NDArray[Any]:
        wanted = round(time * float(self._rate))
        with video_errors(self._path, 'frames that can be decoded'):
            if self._next < 0 or not 0 <= wanted - self._next <= _NEAR:
                self._frames = frames_from(self._container, self._stream, wanted, self._rate)
            for number, frame in self._frames:
                self._next = number + 1
                if number >= wanted:
                    shown = float(frame.pts * self._stream.time_base)
                    if abs(shown - time) <= tolerance_s:
                        return self._convert(frame)
                    break
        self._next = -1
        raise DatasetBroken(self._path, f'no frame at {time:.4f} s', 'one within '
                            f'tolerance_s={tolerance_s}', 'validate the dataset')
