# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read pictures inside tables and distances of depth cameras."""
from __future__ import annotations

from pathlib import Path
import struct

from apprentice_dataset.depth import from_codes
from apprentice_dataset.depth import from_recorded
from apprentice_dataset.depth_scale import DepthScale
from apprentice_dataset.errors import BadPicture
from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.features import Feature
from apprentice_dataset.pictures import decode_picture
from apprentice_dataset.reader import Dataset
import numpy as np
from numpy.typing import NDArray
from older import build
from older import png
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording import CAMERA
from recording import number_in
from recording import pixels

DEPTH = Feature('image', (4, 3, 1), ['height', 'width', 'channels'])


def tiff(values: NDArray[np.generic], order: str = '<', **change: int) -> bytes:
    """Write an uncompressed TIFF in two strips."""
    height, width = values.shape
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    half = len(data) // 2
    form = {'u': 1, 'f': 3}[values.dtype.kind]
    entries = {256: width, 257: height, 258: 8 * values.itemsize, 259: 1, 277: 1, 339: form,
               **{int(name[1:]): value for name, value in change.items()}}
    tail = 8 + 2 + 12 * (len(entries) + 2) + 4
    head = (b'II*\0' if order == '<' else b'MM\0*') + struct.pack(f'{order}I', 8)
    head += struct.pack(f'{order}H', len(entries) + 2)
    for tag, value in entries.items():
        head += struct.pack(f'{order}HHII', tag, 4, 1, value)
    for tag, place in ((273, tail), (279, tail + 8)):
        head += struct.pack(f'{order}HHII', tag, 4, 2, place)
    begin = tail + 16
    return head + struct.pack(f'{order}I4I', 0, begin, begin + half, half, half) + data


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize('order', ['<', '>'])
def test_tiff(dtype: type, order: str) -> None:
    """Distances come back bit for bit, whatever the order of bytes."""
    values = (np.arange(12).reshape(4, 3) * 20.5).astype(dtype)
    found = decode_picture(tiff(values, order), DEPTH)
    assert found.shape == (4, 3, 1) and found.dtype == dtype
    assert np.array_equal(found[:, :, 0], values)


def test_png() -> None:
    """A picture comes back as RGB."""
    assert np.array_equal(decode_picture(png(pixels(1234)), CAMERA), pixels(1234))


WHOLE = tiff(np.arange(12, dtype=np.uint16).reshape(4, 3))


@pytest.mark.parametrize(('data', 'feature', 'message'), [
    (None, CAMERA, 'found no bytes'), (b'', CAMERA, 'found no bytes'),
    (b'GIF89a', CAMERA, "begin with b'GIF8'"),
    (png(pixels(1))[:60], CAMERA, 'no whole png|no png'),
    (png(pixels(1)[:24]), CAMERA, 'found a picture of 64x24, expected 64x48'),
    (WHOLE[:-5], DEPTH, 'no whole TIFF'), (WHOLE[:20], DEPTH, 'no whole TIFF'),
    (tiff(np.zeros((4, 3), np.uint16), t259=5), DEPTH, 'compressed'),
    (tiff(np.zeros((4, 3), np.uint16), t256=1 << 30), DEPTH, 'no whole TIFF'),
    (tiff(np.zeros((4, 3), np.uint16), t339=7), DEPTH, 'no whole TIFF')])
def test_bad_pictures(data: bytes | None, feature: Feature, message: str) -> None:
    """Bytes that are no picture of the size are told, whatever sizes they claim."""
    with pytest.raises(BadPicture, match=message):
        decode_picture(data, feature)


def test_codes_of_depth() -> None:
    """Figures of the format: logarithmic with its defaults, clamped, whole millimetres."""
    codes = np.array([[0, 4095, 65535]], np.uint16)
    assert from_codes(codes, None).tolist() == [[10.0, 10000.0, 10000.0]]
    step = (np.log(13.5) - np.log(3.51)) / 4095
    code = np.uint16(np.rint((np.log(0.503 + 3.5) - np.log(3.51)) / step))
    # A length of 503 mm comes back as 504: that is what twelve bits give.
    assert from_codes(np.array([code]), {}).tolist() == [504.0]
    linear = {'video.use_log': False, 'video.depth_min': 0.0, 'video.depth_max': 4.095}
    assert from_codes(np.array([0, 1, 1500], np.uint16), linear).tolist() == [0.0, 1.0, 1500.0]


@pytest.mark.parametrize('value', [10 ** 400, float('nan'), True, '3', None])
def test_a_range_of_depth_that_is_no_number_is_the_formats(value: object) -> None:
    """Whole numbers of JSON may be larger than any that can be computed with."""
    codes = np.array([0, 504, 4095], np.uint16)
    found = from_codes(codes, dict.fromkeys(('video.depth_max', 'video.depth_min'), value))
    assert found.tolist() == from_codes(codes, None).tolist()
    with pytest.raises(DatasetBroken, match='depth_max'):
        DepthScale.of('features.a', {'video.depth_max': value})


def test_recorded_units() -> None:
    """Metres become millimetres; those, and what is of no known unit, stay."""
    found = from_recorded(np.array([0.5034], np.float32), {'depth_unit': 'm'})
    assert found.tolist() == pytest.approx([503.4], abs=1e-3)
    assert from_recorded(np.array([503], np.uint16), {'depth_unit': 'mm'}).tolist() == [503.0]
    assert from_recorded(np.array([0.5], np.float32), None).tolist() == [0.5]


def test_a_dataset_with_pictures_in_its_tables(tmp_path: Path) -> None:
    """They are read like those of an mp4; a cell without bytes is an error."""
    root = build(tmp_path / 'old', 3, 2, image=True)
    dataset = Dataset.open(root)
    camera = next(name for name, feature in dataset.info.features.items()
                  if feature.dtype == 'image')
    assert [number_in(picture) for picture in dataset.frames(1, camera)] == [100, 101]
    assert number_in(dataset.frame(0, camera, 2)) == 2
    path, = (root / 'data').rglob('*_000001.parquet')
    table = pq.read_table(path)
    cells = [{'bytes': None, 'path': 'frame_000000.png'}] * 2
    pq.write_table(table.set_column(table.column_names.index(camera), camera, pa.array(
        cells, table[camera].type)), path)
    with pytest.raises(DatasetBroken, match=f'{camera}, frame 1: found no bytes'):
        dataset.frame(1, camera, 1)
