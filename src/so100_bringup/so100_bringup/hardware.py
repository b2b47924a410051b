# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The operator's hardware file, and the choice between hardware and simulation."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from enum import Enum
from pathlib import Path

from so100_bringup.ports import find_ports
from so100_bringup.ports import is_present
from so100_bringup.ports import SerialPort
import yaml

ROLES = ('leader', 'follower')
SIDES = ('left', 'right')


class HardwareError(ValueError):
    """The hardware file, the arguments or the machine do not fit together."""


class Mode(Enum):
    """What the drivers talk to."""

    REAL = 'real'
    SIM = 'sim'


@dataclass(frozen=True)
class Arm:
    """One arm as configured; an empty string means not configured."""

    port: str = ''
    robot_id: str = ''
    calibration_file: str = ''


@dataclass(frozen=True)
class Camera:
    """The node that drives one real camera."""

    name: str
    package: str
    executable: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Hardware:
    """Contents of a hardware file."""

    leader: Arm = Arm()
    follower: Arm = Arm()
    cameras: tuple[Camera, ...] = ()

    def arm(self, role: str) -> Arm:
        """Return the arm with this role."""
        return {'leader': self.leader, 'follower': self.follower}[role]

    def with_arguments(
        self, ports: Mapping[str, str], robot_id: str,
    ) -> Hardware:
        """Return a copy in which non-empty launch arguments replace the file's values."""
        changed = {}
        for role in ROLES:
            arm = self.arm(role)
            changed[role] = replace(
                arm, port=ports.get(role, '') or arm.port, robot_id=robot_id or arm.robot_id)
        return replace(self, **changed)


def load_hardware(path: Path, side: str = '') -> Hardware:
    """
    Read a hardware file, or one side (left, right) of a bimanual one.

    Raises HardwareError naming the file, the key, what was found and what is expected.
    """
    keys = _document(path, (*SIDES, 'cameras') if side else (*ROLES, 'cameras'))
    if side:
        keys = _mapping(path, side, keys.get(side) or {}, {*ROLES, 'cameras'})
    prefix = f'{side}.' if side else ''
    arms = {role: _arm(path, f'{prefix}{role}', keys.get(role)) for role in ROLES}
    return Hardware(cameras=_cameras(path, f'{prefix}cameras', keys.get('cameras')), **arms)


def load_common_cameras(path: Path) -> tuple[Camera, ...]:
    """Read the cameras of a bimanual hardware file that belong to neither side."""
    keys = _document(path, (*SIDES, 'cameras'))
    return _cameras(path, 'cameras', keys.get('cameras'))


def choose(
    requested: str,
    ports: Mapping[str, str],
    port_given: bool,
    present: Callable[[str], bool] = is_present,
    found: Callable[[], list[SerialPort]] = find_ports,
) -> Mode:
    """
    Decide between hardware and simulation.

    `ports` maps the role of each arm wanted to its configured port; `port_given` says that a port
    came as a launch argument. Configured hardware never turns into simulation by itself.
    """
    if requested == 'sim':
        if port_given:
            raise HardwareError(
                'hardware:=sim contradicts the port given as an argument: leave one of them out')
        return Mode.SIM
    configured = [role for role, port in ports.items() if port]
    if requested == 'auto' and not configured:
        return Mode.SIM
    problems = [
        f'no port configured for the {role} arm' for role in ports if role not in configured
    ] + [
        f'port {ports[role]} of the {role} arm is not there'
        for role in configured if not present(ports[role])
    ]
    if problems:
        raise HardwareError('; '.join(problems) + '. ' + _advice(found()))
    return Mode.REAL


def select_cameras(wanted: str, available: tuple[str, ...]) -> tuple[str, ...]:
    """Return the cameras named in `wanted`: 'all', 'none', or names separated by commas."""
    if wanted == 'all':
        return available
    if wanted in ('none', ''):
        return ()
    names = tuple(name.strip() for name in wanted.split(','))
    unknown = [name for name in names if name not in available]
    if unknown:
        raise HardwareError(
            f'cameras:={wanted}: no camera {", ".join(unknown)}; '
            f'there is {", ".join(available) or "none"} (or write all, or none)')
    return names


def _advice(ports: list[SerialPort]) -> str:
    if not ports:
        return (
            'No serial port was found on this machine: plug the adapter in and switch the arm '
            'on, or use hardware:=sim')
    lines = ''.join(f'\n  {port.describe()}' for port in ports)
    return (
        f'Serial ports found:{lines}\nName them as launch arguments or in the hardware file; '
        'hardware:=sim starts the simulation')


def _document(path: Path, sections: tuple[str, ...]) -> dict[str, object]:
    try:
        document = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise HardwareError(
            f'hardware file {path}: cannot be read as YAML: {error}') from error
    keys = _mapping(path, 'the file', document, {'version', *sections})
    if keys.get('version') != 1:
        raise HardwareError(
            f'hardware file {path}: version is {keys.get("version")!r}, expected 1')
    return keys


def _mapping(path: Path, where: str, value: object, allowed: set[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise HardwareError(
            f'hardware file {path}: {where} is {value!r}, expected a mapping with the keys '
            f'{", ".join(sorted(allowed))}')
    unknown = sorted(str(key) for key in value if key not in allowed)
    if unknown:
        raise HardwareError(
            f'hardware file {path}: unknown key {", ".join(unknown)} in {where}; '
            f'known are {", ".join(sorted(allowed))}')
    return value


def _arm(path: Path, where: str, value: object) -> Arm:
    keys = _mapping(path, where, value or {}, {'port', 'robot_id', 'calibration_file'})
    return Arm(**{key: _text(path, f'{where}.{key}', keys[key]) for key in keys})


def _cameras(path: Path, where: str, value: object) -> tuple[Camera, ...]:
    cameras = value or {}
    if not isinstance(cameras, dict):
        raise HardwareError(
            f'hardware file {path}: {where} is {cameras!r}, expected a mapping from the '
            'name of a camera to the node that drives it')
    return tuple(_camera(path, f'{where}.{name}', name, cameras[name]) for name in cameras)


def _camera(path: Path, where: str, name: object, value: object) -> Camera:
    keys = _mapping(path, where, value, {'package', 'executable', 'parameters'})
    for key in ('package', 'executable'):
        if not keys.get(key):
            raise HardwareError(f'hardware file {path}: {where}.{key} is missing')
    parameters = keys.get('parameters') or {}
    if not isinstance(parameters, dict):
        raise HardwareError(
            f'hardware file {path}: {where}.parameters is {parameters!r}, expected a mapping')
    return Camera(
        _text(path, 'a camera name', name),
        _text(path, f'{where}.package', keys['package']),
        _text(path, f'{where}.executable', keys['executable']),
        parameters)


def _text(path: Path, where: str, value: object) -> str:
    if value is None:
        return ''
    if not isinstance(value, str):
        raise HardwareError(
            f'hardware file {path}: {where} is {value!r} ({type(value).__name__}), expected '
            'text; put it in quotes')
    return value
