# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibration files: there, readable, of this arm, and equal to the registers."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import json
from pathlib import Path

from apprentice_control.calibration import CalibrationError
from apprentice_control.calibration import JointCalibration
from apprentice_control.calibration import load_calibration
from apprentice_control.calibration import plausibility_warnings
from apprentice_control.calibration import search_calibration
from apprentice_doctor.bus import open_bus
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from apprentice_doctor.robot import Arm
from apprentice_doctor.robot import Question
from feetech_driver.bus import FeetechBus
from feetech_driver.errors import BusError
from feetech_driver.settings import calibrated
from feetech_driver.settings import differences
from feetech_driver.settings import Setting

_SHOWN = 3
Calibration = Mapping[str, JointCalibration]


def check(question: Question) -> Iterator[Finding]:
    """Compare the calibration file of every arm with its motors."""
    files = {arm: _read(arm) for arm in question.robot.arms}
    for arm, (found, calibration) in files.items():
        yield from found
        if calibration is not None:
            others = {other.name: of_other for other, (_, of_other) in files.items()
                      if other is not arm and of_other is not None}
            yield from _compare(arm, calibration, others)


def _read(arm: Arm) -> tuple[list[Finding], Calibration | None]:
    where = arm.name
    config = arm.config()
    expected = dict(zip(config.joints, config.ids))
    try:
        path = Path(config.calibration_file).expanduser() if config.calibration_file \
            else search_calibration(config.robot_id, config.role.value).path
    except CalibrationError as error:
        return [_absent(arm, where, str(error).partition(';')[0] if config.robot_id else
                        "robot_id is not set, nor is there LeRobot's None.json")], None
    where = f'{arm.name}, {path}'
    if not path.exists():
        return [_absent(arm, where, 'no such file')], None
    try:
        calibration = load_calibration(path, expected)
    except CalibrationError as error:
        text = str(error).removeprefix(f'calibration {path}: ')
        return [_bad(arm, where, path, text, expected)], None
    return [Finding(Level.WARN, 'calibration-odd', text, where,
                    cure=f'if the arm cannot do this, calibrate again:\n{_calibrate(arm)}')
            for text in plausibility_warnings(calibration)], calibration


def _absent(arm: Arm, where: str, found: str) -> Finding:
    return Finding(
        Level.ERROR, 'calibration-absent', 'no calibration file: the driver does not move the arm',
        where, found, 'a file by robot_id or calibration_file',
        f'set robot_id in the hardware file, or calibrate:\n{_calibrate(arm)}')


def _bad(arm: Arm, where: str, path: Path, text: str, expected: Mapping[str, int]) -> Finding:
    wrong = _wrong_ids(path, expected)
    if wrong:
        return Finding(
            Level.ERROR, 'calibration-wrong-ids', "another robot's file: its ids differ", where,
            wrong, ', '.join(f'{name} {ident}' for name, ident in expected.items()),
            f'name the right file, or calibrate:\n{_calibrate(arm)}')
    return Finding(
        Level.ERROR, 'calibration-malformed', 'the calibration file cannot be used', where, text,
        "LeRobot's calibration file of this arm",
        f'restore {path.name}.bak beside it, or calibrate:\n{_calibrate(arm)}')


def _wrong_ids(path: Path, expected: Mapping[str, int]) -> str:
    try:
        members = json.loads(path.read_text(encoding='utf-8'))
        found = {name: members[name]['id'] for name in expected}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ''
    return ', '.join(f'{name} {found[name]}' for name in expected if found[name] != expected[name])


def _calibrate(arm: Arm) -> str:
    return (f'  ros2 run feetech_driver calibrate --arm {arm.kind}_{arm.role} \\\n'
            f"    --port {arm.port} --id {arm.robot_id or 'NAME'}")


def _compare(
    arm: Arm, calibration: Calibration, others: Mapping[str, Calibration],
) -> Iterator[Finding]:
    where = f'{arm.name}, {arm.port}'
    bus = open_bus(arm, where)
    if isinstance(bus, Finding):
        why = 'its driver has compared it' if bus.level is Level.OK else 'the port is not open'
        yield fine('calibration-not-compared', f'the file is readable; {why}', where)
        return
    try:
        wrong = _differing(bus, arm, calibration)
        twin = next((name for name, other in others.items()
                     if wrong and not _differing(bus, arm, other)), '')
    except BusError as error:
        yield Finding(
            Level.WARN, 'calibration-not-compared', 'a motor does not answer', where, str(error),
            'answers from all motors', 'see the findings under bus')
        return
    finally:
        bus.close()
    if twin:
        yield Finding(
            Level.ERROR, 'arms-swapped', f'this is the {twin}: its calibration is in the motors',
            where, f'registers of the {twin}', f'registers of the {arm.name}',
            'swap the two ports in the hardware file')
    elif wrong:
        shown = '; '.join(map(str, wrong[:_SHOWN]))
        more = f'; {len(wrong) - _SHOWN} more' if len(wrong) > _SHOWN else ''
        yield Finding(
            Level.ERROR, 'calibration-mismatch', 'file and motors do not agree', where,
            shown + more, 'registers equal to the file',
            'is this another arm? If the file is right, start the driver once with '
            f'write_calibration:=true; else calibrate:\n{_calibrate(arm)}')
    else:
        yield fine('calibration-matches', 'the file equals the registers', where)


def _differing(bus: FeetechBus, arm: Arm, calibration: Calibration) -> list[Setting]:
    return differences(bus, calibrated(arm.config(), calibration))
