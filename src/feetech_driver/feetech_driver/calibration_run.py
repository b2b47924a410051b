# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Do what a calibration plan asks for, from the opening of the port to its closing."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from math import radians
from pathlib import Path
import time

from apprentice_control.calibration import CalibrationError
from apprentice_control.calibration import JointCalibration
from apprentice_control.calibration import load_calibration
from apprentice_control.calibration import save_calibration
from apprentice_control.homing import RangeRecorder
from apprentice_control.joint_travel import degrees
from apprentice_control.joint_travel import judge_range
from apprentice_control.joint_travel import MIDDLE_POSE
from apprentice_control.zero_check import note_zero_verified
from feetech_driver import devices
from feetech_driver.bus import FeetechBus
from feetech_driver.calibration_journal import Journal
from feetech_driver.calibration_link import PatientBus
from feetech_driver.calibration_plan import Front
from feetech_driver.calibration_plan import Mode
from feetech_driver.calibration_plan import Outcome
from feetech_driver.calibration_plan import Phase
from feetech_driver.calibration_plan import Plan
from feetech_driver.calibration_plan import PlanError
from feetech_driver.calibration_plan import Refused
from feetech_driver.calibration_plan import Row
from feetech_driver.calibration_procedure import FreshCalibration
from feetech_driver.calibration_reader import ArmReader
from feetech_driver.calibration_reader import loosen
from feetech_driver.calibration_servos import CalibrationBus
from feetech_driver.calibration_servos import Difference
from feetech_driver.calibration_servos import differences
from feetech_driver.calibration_servos import read_calibration
from feetech_driver.calibration_servos import REMEMBERED
from feetech_driver.calibration_servos import Servos
from feetech_driver.connection import connect
from feetech_driver.errors import BusError

ZERO_TOLERANCE_DEG = 10.0
Calibration = dict[str, JointCalibration]


def run(plan: Plan, front: Front) -> Outcome:
    """
    Do what the plan asks for on its port.

    Raises PlanError, CalibrationError or BusError, whose texts are for the user; OSError where
    the file cannot be written.
    """
    work: Callable[[CalibrationBus, Plan, Front], Outcome] = {
        Mode.FRESH: _fresh, Mode.COMPARE: _compare, Mode.WRITE: _write, Mode.SAVE: _save,
        Mode.VERIFY_ZERO: _verify_zero, Mode.RESTORE: _restore}[plan.mode]
    _check_files(plan)
    if plan.has_file() and (notice := plan.source().notice):
        front.warn(notice)
    front.begin(Phase.CONNECT, f'opening {plan.port}')
    # Under this name the port comes back after it was unplugged, whatever its number then.
    port = devices.stable_name(plan.port)
    bus = FeetechBus(port, plan.motors, baudrate=plan.baud)
    try:
        info = connect(bus, plan.connect_timeout_s, front.stopped, front.tell)
        for warning in info.warnings:
            front.warn(warning)
        return work(PatientBus(bus, front, plan.replug_timeout_s), plan, front)
    finally:
        bus.close()


def _check_files(plan: Plan) -> None:
    """Find out before an arm is moved what would stand in the way at the end."""
    target = plan.target()
    if plan.mode in (Mode.FRESH, Mode.SAVE):
        folder = target.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f'.{target.name}.probe'
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise PlanError(
                f'{target}: cannot be written: {error.strerror}; change the rights of the folder '
                'or set HF_LEROBOT_CALIBRATION or --calibration-file') from error
    if plan.mode is Mode.FRESH and plan.joints and not plan.has_file():
        raise PlanError(
            f'joints: found {", ".join(plan.joints)}, but there is no calibration file whose '
            f'other joints could be kept ({target}); calibrate all joints first')
    if plan.mode in (Mode.COMPARE, Mode.WRITE, Mode.VERIFY_ZERO):
        _load(plan)
    journal = plan.journal()
    if plan.mode is Mode.RESTORE and not journal.open:
        raise PlanError(
            f'no interrupted calibration is to be undone: there is no journal {journal.path}')
    if plan.mode is Mode.SAVE and journal.open:
        raise PlanError(
            f'the servos hold a part of an interrupted calibration ({journal.path}), which is '
            f'not worth a file; undo it first:\n    {plan.again(option="--restore")}')


def _load(plan: Plan) -> tuple[Path, Calibration]:
    path = plan.source().path
    return path, load_calibration(path, plan.ids)


def _reader(bus: CalibrationBus, front: Front) -> ArmReader:
    return ArmReader(bus, front, time.monotonic, time.sleep)


def _fresh(bus: CalibrationBus, plan: Plan, front: Front) -> Outcome:
    kept: Calibration = {}
    if len(plan.chosen) < len(plan.travels):
        kept = _load(plan)[1]
        _refuse_different(differences(bus, {
            name: joint for name, joint in kept.items() if name not in plan.chosen}), plan)
    loosen(bus, front, _reader(bus, front))
    path = plan.target()
    calibration = FreshCalibration(bus, plan, front).run(
        kept, lambda joints: save_calibration(path, joints), _journal(plan, front))
    return Outcome(path, calibration, dict.fromkeys(calibration, 'ok'))


def _journal(plan: Plan, front: Front) -> Journal:
    journal = plan.journal()
    if not journal.open:
        return journal
    try:
        _earlier(plan)
    except CalibrationError as error:
        if plan.joints:
            raise
        front.warn(f'{error}. That is done now')
        journal.remove()
    else:
        front.warn('a calibration of this arm was interrupted; whatever stops this one restores '
                   'what the servos held before that one')
    return journal


def _earlier(plan: Plan) -> dict[tuple[str, str], int]:
    journal = plan.journal()
    registers = journal.registers()
    unknown = [f'{joint} {register}' for joint, register in registers
               if joint not in plan.motors or register not in REMEMBERED]
    if unknown:
        raise CalibrationError(
            f'{journal.path}: found {", ".join(unknown)}, expected registers of a calibration '
            f'of this arm; is --arm right? Else calibrate all joints again')
    return registers


def _restore(bus: CalibrationBus, plan: Plan, front: Front) -> Outcome:
    servos = Servos(bus)
    servos.remember((), _earlier(plan))
    loosen(bus, front, _reader(bus, front))
    front.begin(Phase.PUT_BACK, 'putting the registers back as they were')
    left = servos.put_back()
    if left:
        lines = '\n'.join(f'  {line}' for line in left)
        raise BusError(f'these registers could not be put back:\n{lines}\nCheck cables and '
                       'supply of the motors, then start again with --restore')
    plan.journal().remove()
    front.tell('the servos are as they were before the interrupted calibration')
    path = plan.target()
    return Outcome(path, {}, {})


def _refuse_different(found: list[Difference], plan: Plan) -> None:
    if found:
        lines = '\n'.join(f'  {difference}' for difference in found)
        raise Refused(
            f'the joints to be kept are not those of the file:\n{lines}\nIs this another arm? If '
            f'not, write the file to the servos first:\n    {plan.again(option="--write")}\nor '
            f'calibrate all joints:\n    {plan.again()}')


def _compare(bus: CalibrationBus, plan: Plan, front: Front) -> Outcome:
    path, calibration = _load(plan)
    verdicts = _verdicts(calibration, differences(bus, calibration))
    return Outcome(path, calibration, verdicts, any(text != 'ok' for text in verdicts.values()))


def _verdicts(
    calibration: Mapping[str, JointCalibration], found: list[Difference],
) -> dict[str, str]:
    return {name: '\n'.join(str(it) for it in found if it.joint == name) or 'ok'
            for name in calibration}


def _write(bus: CalibrationBus, plan: Plan, front: Front) -> Outcome:
    path, calibration = _load(plan)
    found = differences(bus, calibration)
    if not found:
        front.tell(f'the servos hold what {path} says; nothing was written')
        plan.journal().remove()
        return Outcome(path, calibration, dict.fromkeys(calibration, 'ok'))
    for difference in found:
        front.tell(str(difference))
    loosen(bus, front, _reader(bus, front))
    front.begin(Phase.WRITE, 'writing the file to the servos')
    servos = Servos(bus)
    servos.remember(calibration)
    try:
        servos.write(calibration.values())
    except BusError as error:
        left = differences_or_unknown(bus, calibration)
        raise BusError(
            f'{error}\nStill different from {path}:\n{left}\nWhen the motors answer again, start '
            'again with --write: it goes on where it ended.') from error
    plan.journal().remove()
    return Outcome(path, calibration, dict.fromkeys(calibration, 'ok'))


def differences_or_unknown(bus: CalibrationBus, calibration: Calibration) -> str:
    """List what still differs, joint by joint, one that cannot be asked as unknown."""
    lines = []
    for name, joint in calibration.items():
        try:
            lines += [f'  {it}' for it in differences(bus, {name: joint})]
        except BusError:
            lines.append(f'  {name}: unknown, it does not answer')
    return '\n'.join(lines) or '  nothing'


def _save(bus: CalibrationBus, plan: Plan, front: Front) -> Outcome:
    path = plan.target()
    like = _load(plan)[1] if plan.has_file() else {}
    calibration = read_calibration(bus, like)
    verdicts = {}
    for name, joint in calibration.items():
        record = RangeRecorder(joint.range_min)
        record.maximum = joint.range_max
        finding = judge_range(name, plan.travels[name], record)
        if finding is not None and name not in plan.accept:
            verdicts[name] = (
                f'{name}: the servo holds a range of {joint.range_min} to {joint.range_max}, '
                f'{degrees(record.span):.0f} degrees, expected about '
                f'{plan.travels[name].degrees:.0f}; calibrate it')
    if verdicts:
        raise Refused('the servos do not hold a calibration worth a file:\n' + '\n'.join(
            f'  {text}' for text in verdicts.values()), verdicts)
    front.begin(Phase.WRITE, f'writing {path}')
    save_calibration(path, calibration)
    return Outcome(path, calibration, dict.fromkeys(calibration, 'ok'))


def _verify_zero(bus: CalibrationBus, plan: Plan, front: Front) -> Outcome:
    path, calibration = _load(plan)
    found = differences(bus, calibration)
    if found:
        raise Refused(
            f'{path} and the servos differ, so their zero cannot be verified:\n'
            + '\n'.join(f'  {it}' for it in found)
            + f'\nSettle that first:\n    {plan.again(option="--compare")}',
            _verdicts(calibration, found))
    reader = _reader(bus, front)
    loosen(bus, front, reader)
    front.begin(Phase.ZERO, f'put the arm into this pose, then confirm: {MIDDLE_POSE}')
    latest: dict[str, int] = {}

    def rows(positions: dict[str, int]) -> list[Row]:
        latest.update(positions)
        return [Row(name, latest[name], joint.range_min, joint.range_max,
                    f'{round(degrees(latest[name] - joint.mid_raw)):+d} deg from zero')
                for name, joint in calibration.items() if name in latest]

    reader.watch(rows)
    steady, _ = reader.still(calibration)
    off = {name: degrees(steady[name] - joint.mid_raw) for name, joint in calibration.items()}
    verdicts = {
        name: 'ok' if abs(angle) <= ZERO_TOLERANCE_DEG else (
            f'{name}: {angle:+.1f} degrees from zero, expected 0 within '
            f'{ZERO_TOLERANCE_DEG:.0f}; if the pose was right, its range was recorded short at '
            f'one end; redo it:\n    {plan.again((name,))}') for name, angle in off.items()}
    wrong = [text for text in verdicts.values() if text != 'ok']
    if wrong:
        raise Refused('zero is not where the description has it:\n'
                      + '\n'.join(f'  {text}' for text in wrong), verdicts)
    note = note_zero_verified(path, calibration, {
        name: radians(angle) for name, angle in off.items()})
    front.tell(f'zero agrees with the description; noted in {note}')
    return Outcome(path, calibration, {
        name: f'ok, {angle:+.1f} degrees from zero' for name, angle in off.items()})
