# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The command that lists cameras and saves what they see."""
from __future__ import annotations

import os
from pathlib import Path
import re
import subprocess
import sys

from fake_v4l2 import Camera
from fake_v4l2 import Machine
from opencv_camera_driver.find_cameras import main
from opencv_camera_driver.find_cameras import MOSAIC
from opencv_camera_driver.mosaic import side_by_side
from pictures import decoded
from pictures import number
from pictures import picture
import pytest
from streams import MjpegServer
from streams import serving
from streams import write_mp4

pytestmark = pytest.mark.timeout(120)


def run(machine: Machine, *arguments: object) -> tuple[int, str]:
    command = [sys.executable, '-m', 'opencv_camera_driver.find_cameras', *map(str, arguments)]
    result = subprocess.run(command, env={**os.environ, **machine.environment}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert 'Traceback' not in result.stdout, result.stdout
    return result.returncode, result.stdout


def test_every_camera_is_listed_and_seen(machine: Machine, tmp_path: Path) -> None:
    """Stable name, formats, a picture each, and all side by side; settings are left alone."""
    machine.plug(2, Camera('Other Camera', '', '1-3', ('YUYV 320 240 30',)))
    machine.sees('Other Camera', 'YUYV', {0: bytes(320 * 240 * 2)})
    code, text = run(machine, '--output', tmp_path / 'seen', '--settle', 0.2)
    assert code == 0, text
    assert f'1. {Camera().by_id}' in text
    # Without a serial number only the place on the bus tells alike cameras apart.
    assert '2. /dev/v4l/by-path/pci-0000:00:14.0-usb-0:1-3:1.0-video-index0' in text
    assert 'MJPG 640x480 at 30, 15 Hz' in text and 'YUYV 320x240 at 30 Hz' in text
    first, second = (path for path in sorted((tmp_path / 'seen').iterdir())
                     if path.name != MOSAIC)
    assert str(first) in text and decoded(first.read_bytes()).shape == (480, 640, 3)
    assert 0 < number(decoded(first.read_bytes())) < 30
    assert decoded(second.read_bytes()).shape == (240, 320, 3)
    assert decoded((tmp_path / 'seen' / MOSAIC).read_bytes()).shape == (360, 960, 3)


def test_a_busy_camera_is_named_and_left_alone(machine: Machine, tmp_path: Path) -> None:
    """Its user is told; the others are looked at all the same."""
    machine.plug(2, Camera('Other Camera', 'SN2', '1-3'))
    machine.sees('Other Camera', 'MJPG', {0: (machine.root / 'frames/Fake Camera/MJPG/1')
                                          .read_bytes()})
    with open(machine.root / 'dev/video0', encoding='utf-8'):
        # The test itself holds it.
        code, text = run(machine, '--output', tmp_path / 'seen', '--settle', 0.1)
    assert code == 0
    assert f'no picture: /dev/video0 is in use by process {os.getpid()} (' in text
    assert len(list((tmp_path / 'seen').iterdir())) == 2


def test_no_camera(machine: Machine, tmp_path: Path) -> None:
    """Exit code 1, and a word on what to do; nothing is written."""
    machine.unplug(0)
    code, text = run(machine, '--output', tmp_path / 'seen')
    assert code == 1 and 'No camera is plugged in' in text and 'when they are named' in text
    assert not (tmp_path / 'seen').exists()


def test_named_sources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Streams and files are looked at when they are named; one that fails does not end it."""
    video = write_mp4(tmp_path / 'clip.mp4', 5)
    with serving(MjpegServer) as server:
        assert main(['--output', str(tmp_path / 'seen'), '--settle', '0.1', server.url,
                     str(video), str(tmp_path / 'none.mp4')]) == 0
    text = capsys.readouterr().out
    assert f'1. {server.url}' in text and f'2. {video}' in text
    assert re.search(r'3\. .*none\.mp4\n   no picture: .* is no file', text)
    names = sorted(path.name for path in (tmp_path / 'seen').iterdir())
    assert names == ['1_stream.jpg', '2_clip.mp4.jpg', MOSAIC]


def test_nothing_can_be_seen_or_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A failure of all, and a folder that cannot be made."""
    assert main([str(tmp_path / 'none.mp4')]) == 1
    video = write_mp4(tmp_path / 'clip.mp4', 2)
    assert main(['--output', str(video), str(video)]) == 1
    assert 'the pictures cannot be saved: File exists' in capsys.readouterr().out


def test_pictures_are_numbered_side_by_side() -> None:
    """Equal heights, the number in the corner, many digits too."""
    mosaic = side_by_side([picture(0, 640, 480), picture(0, 320, 240), picture(0, 480, 640)])
    assert mosaic.shape == (360, 480 + 480 + 270, 3)
    many = side_by_side([picture(0, 64, 360)] * 12)
    # The last picture shows 12: the label is wider than that of the first.
    first, last = many[8:48, :64], many[8:48, -64:]
    assert (last == 255).all(axis=2).sum() > (first == 255).all(axis=2).sum() > 0
