# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The arms and cameras of a hardware file, and what the checks are asked."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path

from feetech_driver.parameters import DriverConfig
from feetech_driver.parameters import parse_config
from feetech_driver.parameters import SPECS
import yaml

ROLES = ('leader', 'follower')
SIDES = ('left', 'right')
ROOT = Path('/')


class HardwareFileError(ValueError):
    """Report a hardware file that cannot be used: file, key, found, expected."""


@dataclass(frozen=True)
class Arm:
    """
    One arm with a port.

    `name` is its role, with its side where there are two pairs; `kind` is its robot's name.
    """

    name: str
    role: str
    port: str
    robot_id: str = ''
    calibration_file: str = ''
    kind: str = 'so100'

    def config(self) -> DriverConfig:
        """Return the driver's configuration of this arm, defaults where the file is silent."""
        values = {spec.name: spec.default for spec in SPECS}
        return parse_config(values | {
            'port': self.port, 'role': self.role, 'robot_id': self.robot_id,
            'calibration_file': self.calibration_file})


@dataclass(frozen=True)
class Camera:
    """One camera and what its node is told; rate in Hz, size in pixels."""

    name: str
    package: str
    device: str
    width: int = 640
    height: int = 480
    fps: float = 30.0
    fourcc: str = ''


@dataclass(frozen=True)
class Robot:
    """What a hardware file names; `unconfigured` are the arms without a port."""

    path: Path
    arms: tuple[Arm, ...] = ()
    unconfigured: tuple[str, ...] = ()
    cameras: tuple[Camera, ...] = ()


@dataclass(frozen=True)
class Question:
    """
    What the checks are asked.

    `seconds` is how long buses and graph are watched; `root` is where /sys and /dev lie.
    """

    robot: Robot
    seconds: float = 3.0
    folder: Path = Path('.')
    hosts: tuple[str, ...] = ()
    token: str = ''
    root: Path = field(default=ROOT)


def read_robot(path: Path, kind: str = 'so100') -> Robot:
    """
    Read the hardware file of a kind of robot, of one pair or of two.

    :raises HardwareFileError: it says what is wrong.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise HardwareFileError(f'{path}: cannot be read: {error.strerror}') from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise HardwareFileError(
            f'{path}: is not YAML: {" ".join(str(error).split())}') from None
    top = _mapping(path, 'the file', document)
    if top.get('version') != 1:
        raise HardwareFileError(f'{path}: version is {top.get("version")!r}, expected 1')
    arms: list[Arm] = []
    cameras: list[Camera] = []
    sides = [side for side in SIDES if side in top]
    sections = [(f'{side}_', _mapping(path, side, top[side] or {})) for side in sides]
    for prefix, section in sections or [('', top)]:
        for role in ROLES:
            arms.append(_arm(path, prefix, role, section.get(role)))
        cameras += _cameras(path, prefix, section.get('cameras'))
    if sides:
        cameras += _cameras(path, '', top.get('cameras'))
    return Robot(
        path, tuple(replace(arm, kind=kind) for arm in arms if arm.port),
        tuple(arm.name for arm in arms if not arm.port), tuple(cameras))


def _arm(path: Path, prefix: str, role: str, value: object) -> Arm:
    keys = _mapping(path, f'{prefix}{role}', value or {})
    texts = {}
    for key in ('port', 'robot_id', 'calibration_file'):
        text = keys.get(key) or ''
        if not isinstance(text, str):
            raise HardwareFileError(
                f'{path}: {prefix}{role}.{key} is {text!r}, expected text; put it in quotes')
        texts[key] = text
    return Arm(f'{prefix}{role}', role, **texts)


def _cameras(path: Path, prefix: str, value: object) -> list[Camera]:
    return [_camera(path, prefix, str(name), entry)
            for name, entry in _mapping(path, f'{prefix}cameras', value or {}).items()]


def _camera(path: Path, prefix: str, name: str, value: object) -> Camera:
    where = f'{prefix}cameras.{name}'
    keys = _mapping(path, where, value)
    parameters = _mapping(path, f'{where}.parameters', keys.get('parameters') or {})
    numbers = {}
    for key, default in (('width', 640), ('height', 480), ('fps', 30.0)):
        number = parameters.get(key) or default
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number <= 0:
            raise HardwareFileError(
                f'{path}: {where}.parameters.{key} is {number!r}, expected a number above 0')
        numbers[key] = number
    return Camera(
        prefix + name, str(keys.get('package') or ''), str(parameters.get('index_or_path', '')),
        fourcc=str(parameters.get('fourcc') or ''), **numbers)


def _mapping(path: Path, where: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise HardwareFileError(f'{path}: {where} is {value!r}, expected a mapping')
    return value
