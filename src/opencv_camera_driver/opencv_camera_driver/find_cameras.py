# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""List the cameras, what they offer, and save what each of them sees."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import re
import sys
import time

from opencv_camera_driver import devices
from opencv_camera_driver.counters import Counters
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.formats import listing
from opencv_camera_driver.mosaic import side_by_side
from opencv_camera_driver.parameters import CameraConfig
from opencv_camera_driver.parameters import parse_config
from opencv_camera_driver.parameters import SPECS
from opencv_camera_driver.picture import Picture
from opencv_camera_driver.picture import Pixels
from opencv_camera_driver.source import Source
from opencv_camera_driver.sources import make_source
from opencv_camera_driver.v4l2_device import Device
from opencv_camera_driver.v4l2_source import V4l2Source
import simplejpeg

_FIRST_S = 5.0
_QUALITY = 90
MOSAIC = 'side_by_side.jpg'


@dataclass(frozen=True)
class Found:
    """A camera that gave a picture."""

    spec: str
    path: Path
    pixels: Pixels


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns 1 where no camera gave a picture."""
    parser = argparse.ArgumentParser(prog='find_cameras', description=__doc__)
    parser.add_argument(
        'sources', nargs='*', help='what index_or_path of the camera node takes; default: every '
        'camera of this machine')
    parser.add_argument(
        '--output', type=Path, default=Path('captured_images'),
        help='folder for the pictures (default: %(default)s)')
    parser.add_argument(
        '--settle', type=float, default=1.0, metavar='SECONDS',
        help='time that a camera has to find its exposure (default: %(default)s)')
    arguments = parser.parse_args(argv)
    specs = arguments.sources or [device.stable for device in devices.cameras()]
    if not specs:
        _say(f'{devices.candidates()}\nNetwork cameras and files are looked at when they are '
             'named: find_cameras rtsp://host/path')
        return 1
    found = []
    for number, spec in enumerate(specs, 1):
        try:
            found.append(_look(number, spec, arguments.output, arguments.settle))
        except CameraError as error:
            _say(f'{number}. {spec}\n   no picture: {_indented(str(error))}')
        except OSError as error:
            _say(f'{arguments.output}: the pictures cannot be saved: {error.strerror}')
            return 1
    if not found:
        return 1
    path = arguments.output / MOSAIC
    _save(path, side_by_side([camera.pixels for camera in found]))
    _say(f'all of them: {path}')
    return 0


def _look(number: int, spec: str, folder: Path, settle_s: float) -> Found:
    config = _config(spec)
    source = make_source(config, Counters())
    details = ''
    if isinstance(source, V4l2Source):
        device, details = describe(spec)
        spec = device.stable
    picture = _last_picture(source, settle_s)
    safe = re.sub(r'[^\w.-]+', '_', Path(spec).name or spec).strip('_')
    path = folder / f'{number}_{safe}.jpg'
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture.jpeg(_QUALITY))
    _say(f'{number}. {spec}\n{details}   {picture.width}x{picture.height}: {path}')
    return Found(spec, path, picture.rgb())


def _config(spec: str) -> CameraConfig:
    values = {item.name: item.default for item in SPECS}
    return parse_config(
        {**values, 'index_or_path': spec, 'width': 0, 'height': 0, 'fps': 0.0, 'loop': False})


def describe(spec: str) -> tuple[devices.VideoDevice, str]:
    """
    Return a device and lines about it, without starting its stream.

    :raises CameraError: if it is in use.
    """
    found = devices.resolve(spec)
    device = Device(found.path)
    try:
        users = devices.holders(found.path)
        if users:
            raise CameraError(f'{found.path} is in use by {" and ".join(users)}.')
        return found, f'   {found}\n   {_indented(listing(device.offers()))}\n'
    finally:
        device.close()


def _last_picture(source: Source, settle_s: float) -> Picture:
    try:
        source.open()
        begin = time.monotonic()
        newest = None
        while time.monotonic() - begin < (settle_s if newest else _FIRST_S):
            try:
                frame = source.read()
            except CameraError:
                if newest is None:
                    raise
                break
            newest = frame.picture if frame else newest
        if newest is None:
            raise CameraError(f'it sends no picture within {_FIRST_S:g} s.')
        newest.rgb()
        return newest
    finally:
        source.close()


def _save(path: Path, pixels: Pixels) -> None:
    path.write_bytes(simplejpeg.encode_jpeg(pixels, quality=_QUALITY, colorspace='RGB'))


def _indented(text: str) -> str:
    return text.replace('\n', '\n   ')


def _say(text: str) -> None:
    sys.stdout.write(f'{text}\n')
    sys.stdout.flush()


if __name__ == '__main__':
    sys.exit(main())
