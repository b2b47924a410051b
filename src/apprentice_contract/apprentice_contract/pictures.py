# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""From image messages to pictures as received: checked, neither copied nor decoded."""
from __future__ import annotations

from typing import Any

from apprentice_contract.contract import Camera
from apprentice_contract.contract import Stream
from apprentice_contract.errors import CodecError
from apprentice_dataset.images import CHANNELS
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.images import Picture
from apprentice_dataset.images import RawImage

_PNG = b'\x89PNG\r\n\x1a\n'
_JPEG = b'\xff\xd8'
# Start-of-frame markers: all from C0 to CF but DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset((0x01, 0xFF, *range(0xD0, 0xD9)))
_SCAN = 0xDA


def picture(message: Any, camera: Camera, stream: Stream) -> Picture:
    """
    Return the picture of an Image or CompressedImage.

    :raises CodecError: another size, an encoding that is not recorded, or damaged data.
    """
    data = memoryview(message.data).cast('B')
    if stream.type == 'sensor_msgs/msg/CompressedImage':
        return _compressed(data, message.format, camera, stream)
    channels = CHANNELS.get(message.encoding)
    if channels is None:
        raise _error(stream, 'encoding', repr(message.encoding), ' | '.join(CHANNELS))
    _check_size(message.width, message.height, camera, stream)
    if message.step < message.width * channels:
        raise _error(stream, 'step', message.step, f'at least {message.width * channels} bytes')
    # The last line may end with its last pixel.
    least = message.step * (message.height - 1) + message.width * channels
    if len(data) < least:
        raise _error(stream, 'data', f'{len(data)} bytes', f'at least {least}')
    return RawImage(data, message.width, message.height, message.encoding, message.step)


def _compressed(data: memoryview, form: str, camera: Camera, stream: Stream) -> EncodedImage:
    # The format is written in many ways (`jpeg`, `rgb8; jpeg compressed bgr8`); the data cannot
    # be misread.
    if data[:2] == _JPEG:
        kind, size = 'jpeg', jpeg_size(data)
    elif data[:8] == _PNG and len(data) >= 24:
        kind = 'png'
        size = int.from_bytes(data[16:20], 'big'), int.from_bytes(data[20:24], 'big')
    else:
        raise _error(stream, 'data', f'neither (format {form!r}, {len(data)} bytes)',
                     'a JPEG or PNG')
    if size is None:
        raise _error(stream, 'data', f'a JPEG of {len(data)} bytes without size', 'a whole one')
    _check_size(*size, camera, stream)
    return EncodedImage(data, kind)


def jpeg_size(data: memoryview) -> tuple[int, int] | None:
    """Return width and height from a JPEG's header; None where it has none."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _FRAMES:
            return (data[place + 7] << 8 | data[place + 8], data[place + 5] << 8 | data[place + 6])
        if marker == _SCAN:
            return None
        if marker in _ALONE:
            place += 1 if marker == 0xFF else 2
        else:
            place += 2 + (data[place + 2] << 8 | data[place + 3])
    return None


def _check_size(width: int, height: int, camera: Camera, stream: Stream) -> None:
    if (width, height) != (camera.width, camera.height):
        raise _error(stream, 'size', f'{width}x{height}', f'{camera.width}x{camera.height}')


def _error(stream: Stream, field: str, found: object, expected: str) -> CodecError:
    return CodecError(f'{stream.topic} ({stream.type}): {field}: found {found}, expected '
                      f'{expected}; mend the camera or the contract')
