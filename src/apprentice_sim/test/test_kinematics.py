# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The closed forms against the description and against each other."""
from __future__ import annotations

from math import cos
from math import pi
from math import sin

from apprentice_sim.kinematics import ARM_JOINTS
from apprentice_sim.kinematics import ArmKinematics
from apprentice_sim.kinematics import ToolPose
from apprentice_sim.kinematics import UnreachableError
from apprentice_sim.kinematics import wrap
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest
from so_arm_description import ARMS
from so_arm_description import load_arm

DESCRIPTIONS = {arm: load_arm(arm) for arm in ARMS}
KINEMATICS = {arm: ArmKinematics.from_description(DESCRIPTIONS[arm]) for arm in ARMS}
arms = st.sampled_from(ARMS)
fractions = st.tuples(*[st.floats(0.0, 1.0)] * 5)


def joints_of(arm: str, shares: tuple[float, ...]) -> tuple[float, ...]:
    """Spread five shares over the joints' ranges."""
    limits = KINEMATICS[arm].limits
    return tuple(lo + share * (hi - lo) for share, (lo, hi) in zip(shares, limits, strict=True))


@settings(max_examples=300, deadline=None)
@given(arms, fractions)
def test_forward_equals_the_description(arm: str, shares: tuple[float, ...]) -> None:
    """Position and approach axis agree with the chain of the URDF over the joint ranges."""
    joints = joints_of(arm, shares)
    pose = KINEMATICS[arm].forward(joints)
    link = DESCRIPTIONS[arm].link_poses(
        dict(zip(ARM_JOINTS, joints, strict=True)))['gripper_frame_link']
    assert np.abs(link[:3, 3] - pose[:3]).max() < 1e-6
    assert abs(link[2, 2] - sin(pose.pitch)) < 1e-6


@settings(max_examples=500, deadline=None)
@given(arms, fractions)
def test_inverse_undoes_forward(arm: str, shares: tuple[float, ...]) -> None:
    """IK(FK(q)) is q on either elbow branch, in front of the pan axis."""
    kinematics = KINEMATICS[arm]
    joints = joints_of(arm, shares)
    bend = kinematics.upper_angle - kinematics.fore_angle + joints[2]
    r = kinematics.forward((0.0, *joints[1:])).x - kinematics.pan_x
    # Stretched or folded links have one solution of double weight; behind the axis pan flips.
    if r < 0.01 or abs(sin(bend)) < 1e-3:
        return
    found = kinematics.inverse(kinematics.forward(joints), elbow_up=sin(bend) > 0)
    assert max(abs(wrap(a - b)) for a, b in zip(found, joints, strict=True)) < 1e-6


@settings(max_examples=200, deadline=None)
@given(arms, st.floats(0.12, 0.24), st.floats(-1.0, 1.0), st.floats(-pi, pi))
def test_heading_is_where_the_jaw_opens(
        arm: str, radius: float, azimuth: float, heading: float) -> None:
    """A tool pointing down over a place opens its jaw towards the asked world yaw."""
    kinematics = KINEMATICS[arm]
    x = kinematics.pan_x + radius * cos(azimuth)
    y = radius * sin(azimuth)
    roll = kinematics.roll_for_heading(x, y, heading)
    joints = kinematics.inverse(ToolPose(x, y, 0.03, -pi / 2, roll))
    gripper = DESCRIPTIONS[arm].link_poses(
        dict(zip(ARM_JOINTS, joints, strict=True)))['gripper_link']
    assert np.abs(gripper[:2, 0] - (cos(heading), sin(heading))).max() < 1e-4
    assert abs(wrap(kinematics.heading(joints) - heading)) < 1e-4


@pytest.mark.parametrize('arm', ARMS)
@pytest.mark.parametrize('place', [(0.9, 0.0, 0.1), (0.0388, 0.0, 0.9), (0.0389, 0.0, 0.05)])
def test_unreachable_place_says_so(arm: str, place: tuple[float, float, float]) -> None:
    """A pose beyond the links is an error with the lengths in it, not a wrong answer."""
    with pytest.raises(UnreachableError, match='m from the'):
        KINEMATICS[arm].inverse(ToolPose(*place, 0.0, 1.0))


def test_limits_are_the_description_s() -> None:
    """within_limits sees a joint at its end, and the margin."""
    kinematics = KINEMATICS['so101']
    assert kinematics.within_limits((1.9, 0.0, 0.0, 0.0, 0.0))
    assert not kinematics.within_limits((1.93, 0.0, 0.0, 0.0, 0.0))
    assert not kinematics.within_limits((1.9, 0.0, 0.0, 0.0, 0.0), margin=0.05)
