# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What sysfs says about video devices and the USB they hang on."""
from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import re


@dataclass(frozen=True)
class UsbPlace:
    """Where a video device hangs: its bus, the speed of its link in Mbit/s, serial number."""

    video: str
    bus: str
    speed: float
    serial: str


def find_video(spec: str, root: Path) -> str:
    """Return the name (video0) that a number, path, link or serial number means; '' if none."""
    folder = root / 'sys/class/video4linux'
    names = sorted(path.name for path in folder.glob('video*'))
    if spec.isdigit():
        name = f'video{spec}'
        return name if name in names else ''
    if '/' in spec:
        name = os.path.basename(os.path.realpath(root / spec.lstrip('/')))
        return name if name in names else ''
    for kind in ('by-id', 'by-path'):
        link = root / 'dev/v4l' / kind / spec
        if link.is_symlink():
            return os.path.basename(os.path.realpath(link))
    return next((name for name in names if (place := place_of(name, root)) is not None
                 and spec and place.serial == spec), '')


def place_of(video: str, root: Path) -> UsbPlace | None:
    """Return where a video device hangs, None where it is no USB device."""
    device = Path(os.path.realpath(root / 'sys/class/video4linux' / video / 'device'))
    for folder in (device, *device.parents):
        speed = text(folder / 'speed')
        if speed:
            bus = next((part for part in folder.parts if re.fullmatch(r'usb\d+', part)), '')
            try:
                return UsbPlace(video, bus, float(speed), text(folder / 'serial'))
            except ValueError:
                return None
    return None


def latency_timer(name: str, root: Path) -> int | None:
    """Return how long adapter ttyUSB0 holds answers back in ms, None where it has no timer."""
    told = text(root / 'sys/class/tty' / name / 'device/latency_timer')
    return int(told) if told.isdigit() else None


def text(path: Path) -> str:
    """Return what a file of sysfs says, '' where it does not."""
    try:
        return path.read_text(encoding='utf-8', errors='replace').strip()
    except OSError:
        return ''
