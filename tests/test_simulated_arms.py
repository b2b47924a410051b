# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The simulated arms' calibration against their description."""
from __future__ import annotations

from pathlib import Path

from apprentice_control.calibration import load_calibration
import pytest
from so_arm_description import load_arm

FOLDER = Path(__file__).resolve().parents[1] / 'src' / 'so100_bringup' / 'config' / 'sim'
# LeRobot calibrates this joint as a full turn, whatever its stops.
FULL_TURN = 'wrist_roll'


@pytest.mark.parametrize('role', ['leader', 'follower'])
@pytest.mark.parametrize('arm', ['so100', 'so101'])
def test_calibrated_ranges_end_before_the_joints_do(role: str, arm: str) -> None:
    """No goal inside the calibrated range drives a simulated joint against its stop."""
    joints = {joint.name: joint for joint in load_arm(arm).moving_joints}
    ids = {name: number for number, name in enumerate(joints, start=1)}
    for name, calibration in load_calibration(FOLDER / f'{role}.json', ids).items():
        if name != FULL_TURN:
            assert joints[name].lower <= calibration.lower_rad, name
            assert calibration.upper_rad <= joints[name].upper, name
