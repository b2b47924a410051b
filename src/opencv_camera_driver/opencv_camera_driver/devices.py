# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Video devices of this machine: list them, resolve a name, say who holds one."""
from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import re

from opencv_camera_driver.errors import CameraError

_CLASS = Path('/sys/class/video4linux')
_BY_ID = Path('/dev/v4l/by-id')
_BY_PATH = Path('/dev/v4l/by-path')
_COMMAND = 120


@dataclass(frozen=True)
class VideoDevice:
    """One node below /dev/video*; a camera has a second one for metadata, of a higher index."""

    path: str
    name: str
    index: int
    by_id: str
    by_path: str
    vid_pid: str
    serial: str

    @property
    def stable(self) -> str:
        """Return the name that survives replugging: alike cameras differ only by their serial."""
        names = (self.by_id, self.by_path) if self.serial else (self.by_path, self.by_id)
        return next(filter(None, names), self.path)

    def __str__(self) -> str:
        """Describe the device in one line."""
        parts = [self.path, self.name, f'USB {self.vid_pid}' if self.vid_pid else '',
                 f'serial number {self.serial}' if self.serial else '', self.by_id, self.by_path]
        return ', '.join(filter(None, parts))


def scan() -> list[VideoDevice]:
    """List the video devices, by number."""
    try:
        names = [name for name in os.listdir(_CLASS) if re.fullmatch(r'video\d+', name)]
    except OSError:
        return []
    by_id, by_path = _links(_BY_ID), _links(_BY_PATH)
    found = []
    for name in sorted(names, key=lambda name: int(name[5:])):
        entry = _CLASS / name
        # The interface is a child of the USB device, which has the identity.
        usb = f'{entry}/device/../'
        vendor, product = _text(usb + 'idVendor'), _text(usb + 'idProduct')
        index = _text(f'{entry}/index')
        found.append(VideoDevice(
            f'/dev/{name}', _text(f'{entry}/name'), int(index) if index.isdigit() else 0,
            by_id.get(name, ''), by_path.get(name, ''),
            f'{vendor}:{product}' if vendor else '', _text(usb + 'serial')))
    return found


def cameras() -> list[VideoDevice]:
    """List the first device of every camera."""
    return [device for device in scan() if device.index == 0]


def candidates() -> str:
    """Describe the cameras there are, for an error message."""
    found = cameras()
    if not found:
        return 'No camera is plugged in (there is no /dev/video*): check its cable.'
    return '\n'.join(['Cameras found:', *(f'  {device}' for device in found)])


def resolve(spec: str) -> VideoDevice:
    """
    Return the device that a number, path, by-id or by-path name or USB serial number means.

    :raises CameraError: when it means none or several; lists the cameras found.
    """
    devices = scan()
    if spec.isdigit() or '/' in spec:
        path = f'/dev/video{spec}' if spec.isdigit() else os.path.realpath(spec)
        matches = [device for device in devices if device.path == path]
        if not matches and spec.isdigit():
            matches = _by_name(spec, devices)
        if not matches and os.path.exists(path):
            # A device that sysfs does not describe, as in some containers.
            return VideoDevice(path, '', 0, '', '', '', '')
    else:
        matches = _by_name(spec, devices)
    if len(matches) == 1:
        return matches[0]
    if matches:
        lines = '\n'.join(f'  {device}' for device in matches)
        raise CameraError(f'{len(matches)} cameras are called {spec!r}; name one by its by-path '
                          f'link:\n{lines}')
    raise CameraError(f'no camera is called {spec!r}. {candidates()}')


def _by_name(spec: str, devices: list[VideoDevice]) -> list[VideoDevice]:
    return [device for device in devices if spec in _names(device)]


def _names(device: VideoDevice) -> set[str]:
    names = {os.path.basename(link) for link in (device.by_id, device.by_path) if link}
    if device.index == 0:
        names |= {device.serial, os.path.basename(device.path)}
    return names - {''}


def holders(path: str) -> list[str]:
    """Describe the other processes that have a device open, as far as /proc shows them."""
    target = os.stat(path)
    found = []
    for entry in os.scandir('/proc'):
        if entry.name.isdigit() and int(entry.name) != os.getpid() \
                and _has_open(entry.path, os.path.basename(path), target):
            found.append(f'process {entry.name} ({_command(entry.path)})')
    return found


def _has_open(process: str, name: str, target: os.stat_result) -> bool:
    try:
        entries = os.listdir(f'{process}/fd')
    except OSError:
        return False  # ended, or not ours to look at
    return any(_leads_to(f'{process}/fd/{entry}', name, target) for entry in entries)


def _leads_to(link: str, name: str, target: os.stat_result) -> bool:
    try:
        # Only what has the name is looked at: a stat may hang on a dead network drive.
        return os.path.basename(os.readlink(link)) == name \
            and os.path.samestat(os.stat(link), target)
    except OSError:
        return False


def _command(process: str) -> str:
    try:
        raw = Path(process, 'cmdline').read_bytes()
    except OSError:
        return 'unknown'
    return ' '.join(raw.decode(errors='replace').split('\0')).strip()[:_COMMAND] or 'unknown'


def _links(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        for name in sorted(os.listdir(folder)):
            found.setdefault(os.path.basename(os.readlink(folder / name)), str(folder / name))
    except OSError:
        return {}
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read().strip()
    except OSError:
        return ''
