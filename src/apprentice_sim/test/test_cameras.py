# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Rendered pictures, and which states become frames."""
from __future__ import annotations

from collections.abc import Iterator
import random

from apprentice_sim.cameras import FramePicker
from apprentice_sim.cameras import SceneRenderer
from apprentice_sim.cameras import to_jpeg
from apprentice_sim.physics import Physics
from apprentice_sim.scene import CAMERAS
import mujoco
import numpy as np
import pytest
import simplejpeg

HZ_60_NS = 1e9 / 60


@pytest.fixture(scope='module')
def physics() -> Physics:
    """Return a world to be photographed."""
    return Physics('so101', 1)


@pytest.fixture
def renderer(opengl: str) -> Iterator[SceneRenderer]:
    """Return a renderer of the camera's usual size."""
    renderer = SceneRenderer('so101', 640, 480)
    yield renderer
    renderer.close()


@pytest.mark.parametrize('seed', [1, 2, 3])
def test_the_cube_is_where_the_intrinsics_say(
        renderer: SceneRenderer, physics: Physics, seed: int) -> None:
    """The front picture has the cube's colour at the place that camera_info predicts."""
    physics.reset(seed)
    renderer.show(seed, physics.qpos())
    picture = renderer.picture('front').astype(float)
    camera = physics.data.camera('front')
    local = camera.xmat.reshape(3, 3).T @ (np.array(physics.cube().position) - camera.xpos)
    matrix = np.reshape(CAMERAS['front'].intrinsics(640, 480), (3, 3))
    u, v, w = matrix @ (local * (1, -1, -1))
    seen = picture[round(v / w), round(u / w)]
    expected = np.array(physics.variation.cube_rgb)
    assert np.argmax(seen) == np.argmax(expected)
    # Light changes the brightness, hardly the ratios between the channels.
    assert np.abs(seen / seen.max() - expected / expected.max()).max() < 0.25


def test_both_cameras_show_something(renderer: SceneRenderer, physics: Physics) -> None:
    """Pictures have the asked size, and neither is plain."""
    renderer.show(1, physics.qpos())
    for camera in CAMERAS:
        picture = renderer.picture(camera)
        assert picture.shape == (480, 640, 3) and picture.dtype == np.uint8
        assert picture.std() > 15


def test_pictures_follow_state_and_seed(renderer: SceneRenderer, physics: Physics) -> None:
    """Another pose or another seed makes another picture; the same state the same one."""
    qpos = physics.qpos()
    renderer.show(1, qpos)
    first = renderer.picture('front')
    moved = qpos.copy()
    moved[0] += 0.3
    renderer.show(1, moved)
    assert np.any(renderer.picture('front') != first)
    renderer.show(2, qpos)
    assert np.any(renderer.picture('front') != first)
    renderer.show(1, qpos)
    assert np.array_equal(renderer.picture('front'), first)


def test_a_state_of_another_model_is_refused(renderer: SceneRenderer) -> None:
    """A state with a different number of positions is an error that says why."""
    with pytest.raises(ValueError, match='must have the same arm'):
        renderer.show(1, [0.0] * 5)


def test_jpeg_comes_back_nearly_the_same(renderer: SceneRenderer, physics: Physics) -> None:
    """A decoded JPEG differs little from the picture and is much smaller."""
    renderer.show(1, physics.qpos())
    picture = renderer.picture('wrist')
    data = to_jpeg(picture)
    decoded = simplejpeg.decode_jpeg(data, colorspace='RGB')
    assert np.abs(decoded.astype(float) - picture).mean() < 3.0
    assert len(data) < picture.nbytes / 5


def test_wrist_camera_moves_with_the_gripper(physics: Physics) -> None:
    """The wrist camera belongs to the gripper, the front camera to the world."""
    model = physics.model
    assert model.camera('wrist').bodyid[0] == model.body('gripper_link').id
    assert model.camera('front').bodyid[0] == mujoco.mj_name2id(
        model, mujoco.mjtObj.mjOBJ_BODY, 'world')


@pytest.mark.parametrize('rate', [10.0, 15.0, 20.0, 30.0, 60.0])
def test_frames_come_at_the_asked_rate(rate: float) -> None:
    """From a jittering 60 Hz stream the picker takes an even share."""
    generator = random.Random(1)
    picker = FramePicker(rate)
    stamps = [int(i * HZ_60_NS + generator.uniform(-1.2e6, 1.2e6)) for i in range(1200)]
    picked = [stamp for stamp in stamps if picker.due(stamp, HZ_60_NS)]
    assert abs(len(picked) - 20 * rate) <= 1
    gaps = np.diff(picked)
    assert abs(gaps - 1e9 / rate).max() < 3e6


def test_frames_go_on_after_a_gap_and_a_restart() -> None:
    """After states were missing, and after stamps jumped back, frames continue at once."""
    picker = FramePicker(30.0)
    stamps = [int(i * HZ_60_NS) for i in range(60)]
    later = [stamp + 5_000_000_000 for stamp in stamps]
    for run in (stamps, later, stamps):
        assert abs(sum(picker.due(stamp, HZ_60_NS) for stamp in run) - 30) <= 1
