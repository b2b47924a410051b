# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Video files in real time, and RTSP from a server of the test's own."""
from __future__ import annotations

from collections.abc import Iterator
import math
from pathlib import Path
import time

from captured import captured
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.video_source import Lag
from pictures import number
import pytest
from streams import RtspServer
from streams import serving
from streams import write_mp4

pytestmark = pytest.mark.timeout(120)
PERIOD_NS = 1e9 / 30


@pytest.fixture(scope='module')
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a video of one second."""
    return write_mp4(tmp_path_factory.mktemp('video') / 'one.mp4')


@pytest.fixture
def rtsp() -> Iterator[RtspServer]:
    """Give an RTSP camera."""
    with serving(RtspServer) as running:
        yield running


def test_a_file_plays_in_real_time_and_begins_anew(video: Path) -> None:
    """Stamps are whole periods apart, as the numbers are, over the end of the file too."""
    with captured(index_or_path=str(video), fps=30.0) as run:
        frames = run.frames(40)
        numbers = [number(frame.picture.rgb()) for frame in frames]
        for (a, b), (m, n) in zip(zip(frames, frames[1:]), zip(numbers, numbers[1:])):
            passed = (b.stamp_ns - a.stamp_ns) / PERIOD_NS
            assert abs(passed - round(passed)) < 1e-6 and round(passed) % 30 == (n - m) % 30
        assert any(n < m for m, n in zip(numbers, numbers[1:]))
        assert all(frame.stamp_ns <= time.monotonic_ns() for frame in frames)


def test_a_file_that_is_not_repeated_ends(video: Path) -> None:
    """Its end is told once, and it is not opened again."""
    with captured(index_or_path=f'file://{video}', loop=False, reconnect_period_s=0.05) as run:
        run.wait(lambda: run.lost)
        assert run.lost == [f'{video} has come to its end.'] and not run.back
        assert run.counters.received + run.counters.late == 30


@pytest.mark.parametrize('parameters, words', [
    ({'fps': 25.0}, 'gives 30 Hz instead of 25 Hz. Set width, height and fps to that'),
    ({'width': 320, 'height': 240}, 'gives size 640x480 instead of 320x240'),
    ({'fourcc': 'MJPG'}, 'gives format h264 instead of MJPG')])
def test_what_is_not_in_the_file_is_refused(
        video: Path, parameters: dict[str, object], words: str) -> None:
    """Another rate, size or format than asked for."""
    with pytest.raises(CameraError, match=words), captured(index_or_path=str(video), **parameters):
        pass


def test_a_broken_file_is_told(tmp_path: Path, video: Path) -> None:
    """No video, a video without its index, one without pictures, none at all."""
    path = tmp_path / 'broken.mp4'
    for data, words in ((b'', 'cannot be read as video'), (b'no video' * 100, 'cannot be read as'),
                        (video.read_bytes()[:5000], 'cannot be read as video')):
        path.write_bytes(data)
        with pytest.raises(CameraError, match=words), captured(index_or_path=str(path)):
            pass
    with pytest.raises(CameraError, match='missing.mp4 is no file'), \
            captured(index_or_path=str(tmp_path / 'missing.mp4')):
        pass


def test_damage_inside_a_file_costs_pictures_only(tmp_path: Path, video: Path) -> None:
    """Pictures that cannot be decoded are counted or come as the decoder repairs them."""
    data = bytearray(video.read_bytes())
    begin = data.index(b'mdat') + 3000
    data[begin:begin + 400] = bytes(400)
    path = tmp_path / 'scratched.mp4'
    path.write_bytes(data)
    with captured(index_or_path=str(path)) as run:
        assert len(run.frames(20)) == 20


def test_rtsp_comes_as_it_is_sent(rtsp: RtspServer) -> None:
    """Numbers follow each other; stamps are the arrival of the last byte."""
    with captured(index_or_path=rtsp.url) as run:
        frames = run.frames(15)
        numbers = [number(frame.picture.rgb()) for frame in frames]
        stamps = [frame.stamp_ns for frame in frames]
        assert all(0 < (b - a) % 100 < 20 for a, b in zip(numbers, numbers[1:]))
        assert stamps == sorted(set(stamps)) and stamps[-1] <= time.monotonic_ns()
        assert run.source.stamps == 'arrival of the last byte'


def test_rtsp_that_is_lost_is_opened_again(rtsp: RtspServer) -> None:
    """A connection that ends, and one that falls silent."""
    with captured(index_or_path=rtsp.url, timeout_s=0.5, reconnect_period_s=0.1) as run:
        run.frames(3)
        rtsp.hang_up()
        run.wait(lambda: run.counters.reconnects == 1)
        rtsp.silent = True
        run.wait(lambda: len(run.lost) == 2)
        rtsp.silent = False
        run.wait(lambda: run.counters.reconnects >= 2)
        run.frames(3)
    assert run.lost[0] == f'{rtsp.url} has ended.'


def test_rtsp_without_a_server_is_told() -> None:
    """Nobody listens."""
    with pytest.raises(CameraError, match='cannot be read as video: Connection refused'), \
            captured(index_or_path='rtsp://127.0.0.1:9/live'):
        pass


def test_pictures_that_waited_are_late() -> None:
    """Against its own clock a stream may come later than it once came, but not more than told."""
    lag = Lag()
    # The burst at the beginning has waited for nobody knows how long.
    assert [lag.of(media, 100.0 + media / 100) for media in (-3.0, -2.0, -1.0)] == [math.inf] * 3
    assert lag.of(0.0, 100.5) == pytest.approx(0.0)
    assert lag.of(1.0, 101.6) == pytest.approx(0.1, abs=1e-3)
    assert lag.of(2.0, 102.4) == 0.0
    assert lag.of(3.0, 106.4) == pytest.approx(3.0, abs=1e-2)
    # A camera whose clock goes slower by 50 millionths falls behind itself by nothing.
    assert all(lag.of(second, 100.4 + second * 1.00005) < 0.02
               for second in range(4, 100_000, 100))
