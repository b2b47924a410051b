# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The MuJoCo scene against the arm's description and the seed's variation."""
from __future__ import annotations

from math import hypot
import random

from apprentice_sim.randomisation import variation
from apprentice_sim.scene import apply_variation
from apprentice_sim.scene import BIN_INNER
from apprentice_sim.scene import build_model
from apprentice_sim.scene import CAMERAS
from apprentice_sim.scene import CUBE_EDGE
from apprentice_sim.scene import cube_qpos
import mujoco
import numpy as np
import pytest
from so_arm_description import ARMS
from so_arm_description import load_arm


@pytest.mark.parametrize('arm', ARMS)
def test_model_has_the_description_s_kinematics(arm: str) -> None:
    """Every link lies where the description's own forward kinematics puts it."""
    description = load_arm(arm)
    model = build_model(arm)
    data = mujoco.MjData(model)
    generator = random.Random(3)
    for _ in range(20):
        positions = {
            joint.name: generator.uniform(joint.lower, joint.upper)
            for joint in description.moving_joints}
        for name, value in positions.items():
            data.joint(name).qpos = value
        mujoco.mj_kinematics(model, data)
        for link, pose in description.link_poses(positions).items():
            assert np.abs(data.body(link).xpos - pose[:3, 3]).max() < 1e-9
            assert np.abs(data.body(link).xmat.reshape(3, 3) - pose[:3, :3]).max() < 1e-9


@pytest.mark.parametrize('arm', ARMS)
def test_model_has_the_description_s_limits_and_masses(arm: str) -> None:
    """Joint ranges are taken in radians and masses as described."""
    description = load_arm(arm)
    model = build_model(arm)
    for joint in description.moving_joints:
        assert model.joint(joint.name).range.tolist() == [joint.lower, joint.upper]
    for link in description.links.values():
        assert model.body(link.name).mass == pytest.approx(link.mass)


def test_a_seed_always_means_the_same_world() -> None:
    """Two processes that know only the seed build the same world; negative seeds work too."""
    assert variation(5) == variation(5)
    assert variation(5) != variation(6)
    assert variation(-1) == variation(-1)


def test_cube_and_bin_lie_apart_and_on_the_table() -> None:
    """No seed lets the cube start in or at the bin or beyond the table."""
    for seed in range(500):
        world = variation(seed)
        apart = hypot(world.cube_xy[0] - world.bin_xy[0], world.cube_xy[1] - world.bin_xy[1])
        assert apart > BIN_INNER / 2 ** 0.5 + CUBE_EDGE
        for x, y in (world.cube_xy, world.bin_xy):
            assert 0.08 < x < 0.5 and abs(y) < 0.3


def test_variation_reaches_the_model() -> None:
    """Colours, light, bin and cameras in the model change with the seed."""
    model = build_model('so101')
    seen = []
    for seed in (1, 2):
        apply_variation(model, variation(seed))
        seen.append([
            model.material('cube').rgba.copy(), model.material('table').rgba.copy(),
            model.body('bin').pos.copy(), model.light('key').pos.copy(),
            model.light('key').diffuse.copy(), model.camera('front').pos.copy(),
            model.camera('wrist').quat.copy()])
    for first, second in zip(*seen, strict=True):
        assert not np.allclose(first, second)


@pytest.mark.parametrize('seed', range(8))
def test_cube_and_bin_project_into_the_front_picture(seed: int) -> None:
    """With the published intrinsics, the front camera has cube and bin well inside its picture."""
    model = build_model('so101')
    world = variation(seed)
    apply_variation(model, world)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    camera = data.camera('front')
    matrix = np.reshape(CAMERAS['front'].intrinsics(640, 480), (3, 3))
    for point in (cube_qpos(world)[:3], (*world.bin_xy, 0.0)):
        local = camera.xmat.reshape(3, 3).T @ (np.array(point) - camera.xpos)
        # MuJoCo cameras look along -z with y up; the matrix is of a camera looking along z.
        u, v, w = matrix @ (local * (1, -1, -1))
        assert 40 < u / w < 600 and 40 < v / w < 440
