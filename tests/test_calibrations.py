# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibrations of arms of random build, without a wire and in virtual time."""
from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
import sys

from apprentice_control.calibration import JointCalibration
from apprentice_control.joint_travel import Fault
from feetech_driver.calibration_plan import Plan
from feetech_driver.calibration_plan import Refused
from feetech_driver.calibration_procedure import FreshCalibration
import pytest

sys.path.insert(0, str(Path(__file__).parent / 'benchmarks'))
import calibrations  # noqa: E402,I100  (the path above must come first)

COUNT = 30


def mirrored_case() -> calibrations.Case:
    """Return an arm with nothing wrong but one mirrored joint."""
    return next(case for case in map(calibrations.random_case, range(1000))
                if [*case.wrong.values()] == [Fault.MIRRORED] and 'wrist_roll' not in case.wrong)


def run(case: calibrations.Case, plan: Plan) -> dict[str, JointCalibration]:
    """Calibrate a case as planned."""
    now = calibrations.VirtualTime()
    return FreshCalibration(
        calibrations.DirectBus(case.servos, now), plan,
        calibrations.Operator(case, plan.travels, now), clock=now.seconds,
        pause=now.pause).run({}, lambda joints: None)


def test_bad_ones_are_refused_and_good_ones_exact() -> None:
    """Every bad joint is named, no good one is blamed, registers of refused arms stay."""
    verdicts = Counter(
        calibrations.verdict(calibrations.calibrate(calibrations.random_case(seed)))
        for seed in range(COUNT))
    assert verdicts.keys() == {'good', 'bad, refused'}
    assert min(verdicts.values()) > 5


def test_the_count_can_fail() -> None:
    """A calibration that accepts everything, or blames another joint, is noticed."""
    bad = next(case for case in map(calibrations.random_case, range(1000)) if case.wrong)
    result = calibrations.calibrate(bad)
    assert calibrations.verdict(replace(result, refused={})) == 'bad, but accepted'
    assert calibrations.verdict(replace(result, refused={'x': ''})).endswith('blamed')
    assert calibrations.verdict(replace(result, wrong={})) == 'good, but refused'
    assert calibrations.verdict(replace(result, wrong={}, refused={}, off_ticks=2)) == (
        'good, but off by more than a tick')


def test_a_mirrored_joint_can_be_accepted() -> None:
    """Who built it like that keeps its direction: drive_mode is 0, as LeRobot writes it."""
    case = mirrored_case()
    plan = Plan('', case.arm, case.role, 'x', redo=False, accept=tuple(case.wrong))
    found = run(case, plan)
    assert found.keys() >= case.wrong.keys()
    assert not any(joint.drive_mode for joint in found.values())


def test_what_cannot_be_saved_changes_nothing() -> None:
    """A disk that is full at the very end leaves the registers as they were."""
    case = next(case for case in map(calibrations.random_case, range(1000)) if not case.wrong)
    now = calibrations.VirtualTime()
    bus = calibrations.DirectBus(case.servos, now)
    before = {name: bus.read(name, 'homing_offset') for name in bus.motors}
    plan = Plan('', case.arm, case.role, 'x', redo=False)

    def full(_joints: object) -> None:
        assert before != {name: bus.read(name, 'homing_offset') for name in bus.motors}
        raise OSError(28, 'No space left on device')

    with pytest.raises(OSError, match='No space'):
        FreshCalibration(
            bus, plan, calibrations.Operator(case, plan.travels, now), clock=now.seconds,
            pause=now.pause).run({}, full)
    assert before == {name: bus.read(name, 'homing_offset') for name in bus.motors}


def test_a_trembling_arm_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times in motion is a refusal that names the joint."""
    case = next(case for case in map(calibrations.random_case, range(1000)) if not case.wrong)
    still = calibrations.Operator.begin

    def restless(self: calibrations.Operator, phase: object, prompt: str) -> None:
        still(self, phase, prompt)
        self.restless = True

    def pause(self: calibrations.VirtualTime, seconds: float) -> None:
        self.ns += int(seconds * 1e9)
        case.mechanism.put('gripper', 8.0 * (self.ns // 10_000_000 % 12), self.ns)

    monkeypatch.setattr(calibrations.Operator, 'begin', restless)
    monkeypatch.setattr(calibrations.VirtualTime, 'pause', pause)
    with pytest.raises(Refused, match='gripper: moved by more than 3 degrees each time'):
        run(case, Plan('', case.arm, case.role, 'x', redo=False))
