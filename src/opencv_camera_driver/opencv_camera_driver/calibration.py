# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibration files as camera_info_manager and camera_calibration write them."""
from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
from urllib.parse import unquote
from urllib.parse import urlsplit

from ament_index_python.packages import get_package_share_directory
from ament_index_python.packages import PackageNotFoundError
from opencv_camera_driver.errors import CameraError
import yaml

_MODELS = {'plumb_bob': (4, 5), 'rational_polynomial': (8, 12, 14), 'equidistant': (4,)}
_MATRICES = {'camera_matrix': 9, 'rectification_matrix': 9, 'projection_matrix': 12}


@dataclass(frozen=True)
class Calibration:
    """What sensor_msgs/CameraInfo carries of a calibration, row by row."""

    width: int
    height: int
    model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]


def load_calibration(url: str, width: int, height: int) -> Calibration:
    """
    Read the calibration of pictures of this size.

    :raises CameraError: which names the file, the field, what was found and what is expected.
    """
    path = _path(url)
    try:
        document = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, 'strerror', None) or ' '.join(str(error).split())
        raise CameraError(f'calibration file {path} cannot be read: {reason}') from None
    if not isinstance(document, dict):
        raise _error(path, 'the file', type(document).__name__, 'a mapping')
    found = Calibration(
        _integer(path, document, 'image_width'), _integer(path, document, 'image_height'),
        _model(path, document), _numbers(path, document, 'distortion_coefficients', None),
        *(_numbers(path, document, name, count) for name, count in _MATRICES.items()))
    lengths = _MODELS[found.model]
    if len(found.d) not in lengths:
        raise _error(path, 'distortion_coefficients', f'{len(found.d)} numbers',
                     f'{" or ".join(map(str, lengths))} for {found.model}')
    if (found.width, found.height) != (width, height):
        raise _error(path, 'image_width and image_height', f'{found.width}x{found.height}',
                     f'{width}x{height}, the size of the pictures: calibrate at that size')
    return found


def _path(url: str) -> Path:
    parts = urlsplit(url)
    if not parts.scheme:
        return Path(url).expanduser()
    if parts.scheme == 'file':
        return Path(unquote(parts.path))
    if parts.scheme != 'package':
        raise CameraError(f"parameter 'camera_info_url': found {url!r}, expected a path, file:// "
                          'or package://')
    try:
        return Path(get_package_share_directory(parts.netloc)) / unquote(parts.path).lstrip('/')
    except (PackageNotFoundError, ValueError):
        raise CameraError(
            f"parameter 'camera_info_url': there is no package {parts.netloc!r}") from None


def _integer(path: Path, document: dict, name: str) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise _error(path, name, repr(value), 'a number of pixels')
    return value


def _model(path: Path, document: dict) -> str:
    # Old files have none; there was only one model then.
    value = document.get('distortion_model', 'plumb_bob')
    if value not in _MODELS:
        raise _error(path, 'distortion_model', repr(value), f'one of {", ".join(_MODELS)}')
    return value


def _numbers(path: Path, document: dict, name: str, count: int | None) -> tuple[float, ...]:
    block = document.get(name)
    data = block.get('data') if isinstance(block, dict) else None
    if not isinstance(data, list) or not all(_is_number(value) for value in data):
        raise _error(path, name, repr(block)[:80], 'a mapping with a list of numbers under data')
    if count is not None and len(data) != count:
        raise _error(path, name, f'{len(data)} numbers', str(count))
    return tuple(map(float, data))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) \
        and math.isfinite(value)


def _error(path: Path, field: str, found: str, expected: str) -> CameraError:
    return CameraError(f'calibration file {path}: {field}: found {found}, expected {expected}')
