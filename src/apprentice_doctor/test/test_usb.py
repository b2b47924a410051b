# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Cameras and adapters as a sysfs tree in a temporary folder describes them."""
from __future__ import annotations

from pathlib import Path

from apprentice_doctor import cameras
from apprentice_doctor.finding import Level
from apprentice_doctor.robot import Camera
from apprentice_doctor.robot import Question
from apprentice_doctor.robot import Robot
from apprentice_doctor.usb import find_video
from apprentice_doctor.usb import latency_timer
from apprentice_doctor.usb import place_of
from doctor_stage import as_nobody


AS_NOBODY = """
from pathlib import Path
import sys
from apprentice_doctor import cameras
from apprentice_doctor.robot import Camera, Question, Robot
robot = Robot(Path('h.yaml'), cameras=(Camera('front', '', '0'),))
for item in cameras.check(Question(robot, root=Path(sys.argv[1]))):
    print(item.level.name, item.name, item.cure, sep=' ')
"""


def plug(root: Path, number: int, bus: int, port: int, speed: str, serial: str = '') -> None:
    """Lay a camera into the tree, behind a hub port of a bus."""
    usb = root / f'sys/devices/pci0000:00/0000:00:14.0/usb{bus}/{bus}-{port}'
    interface = usb / f'{bus}-{port}:1.0'
    interface.mkdir(parents=True)
    (usb / 'speed').write_text(f'{speed}\n')
    (usb / 'serial').write_text(f'{serial}\n')
    video = root / f'sys/class/video4linux/video{number}'
    video.mkdir(parents=True)
    (video / 'device').symlink_to(interface)
    links = root / 'dev/v4l/by-id'
    links.mkdir(parents=True, exist_ok=True)
    (links / f'usb-cam{number}').symlink_to(f'../../video{number}')


def names(root: Path, *wanted: Camera) -> dict[str, Level]:
    """Return the findings of a robot with these cameras."""
    robot = Robot(Path('h.yaml'), cameras=wanted)
    return {found.name: found.level for found in cameras.check(Question(robot, root=root))}


def test_two_yuyv_cameras_overfill_one_usb_2_bus(tmp_path: Path) -> None:
    """In MJPG, or on two buses, they fit."""
    plug(tmp_path, 0, 1, 1, '480')
    plug(tmp_path, 2, 1, 2, '480')
    plug(tmp_path, 4, 3, 1, '480')
    first = Camera('front', '', '/dev/v4l/by-id/usb-cam0', fourcc='YUYV')
    assert names(tmp_path, first)['usb-bandwidth'] is Level.OK
    second = Camera('wrist', '', '/dev/v4l/by-id/usb-cam2', fourcc='YUYV')
    assert names(tmp_path, first, second)['usb-bandwidth'] is Level.ERROR
    second = Camera('wrist', '', '/dev/v4l/by-id/usb-cam2', fourcc='MJPG')
    assert names(tmp_path, first, second)['usb-bandwidth'] is Level.OK
    second = Camera('wrist', '', '/dev/v4l/by-id/usb-cam4', fourcc='YUYV')
    assert names(tmp_path, first, second)['usb-bandwidth'] is Level.OK


def test_usb_3_carries_two_yuyv_cameras(tmp_path: Path) -> None:
    """A faster bus has room."""
    plug(tmp_path, 0, 2, 1, '5000')
    plug(tmp_path, 2, 2, 2, '5000')
    both = [Camera(name, '', f'usb-cam{number}', fourcc='YUYV')
            for name, number in (('front', 0), ('wrist', 2))]
    assert names(tmp_path, *both)['usb-bandwidth'] is Level.OK


def test_a_camera_is_found_by_each_of_its_names(tmp_path: Path) -> None:
    """Number, path, link, link's name and serial number mean the same device."""
    plug(tmp_path, 0, 1, 1, '480', 'AB12')
    (tmp_path / 'dev/video0').touch()
    for spec in ('0', '/dev/video0', '/dev/v4l/by-id/usb-cam0', 'usb-cam0', 'AB12'):
        assert find_video(spec, tmp_path) == 'video0', spec
    place = place_of('video0', tmp_path)
    assert place is not None and (place.bus, place.speed) == ('usb1', 480.0)


def test_missing_and_numbered_cameras_are_told(tmp_path: Path) -> None:
    """A camera that is not there is an error, one by number among several a warning."""
    plug(tmp_path, 0, 1, 1, '480')
    found = names(tmp_path, Camera('front', '', '0'), Camera('wrist', '', '7'))
    assert found['camera-missing'] is Level.ERROR
    assert found['camera-by-number'] is Level.WARN
    assert names(tmp_path) == {'no-camera': Level.OK}


def test_cameras_that_are_there_and_those_elsewhere(tmp_path: Path) -> None:
    """One on USB has its place; a stream and a file are not looked for on USB."""
    plug(tmp_path, 0, 1, 1, '480')
    film = tmp_path / 'film.mp4'
    film.touch()
    found = names(tmp_path, Camera('front', '', 'usb-cam0'))
    assert found['camera'] is Level.OK and 'camera-not-usb' not in found
    for device in ('rtsp://host/stream', str(film), ''):
        assert names(tmp_path, Camera('front', '', device)) == {'camera-not-usb': Level.OK}


def test_a_camera_that_may_not_be_opened_is_told(tmp_path: Path) -> None:
    """The group to join is printed."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    plug(tmp_path, 0, 1, 1, '480')
    (tmp_path / 'dev/video0').touch(0o000)
    out = as_nobody(AS_NOBODY, str(tmp_path))
    assert 'camera-permission' in out and 'usermod -aG video' in out and 'ERROR' in out


def test_damaged_sysfs_is_no_usb_device(tmp_path: Path) -> None:
    """A speed that is no number, and no tree at all, are survived."""
    plug(tmp_path, 0, 1, 1, 'unknown')
    assert place_of('video0', tmp_path) is None
    assert find_video('0', tmp_path / 'nowhere') == ''
    assert place_of('video0', tmp_path / 'nowhere') is None


def test_latency_timer_of_an_adapter(tmp_path: Path) -> None:
    """Milliseconds where the adapter has a timer, else nothing."""
    device = tmp_path / 'sys/class/tty/ttyUSB0/device'
    device.mkdir(parents=True)
    assert latency_timer('ttyUSB0', tmp_path) is None
    (device / 'latency_timer').write_text('16\n')
    assert latency_timer('ttyUSB0', tmp_path) == 16
