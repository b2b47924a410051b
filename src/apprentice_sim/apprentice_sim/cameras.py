# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of the scene from its generalised positions."""
from __future__ import annotations

from collections.abc import Sequence

from apprentice_sim.randomisation import variation
from apprentice_sim.scene import apply_variation
from apprentice_sim.scene import build_model
from apprentice_sim.scene import CAMERAS
import mujoco
import numpy as np
import simplejpeg

JPEG_QUALITY = 90


class SceneRenderer:
    """
    Render a scene's cameras; for one thread, which must also make and close it.

    Needs MUJOCO_GL set before MuJoCo was imported (see `opengl.choose_backend`).
    """

    def __init__(self, arm: str, width: int, height: int, samples: int = 0) -> None:
        self._model = build_model(arm)
        self._model.vis.global_.offwidth = width
        self._model.vis.global_.offheight = height
        self._model.vis.quality.offsamples = samples
        self._data = mujoco.MjData(self._model)
        self._seed: int | None = None
        self._renderer = mujoco.Renderer(self._model, height, width)
        flags = self._renderer.scene.flags
        flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
        flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False

    def show(self, seed: int, qpos: Sequence[float]) -> None:
        """
        Take over a state of the world.

        :raises ValueError: if the state is of another model.
        """
        if len(qpos) != self._model.nq:
            raise ValueError(
                f'the state has {len(qpos)} positions, this scene {self._model.nq}: '
                'world and cameras must have the same arm')
        if seed != self._seed:
            apply_variation(self._model, variation(seed))
            self._seed = seed
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)

    def warm_up(self, seed: int) -> None:
        """Render every camera once: the first picture takes far longer than the others."""
        self.show(seed, self._model.qpos0)
        for camera in CAMERAS:
            self.picture(camera)

    def picture(self, camera: str) -> np.ndarray:
        """Return a new RGB picture, uint8 of shape (height, width, 3), of the state shown."""
        self._renderer.update_scene(self._data, camera)
        return self._renderer.render()

    def close(self) -> None:
        """Give the graphics resources back."""
        self._renderer.close()


class FramePicker:
    """Pick from a faster stream of states those that make a camera of a steady rate."""

    def __init__(self, rate_hz: float) -> None:
        self._period_ns = 1e9 / rate_hz
        self._due_ns: float | None = None

    def due(self, stamp_ns: int, source_period_ns: float) -> bool:
        """Return whether the state of this stamp is nearest to the next frame's instant."""
        if self._due_ns is None or abs(stamp_ns - self._due_ns) > 4 * self._period_ns:
            self._due_ns = float(stamp_ns)
        if stamp_ns + source_period_ns / 2 <= self._due_ns:
            return False
        while self._due_ns < stamp_ns + source_period_ns / 2:
            self._due_ns += self._period_ns
        return True


def to_jpeg(picture: np.ndarray) -> bytes:
    """Return a picture as JPEG of quality 90, colour at half resolution as cameras send it."""
    return simplejpeg.encode_jpeg(
        picture, quality=JPEG_QUALITY, colorspace='RGB', colorsubsampling='420')
