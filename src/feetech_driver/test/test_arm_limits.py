# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A description's limits hold only for the calibration whose zero was verified."""
from __future__ import annotations

import math
from pathlib import Path

from apprentice_control.calibration import JointCalibration
from apprentice_control.calibration import load_calibration
from apprentice_control.calibration import save_calibration
from apprentice_control.limits import DescriptionError
from apprentice_control.limits import JointLimit
from apprentice_control.zero_check import note_zero_verified
from apprentice_control.zero_check import zero_note
from driver_harness import write_calibration
from feetech_driver.arm_limits import arm_limits
from feetech_driver.parameters import DriverConfig
from feetech_driver.parameters import parse_config
from feetech_driver.parameters import SPECS
import pytest

SO101 = 'package://so_arm_description/urdf/so101.urdf'
IDS = dict(zip(('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll',
                'gripper'), range(1, 7)))


def configured(description: str = SO101, **changes: object) -> DriverConfig:
    """Return the defaults with a description."""
    return parse_config({
        **{spec.name: spec.default for spec in SPECS}, 'description': description, **changes})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a calibration whose wrist_roll may turn farther than the model's."""
    return write_calibration(
        tmp_path / 'arm.json', 'follower', wrist_roll={'range_min': 0, 'range_max': 4095})


def limits_of(file: Path, config: DriverConfig) -> tuple[dict[str, JointLimit], list[str]]:
    """Return the limits by joint, and the warnings."""
    warnings: list[str] = []
    found = arm_limits(config, file, load_calibration(file, IDS), warnings.append)
    return {limit.name: limit for limit in found}, warnings


def verified(file: Path) -> dict[str, JointCalibration]:
    """Note that zero was verified."""
    calibration = load_calibration(file, IDS)
    note_zero_verified(file, calibration, {})
    return calibration


def test_they_hold_once_zero_was_verified(file: Path) -> None:
    """The narrower of the two ends holds at each side, without a word; caps stay."""
    verified(file)
    limits, warnings = limits_of(file, configured())
    roll = limits['wrist_roll']
    assert (roll.lower, roll.upper) == (-2.74385, 2.84121) and not warnings
    assert (roll.max_velocity, roll.max_acceleration) == (4.0, 30.0)
    free, _ = limits_of(file, configured(''))
    assert free['wrist_roll'].upper == pytest.approx(math.pi - math.radians(2.0), abs=1e-3)
    assert all(free[name].lower <= limits[name].lower < limits[name].upper <= free[name].upper
               for name in IDS)


@pytest.mark.parametrize('state', ['no note', 'damaged note', 'another calibration'])
def test_they_only_warn_without(file: Path, state: str) -> None:
    """No note, a damaged one, another calibration's: told once, by joint, with the cure."""
    if state == 'damaged note':
        zero_note(file).write_text('{"zero": ')
    elif state == 'another calibration':
        joints = verified(file)
        pan = joints['shoulder_pan']
        save_calibration(file, {**joints, 'shoulder_pan': JointCalibration(
            pan.name, pan.id, 0, pan.homing_offset + 1, pan.range_min, pan.range_max)})
    limits, warnings = limits_of(file, configured())
    assert limits == limits_of(file, configured(''))[0]
    text, = warnings
    assert 'wrist_roll' in text and '--verify-zero' in text and str(zero_note(file)) in text


def test_a_leader_has_none(file: Path) -> None:
    """What nobody drives needs no warning."""
    assert limits_of(file, configured(role='leader'))[1] == []


@pytest.mark.parametrize(('content', 'text'), [
    (None, 'cannot be read'),
    ('<robot', 'cannot be read'),
    ('<sdf/>', 'its root element is <sdf>, expected <robot>'),
    ('<robot><joint name="a" type="revolute"><limit lower="1" upper="x"/></joint></robot>',
     "joint 'a' has limits 1 to x, expected two numbers"),
    ('<robot><joint name="a" type="revolute"><limit lower="1" upper="-1"/></joint></robot>',
     "joint 'a' has limits 1 to -1"),
    ('<robot><joint name="gripper" type="revolute"><limit lower="4" upper="5"/></joint></robot>',
     'joint gripper: its calibrated limits of'),
])
def test_a_bad_description_is_told(
        file: Path, tmp_path: Path, content: str | None, text: str) -> None:
    """File and fault are named, whether zero was verified or not."""
    path = tmp_path / 'arm.urdf'
    if content is not None:
        path.write_text(content)
    with pytest.raises(DescriptionError) as caught:
        limits_of(file, configured(str(path)))
    assert text in str(caught.value)


def test_a_description_without_limits_limits_nothing(file: Path, tmp_path: Path) -> None:
    """Continuous joints and unknown names are left alone."""
    path = tmp_path / 'arm.urdf'
    path.write_text('<robot><joint name="gripper" type="continuous"><limit effort="1"/></joint>'
                    '<joint name="knee" type="revolute"><limit lower="0" upper="1"/></joint>'
                    '</robot>')
    assert limits_of(file, configured(str(path))) == limits_of(file, configured(''))


def test_an_unknown_package_is_told(file: Path) -> None:
    """A typing error names the package."""
    with pytest.raises(DescriptionError, match="no package 'so_arms' is installed"):
        limits_of(file, configured('package://so_arms/arm.urdf'))
