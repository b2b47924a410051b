# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures with a number drawn into them that survives compression."""
from __future__ import annotations

import numpy as np
import simplejpeg

_BITS = 8


def picture(number: int, width: int = 640, height: int = 480) -> np.ndarray:
    """Return RGB with eight blocks along the top that are a number; red left, blue right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, :width // 2, 0] = 200
    pixels[:, width // 2:, 2] = 200
    block = width // _BITS
    for bit in range(_BITS):
        pixels[:height // 8, bit * block:(bit + 1) * block] = 255 * (number >> bit & 1)
    return pixels


def number(pixels: np.ndarray) -> int:
    """Read the number back."""
    height, width = pixels.shape[:2]
    block = width // _BITS
    return sum((pixels[height // 16, bit * block + block // 2].mean() > 127) << bit
               for bit in range(_BITS))


def jpeg(number: int, width: int = 640, height: int = 480) -> bytes:
    """Return the picture as a JPEG."""
    return simplejpeg.encode_jpeg(
        picture(number, width, height), quality=85, colorspace='RGB', colorsubsampling='422')


def decoded(data: object) -> np.ndarray:
    """Decode a JPEG."""
    return simplejpeg.decode_jpeg(bytes(data), colorspace='RGB')


def yuyv(number: int, width: int = 640, height: int = 480) -> bytes:
    """Return the picture as a camera without compression sends it."""
    import av
    frame = av.VideoFrame.from_ndarray(picture(number, width, height), format='rgb24')
    return frame.to_ndarray(format='yuyv422').tobytes()
