# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Look into mp4s that were cut anywhere."""

from __future__ import annotations

from pathlib import Path

from apprentice_dataset.boxes import scan
from apprentice_dataset.codecs import decide
from apprentice_dataset.codecs import VideoSettings
from apprentice_dataset.mp4 import Mp4Writer
from apprentice_dataset.mp4 import track_timescale
from apprentice_dataset.video import frame_times
import av
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest


def _frame(number: int) -> av.VideoFrame:
    pixels = np.full((48, 64, 3), 5 * number % 250, np.uint8)
    return av.VideoFrame.from_ndarray(pixels, format='rgb24').reformat(format='yuv420p')


@pytest.fixture(scope='module')
def mp4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 47 frames in groups of 15."""
    path = tmp_path_factory.mktemp('boxes') / 'a.mp4'
    writer = Mp4Writer(path, 64, 48, 30, decide(VideoSettings(g=15), 30))
    for number in range(47):
        writer.write(_frame(number))
        assert writer.flushed == number - number % 15
    writer.close()
    return path


def test_a_whole_file(mp4: Path) -> None:
    """Fragments hold a group each, the last one the rest."""
    found = scan(mp4)
    assert [one.frames for one in found.fragments] == [15, 15, 15, 2] and found.frames == 47
    assert found.moov and found.header.endswith(found.moov)


@settings(max_examples=60)
@given(st.data())
def test_a_file_cut_anywhere(mp4: Path, data: st.DataObject) -> None:
    """Cut at any byte, exactly the whole fragments before it count and can be decoded."""
    whole = scan(mp4)
    content = mp4.read_bytes()
    size = data.draw(st.integers(0, len(content)))
    cut = mp4.with_name('cut.mp4')
    cut.write_bytes(content[:size])
    found = scan(cut)
    assert found.fragments == tuple(one for one in whole.fragments if one.end <= size)
    if found.fragments:
        cut.write_bytes(content[:found.end])
        assert frame_times(cut, 30)[0] == list(range(found.frames))


@given(st.binary(max_size=200))
def test_any_bytes(mp4: Path, content: bytes) -> None:
    """Something else is no mp4, and no error either."""
    path = mp4.with_name('any')
    path.write_bytes(content)
    assert scan(path).frames == 0


def test_ordinary_files(tmp_path: Path) -> None:
    """An mp4 with one table of samples, as others write it, is counted from that table."""
    path = tmp_path / 'plain.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for number in range(33):
            container.mux(stream.encode(_frame(number)))
        container.mux(stream.encode(None))
    found = scan(path)
    assert found.frames == 33 and found.moov and not found.fragments


def test_the_timescale_divides_every_rate() -> None:
    """It is the smallest fps * 2^k from 10000 on."""
    assert [track_timescale(fps) for fps in (30, 10, 25, 60, 1)] == [
        15360, 10240, 12800, 15360, 16384]
