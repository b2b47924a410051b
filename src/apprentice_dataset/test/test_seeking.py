# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Any frame is found from anywhere, also where mp4s store frames in another order than shown."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
import random
from typing import Any

from apprentice_dataset import frames
from apprentice_dataset.frames import VideoFile
from apprentice_dataset.items import Items
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.stream import Stream
from apprentice_dataset.stream_video import StreamVideo
from apprentice_dataset.video import decode
import av
from edits import golden
import numpy as np
import pytest

FRAMES = 40
CODECS = {'h264': {'g': '8', 'bf': '2', 'x264-params': 'open-gop=1'},
          'hevc': {'g': '6', 'bf': '2', 'x265-params': 'log-level=none'}}


def _video_file(path: Path) -> Callable[[Sequence[int]], Any]:
    return VideoFile(path, Fraction(30)).frames


def _stream_video(path: Path) -> Callable[[Sequence[int]], Any]:
    video = StreamVideo(str(path), str(path), 30)
    return lambda numbers: video.frames(np.array(numbers) / 30, 1e-4)


READERS = {'VideoFile': _video_file, 'StreamVideo': _stream_video,
           'decode': lambda path: lambda numbers: decode(path, numbers, 30)}


@pytest.fixture(scope='module', params=CODECS)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an mp4 of greys, frame n has about level 6 n, with frames out of order."""
    path = tmp_path_factory.mktemp('seeking') / 'video.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(request.param, rate=30, options=CODECS[request.param])
        stream.width, stream.height, stream.pix_fmt = 64, 64, 'yuv420p'
        for number in range(FRAMES):
            picture = np.full((64, 64, 3), 6 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, 'rgb24')))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        packets = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert packets != sorted(packets)
    return path


@pytest.mark.parametrize('reader', READERS)
def test_any_frame_from_anywhere(reader: str, path: Path) -> None:
    """One after the other at random, backwards, and several at once."""
    read = READERS[reader](path)
    order = random.Random(0).sample(range(FRAMES), FRAMES)
    for numbers in [*([one] for one in order), *([one] for one in range(FRAMES - 1, -1, -1)),
                    [3, 4, 21, 38]]:
        levels = [float(picture.mean()) for picture in read(numbers)]
        assert levels == pytest.approx([6 * one for one in numbers], abs=2.9)


@pytest.mark.parametrize('kind', ['depth_video', 'depth_image', 'video', 'files'])
def test_order_changes_no_item(kind: str, tmp_path: Path) -> None:
    """Items of lerobot's datasets drawn at random, and shuffled ones, are those in order."""
    root = golden(kind, tmp_path)
    items = Items(read_metadata(root))
    found = items.items(range(len(items)))
    for one in random.Random(0).sample(range(len(items)), len(items)):
        _equal(Items(read_metadata(root)).items([one])[0], found[one])
    for item in Stream(root, buffer_size=8).items():
        _equal(item, found[int(item['index'])])


def _equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert np.array_equal(value, other[name]), name


def test_what_lies_behind_the_next_key_frame_is_sought(tmp_path: Path) -> None:
    """Once the distance of key frames is known no frame is decoded for nothing."""
    path = tmp_path / 'video.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=30, options={'g': '2', 'bf': '0'})
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for number in range(FRAMES):
            picture = np.full((48, 64, 3), 6 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, 'rgb24')))
        container.mux(stream.encode())
    video = VideoFile(path, Fraction(30))
    list(video.frames([0, 1, 2]))
    decoded = []
    real = frames.frames_from

    def counted(*arguments: Any) -> Any:
        for number, frame in real(*arguments):
            decoded.append(number)
            yield number, frame
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, 'frames_from', counted)
        found = [int(picture.mean()) for picture in video.frames([10, 20, 31])]
    assert decoded == [10, 20, 30, 31]
    assert found == pytest.approx([60, 120, 186], abs=4)
