# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures from every format to every form."""
from __future__ import annotations

import numpy as np
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.jpeg import is_whole
from opencv_camera_driver.jpeg import jpeg_size
from opencv_camera_driver.picture import decode_raw
from opencv_camera_driver.picture import Picture
from opencv_camera_driver.picture import RAW_FORMATS
from pictures import decoded
from pictures import jpeg
from pictures import number
from pictures import picture
import pytest

WIDTH, HEIGHT, PAD = 64, 48, 16
# 16 to 235 and 16 to 240, as cameras have it: black, white, red, blue.
LUMA = {'black': 16, 'white': 235, 'red': 81, 'blue': 41}
CHROMA = {'black': (128, 128), 'white': (128, 128), 'red': (90, 240), 'blue': (240, 110)}
RGB = {'black': (0, 0, 0), 'white': (255, 255, 255), 'red': (255, 0, 0), 'blue': (0, 0, 255)}


def raw(fourcc: str, name: str) -> tuple[bytes, int]:
    """Return a plain picture with padded lines, and how long a line is."""
    y, (u, v) = LUMA[name], CHROMA[name]
    pixel = {'YUYV': bytes((y, u, y, v)) * (WIDTH // 2),
             'UYVY': bytes((u, y, v, y)) * (WIDTH // 2),
             'NV12': bytes([y]) * WIDTH, 'RGB3': bytes(RGB[name]) * WIDTH,
             'BGR3': bytes(RGB[name][::-1]) * WIDTH, 'GREY': bytes([RGB[name][1]]) * WIDTH}[fourcc]
    lines = [pixel] * HEIGHT
    if fourcc == 'NV12':
        lines += [bytes((u, v)) * (WIDTH // 2)] * (HEIGHT // 2)
    return b''.join(line + bytes(PAD) for line in lines), len(pixel) + PAD


@pytest.mark.parametrize('fourcc', RAW_FORMATS)
@pytest.mark.parametrize('name', LUMA)
def test_every_format_has_the_right_colours(fourcc: str, name: str) -> None:
    """Lines may be padded; the colours come out within what the conversion rounds."""
    if fourcc == 'GREY' and name in ('red', 'blue'):
        name = 'white'
    data, stride = raw(fourcc, name)
    pixels = decode_raw(data, fourcc, WIDTH, HEIGHT, stride)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(pixels.astype(int) - RGB[name]).max() <= 6


def test_a_short_picture_is_refused() -> None:
    """Data that is missing is told, the last line's padding is not missed."""
    data, stride = raw('YUYV', 'red')
    assert decode_raw(data[:-PAD], 'YUYV', WIDTH, HEIGHT, stride).shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(CameraError, match='a picture of .* bytes came, expected'):
        decode_raw(data[:-PAD - 1], 'YUYV', WIDTH, HEIGHT, stride)


def test_sizes_are_read_without_decoding() -> None:
    """Of a whole picture, a padded one, half a one and none."""
    data = jpeg(5, 320, 240)
    assert jpeg_size(data) == (320, 240) and is_whole(data) and is_whole(data + bytes(100))
    assert not is_whole(data[:len(data) // 2]) and not is_whole(b'') and not is_whole(b'\xff\xd8')
    assert jpeg_size(b'GIF89a') is None
    for end in range(200):
        assert jpeg_size(data[:end]) in (None, (320, 240))


def test_a_picture_without_huffman_tables_is_decoded() -> None:
    """Many USB cameras leave the standard tables out to save bandwidth."""
    data = jpeg(9)
    while (at := data.find(b'\xff\xc4')) > 0:
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2:at + 4], 'big'):]
    assert number(Picture(640, 480, jpeg=data).rgb()) == 9


def test_a_damaged_picture_is_told() -> None:
    """What begins like a JPEG and is none."""
    with pytest.raises(CameraError, match='a damaged JPEG came'):
        Picture(640, 480, jpeg=b'\xff\xd8' + bytes(100)).rgb()


def test_a_picture_is_encoded_where_there_is_no_jpeg() -> None:
    """Uncompressed and turned pictures."""
    made = Picture(640, 480, decode=lambda: picture(77))
    assert number(decoded(made.jpeg(90))) == 77 and not made.passes_through
    turned = Picture(640, 480, jpeg=jpeg(78), rotation=180)
    assert number(np.rot90(decoded(turned.jpeg(90)), 2)) == 78


@pytest.mark.parametrize('color_mode, step', [('rgb', 1), ('bgr', -1)])
@pytest.mark.parametrize('rotation', [0, 90, 180, -90])
def test_a_picture_is_drawn_in_either_order(color_mode: str, step: int, rotation: int) -> None:
    """What is written into a message is what `rgb` returns, whichever way it is made."""
    for source in ({'jpeg': jpeg(77)}, {'decode': lambda: picture(77)}):
        expected = Picture(640, 480, rotation=rotation, **source).rgb()[..., ::step]
        target = np.zeros(expected.shape, np.uint8)
        Picture(640, 480, rotation=rotation, **source).draw(target, color_mode)
        assert (target == expected).all() and target.any()
