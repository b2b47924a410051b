# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Cameras of the hardware file: are they there, and does the USB carry them all."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from collections.abc import Iterator
import os

from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from apprentice_doctor.robot import Camera
from apprentice_doctor.robot import Question
from apprentice_doctor.usb import find_video
from apprentice_doctor.usb import place_of
from apprentice_doctor.usb import UsbPlace

# USB keeps a fifth of a high-speed bus free for other transfers (USB 2.0, section 5.6.4).
_PERIODIC = 0.8
# A camera reserves the next larger of a few sizes of packet: 147 Mbit/s of YUYV take 196.
_RESERVED = 0.75
_YUYV_BITS = 16
# JPEG of a camera at its usual quality.
_MJPG_BITS = 3
_COMPRESSED = ('MJPG', 'H264', 'HEVC')


def check(question: Question) -> Iterator[Finding]:
    """Look for every camera, and add up what those on one bus need."""
    cameras = question.robot.cameras
    if not cameras:
        yield fine('no-camera', 'no camera is configured')
    buses: dict[tuple[str, float], list[Camera]] = defaultdict(list)
    for camera in cameras:
        place = yield from _place(camera, question, len(cameras))
        if place is not None:
            buses[place.bus, place.speed].append(camera)
    for (bus, speed), sharing in sorted(buses.items()):
        yield _bandwidth(bus, speed, sharing)


def needed_mbit(camera: Camera) -> float:
    """Return what a camera reserves on its bus, Mbit/s."""
    # Without a wish our driver takes MJPG where the camera has it.
    compressed = camera.fourcc.upper() in ('', *_COMPRESSED)
    bits = _MJPG_BITS if compressed else _YUYV_BITS
    return camera.width * camera.height * camera.fps * bits / 1e6 / _RESERVED


def _place(
    camera: Camera, question: Question, count: int,
) -> Generator[Finding, None, UsbPlace | None]:
    where = f'{camera.name}, {camera.device or camera.package}'
    if not camera.device or '://' in camera.device or os.path.isfile(camera.device):
        yield fine('camera-not-usb', 'no USB device is named: not looked at', where)
        return None
    video = find_video(camera.device, question.root)
    if not video:
        yield Finding(
            Level.ERROR, 'camera-missing', 'the camera is not there', where, 'no such device',
            'a camera', 'plug it in, or name another:\n'
            '  ros2 run opencv_camera_driver find_cameras')
        return None
    node = question.root / 'dev' / video
    if node.exists() and not os.access(node, os.R_OK | os.W_OK):
        yield Finding(
            Level.ERROR, 'camera-permission', 'no permission to open the camera', where,
            f'/dev/{video}', 'read and write',
            'join the group, then log out and in again:\n  sudo usermod -aG video $USER')
    if count > 1 and (camera.device.isdigit() or camera.device.startswith('/dev/video')):
        yield Finding(
            Level.WARN, 'camera-by-number', 'the number may belong to another camera next time',
            where, camera.device, 'a name below /dev/v4l', 'take the stable name that this '
            'prints:\n  ros2 run opencv_camera_driver find_cameras')
    place = place_of(video, question.root)
    speed = f'{place.bus} at {place.speed:g} Mbit/s' if place else 'not on USB'
    yield fine('camera', f'{video}, {speed}', where)
    return place


def _bandwidth(bus: str, speed: float, sharing: list[Camera]) -> Finding:
    need = sum(map(needed_mbit, sharing))
    room = speed * _PERIODIC
    names = ', '.join(
        f'{camera.name} {camera.fourcc or "MJPG"} {needed_mbit(camera):.0f}' for camera in sharing)
    text = f'{need:.0f} of {room:.0f} Mbit/s'
    if need <= room:
        return fine('usb-bandwidth', f'{text}: {names}', bus)
    return Finding(
        Level.ERROR, 'usb-bandwidth', f'{len(sharing)} cameras ask more than {bus} carries', bus,
        f'{text}: {names}', f'at most {room:.0f} Mbit/s',
        'set "fourcc: MJPG", a smaller size or rate in the hardware file, or move a camera to a '
        'port of another controller (a hub shares one)')
