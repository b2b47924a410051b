# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""How the simulated arm, cube and bin behave."""
from __future__ import annotations

from apprentice_sim.gripper import Gripper
from apprentice_sim.kinematics import REST_POSE
from apprentice_sim.physics import Physics
from apprentice_sim.physics import PhysicsError
import numpy as np
import pytest
from so_arm_description import ARMS
from so_arm_description import load_arm


def steps(physics: Physics, seconds: float) -> None:
    """Let time pass."""
    for _ in range(round(seconds / physics.timestep_s)):
        physics.step()


@pytest.mark.parametrize('arm', ARMS)
def test_torque_off_arm_stays_near_its_rest_pose(arm: str) -> None:
    """Without torque the folded arm neither falls nor creeps away."""
    physics = Physics(arm, 0)
    before = physics.joints()
    steps(physics, 3.0)
    assert np.abs(np.subtract(physics.joints(), before)).max() < 0.15
    assert np.abs(np.subtract(physics.joints(), REST_POSE)).max() < 0.25


def test_driven_joints_reach_their_goals_but_for_sag() -> None:
    """Every joint settles near its goal; the load shows against gravity."""
    physics = Physics('so101', 0)
    goal = [0.3, -0.5, 0.5, 0.4, -0.3, 0.2]
    physics.drive([(value, 1.0) for value in goal])
    steps(physics, 2.0)
    assert np.abs(np.subtract(physics.joints(), goal)).max() < 0.05
    motions = physics.motions()
    assert max(abs(motion.velocity) for motion in motions) < 0.01
    assert motions[1].load < -0.02


def test_torque_limit_weakens_a_servo() -> None:
    """With its torque limit at nothing, a raised arm comes down slowly, not at once."""
    physics = Physics('so101', 0)
    goal = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    physics.drive([(value, 1.0) for value in goal])
    steps(physics, 2.0)
    physics.drive([(value, 0.0) for value in goal])
    assert physics.motions()[1].load != 0.0
    steps(physics, 0.1)
    assert abs(physics.joints()[1]) < 0.2
    steps(physics, 3.0)
    assert physics.joints()[1] > 0.3


def test_reset_moves_the_cube_and_leaves_the_arm() -> None:
    """A reset places cube and bin by seed, and the arm stays where it is."""
    physics = Physics('so101', 1)
    joints, first = physics.joints(), physics.cube().position
    physics.reset(2)
    assert physics.joints() == joints
    assert np.abs(np.subtract(physics.cube().position, first)).max() > 0.01
    physics.reset(1)
    assert np.abs(np.subtract(physics.cube().position, first)).max() < 1e-3


def test_cube_in_bin_is_seen_only_in_the_bin() -> None:
    """The cube counts as in the bin when dropped into it, not beside nor above it."""
    physics = Physics('so101', 4)
    assert not physics.cube_in_bin()
    physics.data.joint('cube').qpos[:3] = np.add(physics.bin(), (0.0, 0.0, 0.15))
    assert not physics.cube_in_bin()
    steps(physics, 1.0)
    assert physics.cube_in_bin()
    assert physics.cube().position[2] < 0.03


def test_a_gripped_cube_is_held() -> None:
    """The fingers hold the cube free of the table for seconds at a gentle torque."""
    physics = Physics('so101', 0)
    gripper = Gripper.from_description(load_arm('so101'))
    arm = [0.0, -0.3, 0.3, 0.4, 0.0]
    open_at = gripper.position_for(0.05)
    physics.drive([(value, 1.0) for value in (*arm, open_at)])
    steps(physics, 2.0)
    tool = physics.data.body('gripper_frame_link')
    link = physics.data.body('gripper_link')
    offset = gripper.fixed_face + 0.014
    centre = tool.xpos + link.xmat.reshape(3, 3) @ (offset, 0.0, 0.0)
    physics.model.opt.gravity[:] = 0.0
    cube = physics.data.joint('cube')
    cube.qpos[:3] = centre
    cube.qpos[3:] = link.xquat
    cube.qvel[:] = 0.0
    physics.drive([(value, 1.0) for value in (*arm, gripper.position_for(0.028) - 0.03)])
    steps(physics, 1.0)
    physics.model.opt.gravity[2] = -9.81
    steps(physics, 0.5)
    held = np.array(physics.cube().position)
    steps(physics, 3.0)
    assert np.abs(np.array(physics.cube().position) - held).max() < 0.003
    assert held[2] > 0.05


def test_divergence_is_an_error() -> None:
    """A state of no finite numbers ends the simulation instead of going on with it."""
    physics = Physics('so101', 0)
    physics.data.qpos[6:9] = np.nan
    with pytest.raises(PhysicsError, match='diverged'):
        physics.step()
