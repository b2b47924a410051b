# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the camera node, by LeRobot's names, and the configuration made of them."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apprentice_node.parameters import ParameterError
from apprentice_node.parameters import ParameterSpec
from apprentice_node.parameters import Value
from opencv_camera_driver.controls import AUTO
from opencv_camera_driver.controls import KNOBS
from opencv_camera_driver.formats import Wanted
from opencv_camera_driver.picture import TURNS


class TextOrNumber(ParameterSpec):
    """A text that may be written as a number, such as a device's."""

    def parse(self, value: Any) -> Value:
        """Return the text."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = f'{value:g}' if isinstance(value, float) else str(value)
        return super().parse(value)


SPECS = (
    TextOrNumber(
        'index_or_path', '0', 'Number, path, by-id or by-path name or USB serial number of a '
        'device; a video file; or a URL.'),
    ParameterSpec('fps', 30.0, 'Pictures a second; 0: as they come.', minimum=0.0, maximum=1000.0),
    ParameterSpec(
        'width', 640, 'Width in pixels after rotation; 0: as it comes.', minimum=0,
        maximum=16384),
    ParameterSpec(
        'height', 480, 'Height in pixels after rotation; 0: as it comes.', minimum=0,
        maximum=16384),
    ParameterSpec(
        'rotation', 0, 'Degrees clockwise by which pictures are turned: 0, 90, 180 or -90.'),
    ParameterSpec(
        'color_mode', 'rgb', 'Order of colours in image_raw.', choices=('rgb', 'bgr')),
    ParameterSpec(
        'fourcc', '', 'Format asked of a device, four characters; empty: MJPG, else the first '
        'that gives size and rate.'),
    ParameterSpec(
        'warmup_s', 1.0, 'Pictures of the first seconds are not published: exposure settles.',
        minimum=0.0, maximum=60.0),
    ParameterSpec(
        'frame_id', '', 'Frame of the pictures; empty: <last part of the namespace>'
        '_optical_frame.'),
    TextOrNumber('exposure', AUTO, 'auto, or the exposure time in ms.', dynamic=True),
    TextOrNumber('white_balance', AUTO, 'auto, or the colour temperature in K.', dynamic=True),
    TextOrNumber('gain', AUTO, "auto, or the gain in the device's unit.", dynamic=True),
    ParameterSpec(
        'jpeg_quality', 90, 'Quality where a JPEG is made here.', minimum=1, maximum=100),
    ParameterSpec(
        'camera_info_url', '', 'Calibration file: path, file:// or package://; empty: none.'),
    ParameterSpec(
        'rate_tolerance', 0.1, 'Share by which the measured rate may differ from fps.',
        minimum=0.01, maximum=1.0),
    ParameterSpec(
        'timeout_s', 1.0, 'Silence after which the source counts as frozen and is opened anew; '
        'at least 5 periods.', minimum=0.1, maximum=60.0),
    ParameterSpec(
        'reconnect_period_s', 1.0, 'Wait before the second attempt to open a lost source; '
        'doubles up to 4 times that.', minimum=0.05, maximum=60.0),
    ParameterSpec('loop', True, 'A file begins anew at its end.'),
)


@dataclass(frozen=True)
class CameraConfig:
    """Hold everything the camera was told, checked; `wanted` is before rotation."""

    index_or_path: str
    wanted: Wanted
    rotation: int
    color_mode: str
    warmup_s: float
    frame_id: str
    settings: Mapping[str, str]
    jpeg_quality: int
    camera_info_url: str
    rate_tolerance: float
    timeout_s: float
    reconnect_period_s: float
    loop: bool


def parse_config(values: Mapping[str, Value], namespace: str = '/') -> CameraConfig:
    """Return the configuration; ParameterError says what no camera can be asked for."""
    rotation = values['rotation']
    if rotation not in TURNS:
        raise ParameterError(f"parameter 'rotation': found {rotation}, expected one of "
                             f'{", ".join(map(str, TURNS))}')
    fourcc = values['fourcc']
    if fourcc and (len(fourcc) != 4 or not fourcc.isascii()):
        raise ParameterError(
            f"parameter 'fourcc': found {fourcc!r}, expected four characters such as MJPG")
    if not values['index_or_path']:
        raise ParameterError("parameter 'index_or_path': found nothing, expected a device, a file "
                             'or a URL; list the devices with: '
                             'ros2 run opencv_camera_driver find_cameras')
    width, height = values['width'], values['height']
    if rotation in (90, -90):
        width, height = height, width
    fps = values['fps']
    name = namespace.rstrip('/').rpartition('/')[2] or 'camera'
    return CameraConfig(
        **{key: values[key] for key in (
            'index_or_path', 'color_mode', 'warmup_s', 'jpeg_quality', 'camera_info_url',
            'rate_tolerance', 'reconnect_period_s', 'loop')},
        wanted=Wanted(width, height, fps, fourcc),
        rotation=rotation,
        frame_id=values['frame_id'] or f'{name}_optical_frame',
        settings={knob.name: check_setting(knob.name, values[knob.name]) for knob in KNOBS},
        timeout_s=max(values['timeout_s'], 5.0 / fps if fps else 0.0),
    )


def check_setting(name: str, value: str) -> str:
    """Return the setting; ParameterError unless it is auto or a number."""
    try:
        if value != AUTO:
            float(value)
    except ValueError:
        raise ParameterError(
            f"parameter '{name}': found {value!r}, expected auto or a number") from None
    return value
