# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibration files in LeRobot's format: read, write, and find where LeRobot keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
import os
from pathlib import Path
import tempfile
from typing import Any

from apprentice_control.joint_calibration import CalibrationError
from apprentice_control.joint_calibration import JointCalibration
from apprentice_control.joint_calibration import plausibility_warnings

__all__ = [
    'CalibrationError',
    'FoundCalibration',
    'JointCalibration',
    'calibration_path',
    'calibration_root',
    'find_calibration',
    'load_calibration',
    'plausibility_warnings',
    'refuse_inverted',
    'save_calibration',
    'search_calibration',
    'write_whole',
]

FIELDS = ('id', 'drive_mode', 'homing_offset', 'range_min', 'range_max')
MAX_FILE_BYTES = 1_000_000

FOLDERS = {
    'follower': (
        'robots/so_follower', 'robots/so101_follower', 'robots/so100_follower'),
    'leader': (
        'teleoperators/so_leader', 'teleoperators/so101_leader', 'teleoperators/so100_leader'),
}
"""Folders below the calibration root by role, today's name first, then those of older releases."""


@dataclass(frozen=True)
class FoundCalibration:
    """Where a calibration was found, and what the user should know about the place."""

    path: Path
    notice: str = ''


def load_calibration(path: Path, expected: Mapping[str, int]) -> dict[str, JointCalibration]:
    """
    Read a calibration file and check that it belongs to the expected joints.

    :param expected: bus id of every joint by name, in bus order.
    :returns: the joints in the order of `expected`.
    :raises CalibrationError: unreadable, truncated, another robot's, or out of range.
    """
    members = _read_object(path)
    missing = [name for name in expected if name not in members]
    unknown = [name for name in members if name not in expected]
    if missing or unknown:
        raise CalibrationError(
            f'calibration {path}: not the file of this robot; missing joints '
            f'{missing or "none"}, unexpected joints {unknown or "none"}, expected '
            f'{list(expected)}; check robot_id and role, or calibrate again')
    return {
        name: _parse_joint(path, name, members[name], bus_id) for name, bus_id in expected.items()
    }


def save_calibration(path: Path, calibration: Mapping[str, JointCalibration]) -> None:
    """Write a calibration file in one step, keeping the file it replaces as `<name>.bak`."""
    members = {
        name: {field: getattr(joint, field) for field in FIELDS}
        for name, joint in calibration.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # LeRobot ends its files without a line break.
    text = json.dumps(members, indent=4)
    if path.exists():
        write_whole(path.with_name(path.name + '.bak'), path.read_bytes())
    write_whole(path, text.encode())


def refuse_inverted(path: Path, calibration: Mapping[str, JointCalibration]) -> None:
    """
    Raise CalibrationError for a joint of drive_mode 1.

    LeRobot turns the percentages of such a joint round, not its degrees; nothing here does, so
    commands and data of the two would run against each other.
    """
    inverted = [name for name, joint in calibration.items() if joint.drive_mode]
    if inverted:
        raise CalibrationError(
            f'calibration {path}: drive_mode is 1 for {", ".join(inverted)}, expected 0: LeRobot '
            'turns the percentages of such a joint round, and this software does not. Mount its '
            'servo as the assembly guide shows and calibrate it again; if it is built like that '
            'on both arms, calibrate it with --accept, which writes 0')


def calibration_root(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder under which LeRobot keeps calibrations, by its environment variables."""
    env = os.environ if environment is None else environment
    if env.get('HF_LEROBOT_CALIBRATION'):
        return Path(env['HF_LEROBOT_CALIBRATION']).expanduser()
    if env.get('HF_LEROBOT_HOME'):
        return Path(env['HF_LEROBOT_HOME']).expanduser() / 'calibration'
    if env.get('HF_HOME'):
        hub_home = Path(env['HF_HOME']).expanduser()
    else:
        hub_home = Path(env.get('XDG_CACHE_HOME') or '~/.cache').expanduser() / 'huggingface'
    return hub_home / 'lerobot' / 'calibration'


def search_calibration(
    robot_id: str,
    role: str,
    environment: Mapping[str, str] | None = None,
) -> FoundCalibration:
    """
    Find a robot's calibration in LeRobot's folders of this and of older releases.

    :param robot_id: LeRobot's `--robot.id`; empty stands for LeRobot's file `None.json`.
    :param role: `follower` or `leader`.
    :raises CalibrationError: no such file; the text lists the folders and the ids they hold.
    """
    name = _file_stem(robot_id, role)
    root = calibration_root(environment)
    folders = [root / folder for folder in FOLDERS[role]]
    found = [folder / f'{name}.json' for folder in folders if (folder / f'{name}.json').is_file()]
    if not found:
        raise CalibrationError(_not_found(name, role, folders))
    notice = ''
    if len(found) > 1:
        others = ', '.join(str(path) for path in found[1:])
        notice = f'several calibrations of {name!r}: using {found[0]}, ignoring {others}'
    elif found[0].parent != folders[0]:
        notice = (
            f'calibration {found[0]} lies in the folder of an older LeRobot release; '
            f'today it is {folders[0]}')
    return FoundCalibration(found[0], notice)


def calibration_path(robot_id: str, role: str, folder: str = '') -> Path:
    """
    Return where a robot's calibration belongs, be it there or not.

    :param folder: the name of an older release's folder, such as `so101_follower`.
    :raises CalibrationError: a bad role, id or folder.
    """
    name = _file_stem(robot_id, role)
    known = {Path(path).name: path for path in FOLDERS[role]}
    if folder and folder not in known:
        raise CalibrationError(
            f'folder is {folder!r}, expected one of {", ".join(known)} for a {role}')
    return calibration_root() / (known[folder] if folder else FOLDERS[role][0]) / f'{name}.json'


def find_calibration(robot_id: str, role: str) -> Path:
    """
    Return the path of a robot's calibration in LeRobot's folders.

    :raises CalibrationError: no such file; the text lists the folders and the ids they hold.
    """
    return search_calibration(robot_id, role).path


def _file_stem(robot_id: str, role: str) -> str:
    if role not in FOLDERS:
        raise CalibrationError(f'role is {role!r}, expected one of {list(FOLDERS)}')
    name = robot_id or 'None'
    if name in ('.', '..') or '/' in name or '\\' in name or '\0' in name:
        raise CalibrationError(
            f'robot_id is {robot_id!r}, expected a plain file name without folders')
    return name


def _not_found(name: str, role: str, folders: list[Path]) -> str:
    ids = sorted({path.stem for folder in folders for path in folder.glob('*.json')})
    return (
        f'no calibration of {role} {name!r}: looked for {name}.json in '
        f'{", ".join(str(folder) for folder in folders)}; ids found there: '
        f'{", ".join(ids) or "none"}; set robot_id or calibration_file, or calibrate the arm')


def _read_object(path: Path) -> dict[str, Any]:
    try:
        with open(path, 'rb') as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CalibrationError(
            f'calibration {path}: cannot be read: {error.strerror or error}; check the path '
            'and its permissions') from error
    if len(data) > MAX_FILE_BYTES:
        raise CalibrationError(
            f'calibration {path}: larger than {MAX_FILE_BYTES} bytes, so not a calibration file')
    try:
        members = json.loads(data.decode('utf-8'), object_pairs_hook=_unique_members)
    except (ValueError, RecursionError) as error:
        raise CalibrationError(
            f'calibration {path}: not valid JSON ({error}); the file is truncated or damaged, '
            f'restore {path}.bak or calibrate again') from error
    if not isinstance(members, dict):
        raise CalibrationError(
            f'calibration {path}: holds a {type(members).__name__}, expected an object with one '
            'member a joint')
    return members


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError('a member stands twice')
    return members


def _parse_joint(path: Path, name: str, member: Any, bus_id: int) -> JointCalibration:
    if not isinstance(member, dict) or set(member) != set(FIELDS):
        found = list(member) if isinstance(member, dict) else member
        raise CalibrationError(
            f'calibration {path}: joint {name} holds {found!r}, expected the fields '
            f'{list(FIELDS)}')
    try:
        joint = JointCalibration(name, *(member[field] for field in FIELDS))
    except CalibrationError as error:
        raise CalibrationError(f'calibration {path}: {error}') from error
    if joint.id != bus_id:
        raise CalibrationError(
            f'calibration {path}: joint {name} has id {joint.id}, expected {bus_id}; this is '
            "another robot's file, or the ids parameter is wrong")
    return joint


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place in one step, so that no reader and no power cut meets half of it."""
    descriptor, staged = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
    try:
        with os.fdopen(descriptor, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(staged, 0o644)
        os.replace(staged, path)
    except OSError:
        os.unlink(staged)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
