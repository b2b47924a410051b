# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One picture in the forms that are asked for, each made at most once."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray
from opencv_camera_driver.errors import CameraError
import simplejpeg

# How often np.rot90 turns counter-clockwise for LeRobot's angles, which turn clockwise.
TURNS = {0: 0, 90: 3, 180: 2, -90: 1}
Pixels = NDArray[np.uint8]


class Picture:
    """A picture as it came, turned when it is asked for."""

    def __init__(
        self, width: int, height: int, jpeg: bytes | None = None,
        decode: Callable[[], Pixels] | None = None, rotation: int = 0,
    ) -> None:
        """Take a JPEG, or a function that returns RGB of shape (height, width, 3)."""
        self.width, self.height = width, height
        self._original = jpeg
        self._decode = decode or self._from_jpeg
        self._rotation = rotation
        self._rgb: Pixels | None = None

    @property
    def passes_through(self) -> bool:
        """Tell whether the JPEG is the camera's own."""
        return self._original is not None and self._rotation == 0

    def rgb(self) -> Pixels:
        """
        Return the turned picture, uint8 of shape (height, width, 3).

        :raises CameraError: for a damaged picture.
        """
        if self._rgb is None:
            self._rgb = np.ascontiguousarray(np.rot90(self._decode(), TURNS[self._rotation]))
        return self._rgb

    def draw(self, target: Pixels, color_mode: str) -> None:
        """
        Write the turned picture into an array of its shape, colours in the order `rgb` or `bgr`.

        :raises CameraError: for a damaged picture.
        """
        if self.passes_through and self._rgb is None:
            self._from_jpeg(target, color_mode.upper())
        else:
            target[...] = self.rgb()[..., ::1 if color_mode == 'rgb' else -1]

    def jpeg(self, quality: int) -> bytes:
        """Return the camera's own JPEG if it needs no turning, else one of this quality."""
        if self.passes_through:
            return self._original
        return simplejpeg.encode_jpeg(
            self.rgb(), quality=quality, colorspace='RGB', colorsubsampling='420')

    def _from_jpeg(self, buffer: Pixels | None = None, colors: str = 'RGB') -> Pixels:
        try:
            return simplejpeg.decode_jpeg(self._original, colorspace=colors, buffer=buffer)
        except ValueError as error:
            raise CameraError(f'a damaged JPEG came: {error}') from None


@dataclass(frozen=True)
class Frame:
    """A picture and the monotonic instant of its acquisition in nanoseconds."""

    stamp_ns: int
    picture: Picture


def _swapped(data: bytes) -> bytes:
    return np.frombuffer(data, np.uint16).byteswap().tobytes()


# FOURCC to bytes of a pixel (in a line), FFmpeg's name, and what comes before the conversion.
_LAYOUTS: dict[str, tuple[Fraction, str, Callable[[bytes], bytes] | None]] = {
    'YUYV': (Fraction(2), 'yuyv422', None),
    'UYVY': (Fraction(2), 'yuyv422', _swapped),
    'NV12': (Fraction(3, 2), 'nv12', None),
    'RGB3': (Fraction(3), 'rgb24', None),
    'BGR3': (Fraction(3), 'bgr24', None),
    'GREY': (Fraction(1), 'gray', None),
}
RAW_FORMATS = tuple(_LAYOUTS)


def decode_raw(data: bytes, fourcc: str, width: int, height: int, stride: int) -> Pixels:
    """
    Return RGB of an uncompressed picture whose lines are `stride` bytes apart.

    :raises CameraError: if data is missing.
    """
    ratio, name, prepare = _LAYOUTS[fourcc]
    planar = fourcc == 'NV12'
    lines = height * 3 // 2 if planar else height
    line = width if planar else int(width * ratio)
    stride = max(stride, line)
    if len(data) < stride * (lines - 1) + line:
        raise CameraError(f'a picture of {len(data)} bytes came, expected {stride * lines}')
    if prepare is not None:
        data = prepare(data)
    padded = np.frombuffer(data[:stride * lines].ljust(stride * lines, b'\0'), np.uint8)
    rows = np.ascontiguousarray(padded.reshape(lines, stride)[:, :line])
    channels = {'YUYV': 2, 'UYVY': 2, 'RGB3': 3, 'BGR3': 3}.get(fourcc)
    shaped = rows.reshape(height, width, channels) if channels else rows
    return av.VideoFrame.from_ndarray(shaped, format=name).to_ndarray(format='rgb24')
