# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibrate an arm anew: homing in the middle pose, ranges moved by hand, registers, file."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import time

from apprentice_control.calibration import JointCalibration
from apprentice_control.homing import Homed
from apprentice_control.homing import homing_offset
from apprentice_control.homing import MIDDLE
from apprentice_control.homing import RangeRecorder
from apprentice_control.homing import wrapped
from apprentice_control.joint_travel import degrees
from apprentice_control.joint_travel import Fault
from apprentice_control.joint_travel import Finding
from apprentice_control.joint_travel import judge_range
from apprentice_control.joint_travel import judge_side
from apprentice_control.joint_travel import MIDDLE_POSE
from apprentice_control.joint_travel import side_of
from apprentice_control.units import TICKS_PER_TURN
from feetech_driver.calibration_journal import Journal
from feetech_driver.calibration_plan import Front
from feetech_driver.calibration_plan import Phase
from feetech_driver.calibration_plan import Plan
from feetech_driver.calibration_plan import Refused
from feetech_driver.calibration_plan import Row
from feetech_driver.calibration_reader import ArmReader
from feetech_driver.calibration_reader import STILL_TICKS
from feetech_driver.calibration_servos import CalibrationBus
from feetech_driver.calibration_servos import Servos
from feetech_driver.connection import Interrupted

# A hand that holds the arm moves it by less between two looks.
_DRIFT_TICKS = 200
_TRIES = 3
_ACCEPTABLE = (Fault.SHORT, Fault.LONG, Fault.MIRRORED)
_SIDES = {-1: 'OTHER SIDE', 0: 'not yet', 1: 'there'}


class FreshCalibration:
    """One calibration of an arm whose bus is open and whose torque is off."""

    def __init__(
        self, bus: CalibrationBus, plan: Plan, front: Front, *,
        clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Touch nothing yet; clock and pause give the time, in seconds."""
        self._bus = bus
        self._plan = plan
        self._front = front
        self._servos = Servos(bus)
        self._reader = ArmReader(bus, front, clock, pause)
        self._records: dict[str, RangeRecorder] = {}
        self._offsets: dict[str, int] = {}

    def run(
        self, kept: Mapping[str, JointCalibration],
        save: Callable[[Mapping[str, JointCalibration]], None],
        journal: Journal | None = None,
    ) -> dict[str, JointCalibration]:
        """
        Calibrate the chosen joints, write registers, then save them with the joints kept.

        Whatever goes wrong on the way, the registers are put back and nothing is saved. The
        journal tells of it when nobody is left to put them back.
        """
        chosen = self._plan.chosen
        earlier = journal.registers() if journal is not None and journal.open else {}
        self._servos.remember(chosen, earlier)
        if journal is not None:
            journal.write(self._servos.before)
        try:
            calibration = {**kept, **self._measure(chosen)}
            ordered = {name: calibration[name] for name in self._plan.travels}
            self._write([ordered[name] for name in chosen])
            save(ordered)
        except BaseException:
            if self._put_back() and journal is not None:
                journal.remove()
            raise
        if journal is not None:
            journal.remove()
        return ordered

    # Phases -------------------------------------------------------------------------------

    def _measure(self, chosen: tuple[str, ...]) -> dict[str, JointCalibration]:
        pending = chosen
        while True:
            self._front.begin(Phase.RESET, f'offsets and limits of {self._say(pending)}')
            self._servos.reset(pending)
            self._home(pending)
            self._record(pending)
            findings = self._judge(pending)
            if not findings:
                break
            if not self._plan.redo:
                raise self._refusal(findings)
            pending = tuple(findings)
            self._front.begin(Phase.REDO, f'confirm to calibrate {self._say(pending)} again')
            try:
                self._reader.watch(lambda _: self._rows(pending, lambda name: 'refused'))
            except Interrupted:
                raise self._refusal(findings) from None
        ids = self._plan.ids
        return {name: JointCalibration(
            name, ids[name], 0, *self._homed(name)) for name in chosen}

    def _home(self, names: tuple[str, ...]) -> None:
        free = [name for name in names if self._plan.travels[name].full_turn]
        zero = f' (for {", ".join(free)} this pose becomes zero)' if free else ''
        self._front.begin(Phase.MIDDLE, (
            f'torque is off, so hold the arm. Bring {self._say(names)} to this pose: '
            f'{MIDDLE_POSE}{zero}; then confirm'))
        latest: dict[str, int] = {}

        def rows(positions: dict[str, int]) -> list[Row]:
            latest.update(positions)
            return [Row(name, latest[name], latest[name], latest[name], self._silence(name))
                    for name in names if name in latest]

        for _ in range(_TRIES):
            self._reader.watch(rows)
            actual, moved = self._reader.still(names)
            if not moved:
                break
            self._front.warn(f'{", ".join(moved)}: still moving; hold the arm still and confirm')
        else:
            raise Refused(
                f'{", ".join(moved)}: moved by more than {degrees(STILL_TICKS):.0f} degrees '
                'each time the middle was to be read; rest the arm on something and start again')
        self._front.begin(Phase.HOMING, 'this pose becomes the middle of the turn')
        for name in names:
            self._offsets[name] = homing_offset(actual[name])
            self._servos.home(name, self._offsets[name])
        homed, _ = self._reader.still(names)
        for name in names:
            expected = actual[name] - self._offsets[name]
            if abs(wrapped(homed[name] - expected)) > _DRIFT_TICKS:
                raise Refused(
                    f'{name}: reads {homed[name]} with homing offset {self._offsets[name]}, '
                    f'expected about {MIDDLE}; hold the arm still and start again; if it stays '
                    "so, update the servo's firmware")
            self._records[name] = RangeRecorder(homed[name])

    def _record(self, names: tuple[str, ...]) -> None:
        moved = tuple(name for name in names if not self._plan.travels[name].full_turn)
        if not moved:
            return
        self._front.begin(Phase.RANGE, (
            f'move slowly from stop to stop: {self._say(moved)}; then confirm'))

        def rows(positions: dict[str, int]) -> list[Row]:
            for name in names:
                if name in positions:
                    self._records[name].add(positions[name])
            return self._rows(names, self._range_flag)

        self._reader.watch(rows)

    def _judge(self, names: tuple[str, ...]) -> dict[str, Finding]:
        findings = {}
        for name in names:
            finding = judge_range(name, self._plan.travels[name], self._records[name])
            if finding is not None and not self._accepts(name, finding):
                findings[name] = finding
                self._front.warn(finding.text)
        for name in names:
            record = self._records[name]
            if name not in findings and record.crossed_seam \
                    and not self._plan.travels[name].full_turn:
                homed = record.homed(self._offsets[name])
                self._front.tell(
                    f"{name}: its range crosses the encoder's seam; the homing offset becomes "
                    f'{homed.offset} instead of {self._offsets[name]}, so that it does not')
        if self._plan.check_directions:
            findings |= self._check_directions(
                tuple(name for name in names if name not in findings))
        return {name: findings[name] for name in names if name in findings}

    def _check_directions(self, names: tuple[str, ...]) -> dict[str, Finding]:
        if not names:
            return {}
        travels = self._plan.travels
        pose = '; '.join(f'{name}: {travels[name].side_words}' for name in names)
        self._front.begin(
            Phase.DIRECTION, f'put each joint well to this side, then confirm: {pose}')

        def rows(positions: dict[str, int]) -> list[Row]:
            for name in names:
                if name in positions:
                    self._records[name].follow(positions[name])
            return self._rows(names, lambda name: _SIDES[
                side_of(travels[name], self._records[name]) * travels[name].side])

        for _ in range(_TRIES):
            self._reader.watch(rows)
            unclear = [name for name in names if not side_of(travels[name], self._records[name])]
            if not unclear:
                break
            self._front.warn(f'{", ".join(unclear)}: near the middle, so the direction cannot be '
                             'told; move farther and confirm')
        else:
            raise Refused(
                f'{", ".join(unclear)}: stayed near the middle, so it is not known whether they '
                'run the right way; start again, or leave the check out with --no-directions')
        findings = {}
        for name in names:
            finding = judge_side(name, travels[name], self._records[name])
            if finding is not None and not self._accepts(name, finding):
                findings[name] = finding
                self._front.warn(finding.text)
        return findings

    def _write(self, joints: list[JointCalibration]) -> None:
        self._front.begin(Phase.WRITE, 'offsets and limits into the servos')
        self._servos.write(joints)
        now, _ = self._reader.still([joint.name for joint in joints])
        for joint in joints:
            reading = now[joint.name]
            outside = max(joint.range_min - reading, reading - joint.range_max)
            if outside > _DRIFT_TICKS:
                raise Refused(
                    f'{joint.name}: reads {reading} after its registers were written, outside '
                    f'its range of {joint.range_min} to {joint.range_max}; was it moved past its '
                    f'stops? {self._redo_hint((joint.name,))}')

    def _put_back(self) -> bool:
        self._front.begin(Phase.PUT_BACK, 'putting the registers back as they were')
        left = self._servos.put_back()
        if not left:
            self._front.tell('the servos are as they were before, and the file too')
            return True
        lines = '\n'.join(f'  {line}' for line in left)
        what = 'motors do not answer' if self._bus.is_open else 'the port is gone'
        self._front.warn(
            f'{what}, so these registers could not be put back:\n{lines}\nAll others are as '
            f'they were, and so is the file. When the arm answers again:\n    '
            f'{self._plan.again(option="--restore")}\nor calibrate again.')
        return False

    # Words --------------------------------------------------------------------------------

    def _say(self, names: tuple[str, ...]) -> str:
        missing = [name for name in self._plan.travels if name not in names]
        if not missing:
            return 'every joint'
        if len(missing) == 1:
            return f'every joint but {missing[0]}'
        return ', '.join(names)

    def _accepts(self, name: str, finding: Finding) -> bool:
        if name not in self._plan.accept or finding.fault not in _ACCEPTABLE:
            return False
        if finding.fault is Fault.MIRRORED:
            self._front.warn(
                f'accepted: {finding.text}; it keeps this direction, as with LeRobot, so the '
                'other arm of the pair must be built alike')
        else:
            self._front.warn(f'accepted: {finding.text}')
        return True

    def _refusal(self, findings: Mapping[str, Finding]) -> Refused:
        texts = {name: f'{finding.text}.{self._accept_hint(name, finding)}'
                 for name, finding in findings.items()}
        return Refused(
            f'{len(findings)} of {len(self._plan.chosen)} joints were not calibrated:\n'
            + '\n'.join(f'  {text}' for text in texts.values())
            + f'\n{self._redo_hint(tuple(findings))}',
            {name: f'{text} {self._redo_hint((name,))}' for name, text in texts.items()})

    def _redo_hint(self, names: tuple[str, ...]) -> str:
        if self._plan.has_file():
            return f'Redo {", ".join(names)} alone:\n    {self._plan.again(names)}'
        return f'There is no file yet, so do all joints again:\n    {self._plan.again()}'

    def _accept_hint(self, name: str, finding: Finding) -> str:
        if finding.fault not in _ACCEPTABLE:
            return ''
        return f' If the arm is built like that, add --accept {name}.'

    def _homed(self, name: str) -> Homed:
        if self._plan.travels[name].full_turn:
            return Homed(self._offsets[name], 0, TICKS_PER_TURN - 1)
        return self._records[name].homed(self._offsets[name])

    def _rows(self, names: Iterable[str], flag: Callable[[str], str]) -> list[Row]:
        rows = []
        for name in names:
            record = self._records[name]
            ends = record.minimum, record.maximum
            if self._plan.travels[name].full_turn:
                ends = 0, TICKS_PER_TURN - 1
            rows.append(Row(name, record.position, *ends, self._silence(name) or flag(name)))
        return rows

    def _range_flag(self, name: str) -> str:
        travel, record = self._plan.travels[name], self._records[name]
        if travel.full_turn:
            return 'whole turn, not recorded'
        finding = judge_range(name, travel, record)
        share = f'{degrees(record.span):.0f} of {travel.degrees:.0f} deg'
        words = [finding.fault.value if finding else 'ok', share]
        if record.crossed_seam:
            words.append('seam')
        return ', '.join(words)

    def _silence(self, name: str) -> str:
        return 'SILENT' if self._reader.is_silent(name) else ''
