# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures cut out of a multipart stream, however its bytes arrive."""
from __future__ import annotations

import random

from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.multipart import LARGEST
from opencv_camera_driver.multipart import Multipart
from pictures import jpeg
import pytest

PICTURES = [jpeg(number, 64, 48) for number in range(6)]


def stream(length: bool = True, mark: str = '--b', rubbish: bytes = b'') -> bytes:
    parts = []
    for data in PICTURES:
        size = f'content-length: {len(data)}\r\n' if length else ''
        parts.append(f'{mark}\r\nContent-Type: image/jpeg\r\n{size}\r\n'.encode() + data
                     + b'\r\n' + rubbish)
    return b''.join(parts)


def cut(data: bytes, seed: int) -> list[bytes]:
    generator = random.Random(seed)
    places = sorted(generator.randrange(len(data)) for _ in range(generator.randrange(1, 60)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)])]


@pytest.mark.parametrize('length', [True, False])
@pytest.mark.parametrize('boundary', ['b', '--b', '"b"'])
def test_parts_are_untouched_however_they_are_cut(length: bool, boundary: str) -> None:
    """With Content-Length and without, whether servers count the dashes or not."""
    for seed in range(40):
        parser = Multipart(boundary)
        found = [part for piece in cut(stream(length), seed) for part in parser.feed(piece)]
        assert found == PICTURES and parser.damaged == 0


def test_a_picture_without_length_does_not_wait_for_the_next() -> None:
    """It is given when its last byte is there."""
    parser = Multipart('b')
    data = stream(length=False)
    end = data.index(PICTURES[0]) + len(PICTURES[0])
    assert parser.feed(data[:end - 1]) == []
    assert parser.feed(data[end - 1:end]) == [PICTURES[0]]
    assert parser.feed(data[end:]) == PICTURES[1:]


def test_rubbish_between_parts_costs_nothing_else() -> None:
    """Whatever lies between two parts, the pictures come."""
    for seed in range(20):
        parser = Multipart('b')
        rubbish = random.Random(seed).randbytes(9000).replace(b'--b', b'')
        pieces = cut(stream(rubbish=rubbish), seed)
        assert [part for piece in pieces for part in parser.feed(piece)] == PICTURES


@pytest.mark.parametrize('lie', [1, 37, 100_000])
def test_a_wrong_length_loses_one_picture(lie: int) -> None:
    """A part that says that it is longer than it is does not swallow the next ones."""
    data = stream()
    told = f'content-length: {len(PICTURES[2])}\r\n'.encode()
    at = data.index(PICTURES[2]) - len(told) - 2
    wrong = f'content-length: {len(PICTURES[2]) + lie}\r\n'.encode()
    parser = Multipart('b')
    found = parser.feed(data[:at] + wrong + data[at + len(told):])
    assert all(part in found for part in PICTURES[:2] + PICTURES[3:])


def test_parts_that_are_no_pictures_are_counted() -> None:
    """A picture cut short, a text: neither is given."""
    parser = Multipart('b')
    half = PICTURES[0][:len(PICTURES[0]) // 2]
    for body in (half, b'<html>busy</html>'):
        part = f'--b\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body + b'\r\n'
        assert parser.feed(part) == []
    assert parser.damaged == 2
    assert parser.feed(stream()) == PICTURES


def test_what_never_ends_is_refused() -> None:
    """Memory does not grow with a stream that has no parts, nor with a part that has no end."""
    parser = Multipart('b')
    for _ in range(40):
        assert parser.feed(bytes(1_000_000)) == []
    with pytest.raises(CameraError, match='no MJPEG stream'):
        parser.feed(f'--b\r\nContent-Length: {LARGEST + 1}\r\n\r\n'.encode())
    parser = Multipart('b')
    parser.feed(b'--b\r\n\r\n')
    with pytest.raises(CameraError, match='no end of a picture within 16 MB'):
        for _ in range(20):
            parser.feed(bytes(1_000_000))
