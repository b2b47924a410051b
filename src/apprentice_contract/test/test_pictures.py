# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures pass as they were received, or with an error that names the topic."""
from __future__ import annotations

from apprentice_contract.contract import Camera
from apprentice_contract.contract import Stream
from apprentice_contract.errors import CodecError
from apprentice_contract.pictures import jpeg_size
from apprentice_contract.pictures import picture
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.images import RawImage
from hypothesis import given
from hypothesis import strategies as st
from messages import compressed
from messages import jpeg
from messages import png
from messages import raw_image
import numpy as np
import pytest

CAMERA = Camera('front', 64, 48)
COMPRESSED = Stream('front', 'front/image_raw/compressed', 'sensor_msgs/msg/CompressedImage', 30.0)
RAW = Stream('front', 'front/image_raw', 'sensor_msgs/msg/Image', 30.0)


@pytest.mark.parametrize('form', ['jpeg', 'rgb8; jpeg compressed bgr8', 'JPEG', ''])
def test_a_jpeg_is_known_by_its_data(form: str) -> None:
    """However the format is written; the bytes are the message's own."""
    message = compressed(jpeg(64, 48), form)
    found = picture(message, CAMERA, COMPRESSED)
    assert isinstance(found, EncodedImage) and found.kind == 'jpeg'
    message.data[2] = 0xFE
    assert found.data[2] == 0xFE, 'a copy was made'


def test_pngs() -> None:
    """The same."""
    found = picture(compressed(png(64, 48), '; png compressed '), CAMERA, COMPRESSED)
    assert isinstance(found, EncodedImage) and found.kind == 'png'


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'mono8'])
def test_raw_images(encoding: str) -> None:
    """With their step; a NumPy array serves as well as an array of rclpy."""
    message = raw_image(64, 48, encoding, 200)
    message.data = np.frombuffer(message.data, np.uint8)
    found = picture(message, CAMERA, RAW)
    assert isinstance(found, RawImage)
    assert (found.width, found.height, found.encoding, found.step) == (64, 48, encoding, 200)
    assert np.shares_memory(np.frombuffer(found.data, np.uint8), message.data)


@pytest.mark.parametrize(('message', 'expected'), [
    (raw_image(64, 50), 'size: found 64x50, expected 64x48'),
    (raw_image(64, 48, '16UC1'), "encoding: found '16UC1', expected rgb8 | bgr8 | mono8"),
    (raw_image(64, 48, 'rgb8', 100), 'step: found 100, expected at least 192 bytes'),
])
def test_raw_images_that_do_not_fit(message: object, expected: str) -> None:
    """What was found, what is right."""
    with pytest.raises(CodecError, match='front/image_raw') as caught:
        picture(message, CAMERA, RAW)
    assert expected in str(caught.value)


def test_a_raw_image_that_lacks_bytes() -> None:
    """Truncated by a byte."""
    message = raw_image(64, 48)
    message.data.pop()
    with pytest.raises(CodecError, match='data: found 9215 bytes, expected at least 9216'):
        picture(message, CAMERA, RAW)


@pytest.mark.parametrize(('data', 'expected'), [
    (jpeg(640, 480), 'size: found 640x480, expected 64x48'),
    (png(48, 64), 'size: found 48x64, expected 64x48'),
    (b'', "data: found neither (format 'jpeg', 0 bytes), expected a JPEG or PNG"),
    (b'RIFF' + bytes(40), 'expected a JPEG or PNG'),
    (jpeg(64, 48)[:12], 'a JPEG of 12 bytes without size'),
    (b'\xff\xd8\xff\xda' + bytes(20), 'without size'),
])
def test_compressed_images_that_do_not_fit(data: bytes, expected: str) -> None:
    """The same."""
    with pytest.raises(CodecError, match='front/image_raw/compressed') as caught:
        picture(compressed(data), CAMERA, COMPRESSED)
    assert expected in str(caught.value)


def test_the_size_stands_behind_other_segments() -> None:
    """Tables, fill bytes and restart markers come before it."""
    before = b'\xff\xff\xff\xdb\x00\x05abc' + b'\xff\xc4\x00\x03x' + b'\xff\xd0'
    assert jpeg_size(memoryview(jpeg(1280, 720, before))) == (1280, 720)


@given(st.binary(max_size=60))
def test_no_data_breaks_the_reader_of_sizes(data: bytes) -> None:
    """It ends with a size or with none."""
    found = jpeg_size(memoryview(b'\xff\xd8' + data))
    assert found is None or len(found) == 2
