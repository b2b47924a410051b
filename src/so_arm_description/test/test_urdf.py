# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The reader's errors and what the shipped files hold."""
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from so_arm_description import ARMS
from so_arm_description import DescriptionError
from so_arm_description import load_arm
from so_arm_description import read_urdf
from so_arm_description import urdf_path

MOTORS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')

LIMITS = {
    'so100': ((-2.0, 2.0), (-1.75, 1.75), (-1.57079, 1.57079), (-1.85, 1.85),
              (-3.14158, 3.14158), (-1.1, 1.1)),
    'so101': ((-1.91986, 1.91986), (-1.74533, 1.74533), (-1.69, 1.69), (-1.65806, 1.65806),
              (-2.74385, 2.84121), (-0.959931, 0.959931)),
}


@pytest.mark.parametrize('arm', ARMS)
def test_joints_are_the_motors_in_id_order(arm: str) -> None:
    """The moving joints carry LeRobot's names, motor order and the known limits."""
    joints = load_arm(arm).moving_joints
    assert tuple(joint.name for joint in joints) == MOTORS
    assert tuple((joint.lower, joint.upper) for joint in joints) == LIMITS[arm]
    assert all(joint.axis == (0.0, 0.0, 1.0) for joint in joints)


@pytest.mark.parametrize('arm', ARMS)
def test_every_moving_link_has_mass_and_shapes(arm: str) -> None:
    """A renderer and a physics engine find something in every link."""
    description = load_arm(arm)
    for link in description.links.values():
        if link.name == 'gripper_frame_link':
            continue
        assert link.mass > 0.0 and min(link.inertia) > 0.0
        assert link.visuals and link.collisions
        # No principal inertia exceeds the sum of the other two in a rigid body.
        assert 2 * max(link.inertia) <= sum(link.inertia)


@pytest.mark.parametrize('arm', ARMS)
def test_jaw_closes_towards_the_fixed_finger(arm: str) -> None:
    """The gripper's lower limit brings the finger tips together, its upper limit parts them."""
    description = load_arm(arm)
    joint = description.moving_joints[-1]

    def gap(q: float) -> float:
        poses = description.link_poses({'gripper': q})
        finger = next(s for s in description.links['moving_jaw_link'].collisions)
        tip = finger.origin @ np.array([-finger.size[0] / 2, -finger.size[1] / 2, 0.0, 1.0])
        gripper = np.linalg.inv(poses['gripper_link']) @ poses['moving_jaw_link'] @ tip
        fixed = next(s for s in description.links['gripper_link'].collisions
                     if s.name == 'fixed_finger')
        return float(gripper[0] - (fixed.origin[0, 3] + fixed.size[0] / 2))

    assert abs(gap(joint.lower)) < 0.005
    assert gap(joint.upper) > 0.07


@pytest.mark.parametrize(('change', 'message'), [
    (('<robot name="so101">', '<model name="so101">'), 'mismatched tag'),
    (('type="revolute"', 'type="prismatic"'), 'expected fixed or revolute'),
    (('<child link="shoulder_link"/>', '<child link="elsewhere"/>'), "unknown link 'elsewhere'"),
    (('<child link="shoulder_link"/>', '<child link="wrist_link"/>'), 'no single tree'),
    (('0.038835 0 0.0624', '0.038835 nan 0.0624'), '3 finite number'),
    (('<material name="board"/>', '<material name="gold"/>'), "undefined material 'gold'"),
    (('lower="-1.91986"', 'lower="2.5"'), 'is not below'),
    (('<axis xyz="0 0 1"/>', '<axis xyz="0 0 2"/>'), 'no unit vector'),
])
def test_a_bad_file_is_named_with_its_fault(
        change: tuple[str, str], message: str, tmp_path: Path) -> None:
    """A broken description is refused; the error names the file and the element."""
    text = urdf_path('so101').read_text()
    assert change[0] in text
    path = tmp_path / 'broken.urdf'
    path.write_text(text.replace(*change, 1))
    with pytest.raises(DescriptionError, match=message) as caught:
        read_urdf(path)
    assert str(path) in str(caught.value)


def test_unknown_arm_lists_the_known_ones() -> None:
    """A wrong arm name is refused with the names that would do."""
    with pytest.raises(ValueError, match='so100, so101'):
        load_arm('so999')


def test_unknown_joint_is_refused() -> None:
    """Forward kinematics refuses a joint that the arm lacks."""
    with pytest.raises(KeyError, match='knee'):
        load_arm('so101').link_poses({'knee': math.pi})
