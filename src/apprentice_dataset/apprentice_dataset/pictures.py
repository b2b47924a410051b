# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read and write the pictures that lie inside tables: PNG, and TIFF for depth."""

from __future__ import annotations

import struct
from typing import Any

from apprentice_dataset.depth import is_depth
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.features import Feature
import av
import numpy as np
from numpy.typing import NDArray

_PNG = b'\x89PNG'
_TIFF = {b'II*\0': '<', b'MM\0*': '>'}
_TYPES = {(1, 8): 'u1', (1, 16): 'u2', (1, 32): 'u4', (2, 16): 'i2', (2, 32): 'i4',
          (3, 16): 'f2', (3, 32): 'f4', (3, 64): 'f8'}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _OFFSETS, _SAMPLES, _SIZES, _FORMAT = (
    256, 257, 258, 259, 273, 277, 279, 339)
_INTERPRETATION, _ROWS, _PLANES = 262, 278, 284
_FIELDS = {1: 'B', 3: 'H', 4: 'I', 16: 'Q'}
_MOST_ENTRIES = 1 << 16


def decode_picture(data: bytes | None, feature: Feature) -> NDArray[Any]:
    """
    Return (height, width, 3) RGB uint8, or (height, width, 1) in the recorded unit for depth.

    :raises BadPicture: there are no bytes, they are no whole PNG or TIFF, or have another size.
    """
    if not data:
        raise BadPicture('found no bytes, expected a PNG or TIFF inside the table; a path alone '
                         'leads nowhere')
    depth = is_depth(feature)
    found = _tiff(data) if data[:4] in _TIFF else _png(data, depth)
    if found.shape[:2] != feature.height_width:
        raise BadPicture(f'found a picture of {found.shape[1]}x{found.shape[0]}, expected '
                         f'{feature.height_width[1]}x{feature.height_width[0]}')
    return found


def png_bytes(rgb: NDArray[np.uint8], level: int) -> bytes:
    """
    Return a PNG.

    :param rgb: (height, width, 3).
    :param level: of zlib, 0 to 9.
    """
    context: Any = av.CodecContext.create('png', 'w')
    context.height, context.width, context.pix_fmt = *rgb.shape[:2], 'rgb24'
    context.time_base, context.thread_count = 1, 1
    context.options = {'pred': 'mixed', 'compression_level': str(level)}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), 'rgb24')
    frame.pts = 0
    return b''.join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))


def tiff_bytes(distances: NDArray[Any]) -> bytes:
    """
    Return an uncompressed TIFF of one strip, as LeRobot stores it.

    :param distances: (height, width) uint16 or float32.
    """
    height, width = distances.shape
    data = distances.astype(distances.dtype.newbyteorder('<')).tobytes()
    float_form = [(_FORMAT, 3, 3)] if distances.dtype.kind == 'f' else []
    count = 9 + len(float_form)
    place = 8 + 2 + 12 * count + 4
    entries = [(_WIDTH, 4, width), (_HEIGHT, 4, height), (_BITS, 3, 8 * distances.itemsize),
               (_COMPRESSION, 3, 1), (_INTERPRETATION, 3, 1), (_OFFSETS, 4, place),
               (_ROWS, 4, height), (_SIZES, 4, len(data)), (_PLANES, 3, 1), *float_form]
    head = b''.join(struct.pack('<HHII', tag, kind, 1, value) for tag, kind, value in entries)
    return b'II*\0' + struct.pack('<IH', 8, count) + head + bytes(4) + data


def check_picture(data: bytes, feature: Feature, whole: bool) -> str:
    """Return what is wrong with a picture, '' for nothing; only its first bytes may be given."""
    if not whole:
        return '' if data[:4] == _PNG or data[:4] in _TIFF or data[:3] == b'\xff\xd8\xff' \
            else f'bytes that begin with {data[:4]!r}'
    try:
        decode_picture(data, feature)
    except BadPicture as error:
        return reason(error)
    return ''


def reason(error: BadPicture) -> str:
    """Return what was found, for an error that says more of the place."""
    return str(error).removeprefix('found ').partition(', expected')[0]


def _png(data: bytes, depth: bool) -> NDArray[Any]:
    name = 'png' if data[:4] == _PNG else 'mjpeg' if data[:3] == b'\xff\xd8\xff' else None
    if name is None:
        raise BadPicture(f'found bytes that begin with {data[:4]!r}, expected a PNG or TIFF')
    context = av.CodecContext.create(name, 'r')
    context.thread_count = 1
    context.options = {'err_detect': 'explode'}
    try:
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
        if len(frames) != 1 or frames[0].is_corrupt:
            raise BadPicture(f'found {len(data)} bytes that are no whole {name}')
        if depth:
            form = 'gray16le' if '16' in frames[0].format.name else 'gray'
            return frames[0].to_ndarray(format=form)[:, :, None]
        return frames[0].to_ndarray(format='rgb24')
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, BadPicture):
            raise
        raise BadPicture(f'found {len(data)} bytes that are no {name}: {error}') from None


def _tiff(data: bytes) -> NDArray[Any]:
    """Read an uncompressed TIFF of one sample a pixel, as LeRobot stores depth."""
    try:
        order = _TIFF[data[:4]]
        entries = _entries(data, order)
        width, height = entries[_WIDTH][0], entries[_HEIGHT][0]
        name = _TYPES[entries.get(_FORMAT, (1,))[0], entries[_BITS][0]]
        kind = np.dtype(name).newbyteorder(order)
        if entries.get(_COMPRESSION, (1,))[0] != 1 or entries.get(_SAMPLES, (1,))[0] != 1:
            raise BadPicture('found a TIFF that is compressed or has several samples a pixel, '
                             'expected one sample, uncompressed')
        strips = b''.join(data[begin:begin + size] for begin, size in zip(
            entries[_OFFSETS], entries[_SIZES]))
        return np.frombuffer(strips, kind, width * height).reshape(height, width, 1).astype(
            kind.newbyteorder('='))
    except (KeyError, ValueError, struct.error, IndexError) as error:
        if isinstance(error, BadPicture):
            raise
        raise BadPicture(f'found {len(data)} bytes that are no whole TIFF of depth') from None


def _entries(data: bytes, order: str) -> dict[int, tuple[int, ...]]:
    place, = struct.unpack_from(f'{order}I', data, 4)
    count, = struct.unpack_from(f'{order}H', data, place)
    found = {}
    for number in range(count):
        tag, kind, length = struct.unpack_from(f'{order}HHI', data, place + 2 + 12 * number)
        if kind not in _FIELDS or length > _MOST_ENTRIES:
            continue
        form = f'{order}{length}{_FIELDS[kind]}'
        at = place + 10 + 12 * number
        if struct.calcsize(form) > 4:
            at, = struct.unpack_from(f'{order}I', data, at)
        found[tag] = struct.unpack_from(form, data, at)
    return found
