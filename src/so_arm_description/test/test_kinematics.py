# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics of the shipped files against independent numbers."""
from __future__ import annotations

import math
import random

import numpy as np
import pytest

from so_arm_description import ARMS
from so_arm_description import load_arm

# Position of gripper_frame_link (m) computed from the public SO-101 model.
CHECKS = (
    ({}, (0.39136, 0.0, 0.22647)),
    ({'shoulder_pan': 0.5}, (0.34820, -0.16902, 0.22647)),
    ({'shoulder_lift': 0.5}, (0.40460, 0.0, 0.05858)),
    ({'elbow_flex': 0.5}, (0.35406, 0.0, 0.08579)),
    ({'wrist_flex': 0.5}, (0.36808, 0.0, 0.15110)),
    ({'wrist_roll': 0.5}, (0.39136, -0.00382, 0.22736)),
    ({'shoulder_pan': 0.3, 'shoulder_lift': -0.4, 'elbow_flex': 0.6, 'wrist_flex': -0.5,
      'wrist_roll': 0.2}, (0.32498, -0.09017, 0.24911)),
)


@pytest.mark.parametrize(('positions', 'expected'), CHECKS)
def test_so101_matches_the_public_model(
        positions: dict[str, float], expected: tuple[float, float, float]) -> None:
    """The tip is where the public SO-101 model puts it, within 2e-5 m."""
    tip = load_arm('so101').link_poses(positions)['gripper_frame_link'][:3, 3]
    assert np.abs(tip - expected).max() < 2e-5


@pytest.mark.parametrize('arm', ARMS)
def test_gripper_does_not_move_the_frame(arm: str) -> None:
    """The gripper's zero can be chosen freely: it leaves the tool frame alone."""
    description = load_arm(arm)
    closed = description.link_poses({'gripper': -0.9})['gripper_frame_link']
    opened = description.link_poses({'gripper': 0.9})['gripper_frame_link']
    assert np.array_equal(closed, opened)


@pytest.mark.parametrize('arm', ARMS)
def test_closed_form_agrees(arm: str) -> None:
    """With wrist_roll at zero the planar closed form gives the tip, on random poses."""
    description = load_arm(arm)
    tool = 0.098127 + {'so100': 0.0601, 'so101': 0.0611}[arm]
    reach, sag = math.hypot(tool, 0.0079), math.atan2(0.0079, tool)
    generator = random.Random(1)
    for _ in range(50):
        pan, lift, elbow, wrist = (generator.uniform(-1.5, 1.5) for _ in range(4))
        a = math.atan2(0.11257, 0.028) - lift
        b = math.atan2(0.0052, 0.1349) - lift - elbow
        c = -sag - lift - elbow - wrist
        r = (0.030399 + 0.1160 * math.cos(a) + 0.1350 * math.cos(b) + reach * math.cos(c))
        z = (0.1166 + 0.1160 * math.sin(a) + 0.1350 * math.sin(b) + reach * math.sin(c))
        tip = description.link_poses({
            'shoulder_pan': pan, 'shoulder_lift': lift, 'elbow_flex': elbow,
            'wrist_flex': wrist})['gripper_frame_link'][:3, 3]
        expected = (0.038835 + r * math.cos(pan), -r * math.sin(pan), z)
        assert np.abs(tip - expected).max() < 3e-5


def test_so100_public_zero_pose_is_near() -> None:
    """The public SO-100 zero pose, by its nominal offsets, puts the wrist near its place."""
    link = load_arm('so100').link_poses(
        {'shoulder_lift': -1.75, 'elbow_flex': 1.571, 'wrist_flex': 0.65})['gripper_link']
    assert math.hypot(link[0, 3] - 0.147, link[2, 3] - 0.136) < 0.02
