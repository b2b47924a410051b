# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Decode received pictures to what the encoder takes."""

from __future__ import annotations

from typing import Any

from apprentice_dataset.errors import BadPicture
from apprentice_dataset.images import CHANNELS
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.images import Picture
from apprentice_dataset.images import RawImage
import av
from av.video.reformatter import ColorRange
from av.video.reformatter import Colorspace
import numpy as np
from numpy.typing import NDArray

_DECODERS = {'jpeg': 'mjpeg', 'png': 'png'}
_FORMATS = {'rgb8': 'rgb24', 'bgr8': 'bgr24', 'mono8': 'gray'}


class PictureDecoder:
    """Decode the pictures of one camera; one thread at a time."""

    def __init__(self, width: int, height: int) -> None:
        """Take the size that every picture must have."""
        self._width, self._height = width, height
        self._contexts: dict[str, Any] = {}

    def decode(self, picture: Picture) -> av.VideoFrame:
        """
        Return the pixels, in whatever format the picture holds them.

        :raises BadPicture: it cannot be decoded, or has another size.
        """
        frame = (self._decoded(picture) if isinstance(picture, EncodedImage)
                 else _wrapped(picture))
        if (frame.width, frame.height) != (self._width, self._height):
            raise BadPicture(f'found a picture of {frame.width}x{frame.height}, expected '
                             f'{self._width}x{self._height}; set the camera or the contract')
        return frame

    def _decoded(self, picture: EncodedImage) -> av.VideoFrame:
        data = bytes(picture.data)
        try:
            frames = self._context(picture.kind).decode(av.Packet(data))
        except (av.error.FFmpegError, ValueError) as error:
            self._contexts.pop(picture.kind, None)
            raise BadPicture(f'found {len(data)} bytes that are no {picture.kind}: {error}; '
                             'check the camera and its cable') from None
        if len(frames) != 1 or frames[0].is_corrupt:
            self._contexts.pop(picture.kind, None)
            raise BadPicture(f'found {len(data)} bytes that are no whole {picture.kind}; '
                             'check the camera and its cable')
        return frames[0]

    def _context(self, kind: str) -> Any:
        # FFmpeg's PNG decoder keeps the last picture and mixes it into the next.
        if kind not in self._contexts or kind == 'png':
            context = av.CodecContext.create(_DECODERS[kind], 'r')
            # With more threads a picture would come out after the next ones went in.
            context.thread_count = 1
            context.options = {'err_detect': 'explode'}
            self._contexts[kind] = context
        return self._contexts[kind]


def _wrapped(picture: RawImage) -> av.VideoFrame:
    channels = CHANNELS[picture.encoding]
    data = np.frombuffer(picture.data, np.uint8)
    row = picture.width * channels
    if picture.step < row or data.size < picture.step * (picture.height - 1) + row:
        raise BadPicture(
            f'found {data.size} bytes with {picture.step} a row for {picture.encoding} of '
            f'{picture.width}x{picture.height}, expected at least {row} a row')
    rows = np.lib.stride_tricks.as_strided(
        data, (picture.height, row), (picture.step, 1), writeable=False)
    shape = (picture.height, picture.width, channels)
    pixels = rows if channels == 1 else rows.reshape(shape)
    return av.VideoFrame.from_ndarray(
        np.ascontiguousarray(pixels), format=_FORMATS[picture.encoding])


def to_encoder(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a picture as LeRobot stores it: 4:2:0, BT.601, limited range."""
    # A JPEG holds BT.601 at full range already. Without a detour over RGB a picture of 640x480
    # takes 1.1 ms instead of 1.5, and differs by less than one level.
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith(
        ('yuvj', 'gray', 'rgb', 'bgr'))
    return frame.reformat(
        format='yuv420p', src_colorspace=Colorspace.ITU601, dst_colorspace=Colorspace.ITU601,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.MPEG)


def to_rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return (height, width, 3) RGB."""
    return frame.to_ndarray(format='rgb24')
