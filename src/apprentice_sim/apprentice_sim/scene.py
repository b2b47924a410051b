# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The simulated table-top: arm, table, cube, bin, lights and two cameras as a MuJoCo model."""
from __future__ import annotations

from dataclasses import dataclass
from math import cos
from math import sin
from math import tan

from apprentice_sim.arm_model import add_arm
from apprentice_sim.arm_model import quaternion
from apprentice_sim.arm_model import ServoDynamics
from apprentice_sim.arm_model import WORLD_CONTYPE
from apprentice_sim.randomisation import Variation
from apprentice_sim.textures import SIZE as TEXTURE_SIZE
from apprentice_sim.textures import wood
import mujoco
import numpy as np
from so_arm_description import load_arm

TIMESTEP_S = 0.002
CUBE_EDGE = 0.028
CUBE_MASS = 0.018
BIN_INNER = 0.096
BIN_HEIGHT = 0.042
BIN_WALL = 0.004
BIN_FLOOR = 0.003

_BOX = mujoco.mjtGeom.mjGEOM_BOX
_WORLD = {'contype': WORLD_CONTYPE, 'conaffinity': WORLD_CONTYPE | 1}


@dataclass(frozen=True)
class CameraPlace:
    """A camera's link, position and aim in that link (m), and its vertical view angle (rad)."""

    link: str
    position: tuple[float, float, float]
    target: tuple[float, float, float]
    up: tuple[float, float, float]
    fovy: float

    def rotation(self) -> np.ndarray:
        """Return the 3x3 pose of the camera: x right, y up, looking along -z."""
        backward = np.subtract(self.position, self.target)
        backward /= np.linalg.norm(backward)
        right = np.cross(self.up, backward)
        right /= np.linalg.norm(right)
        return np.column_stack([right, np.cross(backward, right), backward])

    def intrinsics(self, width: int, height: int) -> tuple[float, ...]:
        """Return the row-major 3x3 camera matrix in pixels, pixel centres at whole numbers."""
        focal = height / 2 / tan(self.fovy / 2)
        return (focal, 0.0, (width - 1) / 2, 0.0, focal, (height - 1) / 2, 0.0, 0.0, 1.0)


CAMERAS = {
    'front': CameraPlace(
        link='world', position=(0.60, 0.0, 0.38), target=(0.13, 0.02, 0.10),
        up=(0.0, 0.0, 1.0), fovy=0.72),
    'wrist': CameraPlace(
        link='gripper_link', position=(0.0, -0.075, 0.012), target=(-0.002, 0.0, -0.112),
        up=(0.0, 0.0, -1.0), fovy=1.05),
}


def build_model(arm: str, dynamics: ServoDynamics = ServoDynamics()) -> mujoco.MjModel:
    """Return the model of the scene with `so100` or `so101` as the follower."""
    description = load_arm(arm)
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.modelname = f'apprentice {arm}'
    _set_options(spec)
    _add_surroundings(spec)
    bodies = add_arm(spec, description, dynamics)
    _add_cube(spec)
    _add_bin(spec)
    for name, place in CAMERAS.items():
        parent = spec.worldbody if place.link == 'world' else bodies[place.link]
        parent.add_camera(
            name=name, pos=place.position, quat=quaternion(place.rotation()),
            fovy=np.degrees(place.fovy))
    _add_camera_housing(bodies[CAMERAS['wrist'].link])
    return spec.compile()


def apply_variation(model: mujoco.MjModel, variation: Variation) -> None:
    """Give bin, colours, light and cameras what a seed decides; the cube's pose is state."""
    model.material('cube').rgba[:3] = variation.cube_rgb
    model.material('table').rgba[:3] = variation.table_rgb
    bin_body = model.body('bin')
    bin_body.pos[:2] = variation.bin_xy
    bin_body.quat[:] = (cos(variation.bin_yaw / 2), 0.0, 0.0, sin(variation.bin_yaw / 2))
    light = model.light('key')
    light.pos[:] = variation.light_position
    aim = np.subtract((0.2, 0.0, 0.0), variation.light_position)
    light.dir[:] = aim / np.linalg.norm(aim)
    light.diffuse[:] = variation.light_rgb
    for name, place in CAMERAS.items():
        camera = model.camera(name)
        camera.pos[:] = np.add(place.position, variation.camera_shift[name])
        turn = np.empty(4)
        vector = np.array(variation.camera_turn[name])
        angle = float(np.linalg.norm(vector))
        mujoco.mju_axisAngle2Quat(turn, vector / angle, angle)
        mujoco.mju_mulQuat(camera.quat, turn, quaternion(place.rotation()))


def cube_qpos(variation: Variation) -> tuple[float, ...]:
    """Return the cube's free-joint position: x, y, z, and quaternion w, x, y, z."""
    half = variation.cube_yaw / 2
    return (*variation.cube_xy, CUBE_EDGE / 2, cos(half), 0.0, 0.0, sin(half))


def _set_options(spec: mujoco.MjSpec) -> None:
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    # By default MuJoCo answers a diverged state by jumping back to the start.
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
    spec.visual.quality.shadowsize = 0
    spec.visual.quality.offsamples = 0
    spec.visual.map.znear = 0.01
    spec.visual.map.zfar = 8.0
    spec.stat.extent = 1.0
    spec.stat.center = (0.2, 0.0, 0.1)
    spec.visual.headlight.ambient = (0.36, 0.36, 0.37)
    spec.visual.headlight.diffuse = (0.30, 0.30, 0.30)
    spec.visual.headlight.specular = (0.05, 0.05, 0.05)


def _add_surroundings(spec: mujoco.MjSpec) -> None:
    spec.add_texture(
        name='sky', type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT, width=64, height=64,
        rgb1=(0.80, 0.84, 0.88), rgb2=(0.48, 0.52, 0.57))
    texture = spec.add_texture(
        name='wood', type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=TEXTURE_SIZE, height=TEXTURE_SIZE, nchannel=3)
    texture.data = wood().tobytes()
    table = spec.add_material(
        name='table', rgba=(0.9, 0.8, 0.7, 1.0), specular=0.15, shininess=0.2,
        texrepeat=(1.0, 1.0))
    table.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = 'wood'
    spec.worldbody.add_geom(
        name='table', type=_BOX, size=(0.40, 0.45, 0.015), pos=(0.24, 0.0, -0.015),
        material='table', condim=3, friction=(0.8, 0.005, 0.0001), **_WORLD)
    spec.worldbody.add_light(
        name='key', pos=(0.4, 0.0, 1.2), dir=(-0.2, 0.0, -1.0), castshadow=False,
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        diffuse=(0.6, 0.6, 0.6), specular=(0.25, 0.25, 0.25), ambient=(0.0, 0.0, 0.0))


def _add_cube(spec: mujoco.MjSpec) -> None:
    spec.add_material(name='cube', rgba=(0.85, 0.15, 0.15, 1.0), specular=0.3, shininess=0.4)
    cube = spec.worldbody.add_body(name='cube', pos=(0.22, 0.0, CUBE_EDGE / 2))
    cube.add_freejoint(name='cube')
    cube.add_geom(
        name='cube', type=_BOX, size=(CUBE_EDGE / 2,) * 3, mass=CUBE_MASS, material='cube',
        condim=4, friction=(1.0, 0.01, 0.0002), **_WORLD)


def _add_bin(spec: mujoco.MjSpec) -> None:
    spec.add_material(name='bin', rgba=(0.20, 0.30, 0.42, 1.0), specular=0.2, shininess=0.3)
    body = spec.worldbody.add_body(name='bin', pos=(0.14, 0.18, 0.0))
    outer = BIN_INNER / 2 + BIN_WALL
    look = {'type': _BOX, 'material': 'bin', 'friction': (0.8, 0.005, 0.0001), **_WORLD}
    body.add_geom(
        name='bin_floor', size=(outer, outer, BIN_FLOOR / 2), pos=(0.0, 0.0, BIN_FLOOR / 2),
        **look)
    middle = BIN_INNER / 2 + BIN_WALL / 2
    height = BIN_HEIGHT / 2
    for index, (x, y) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
        size = (BIN_WALL / 2, outer, height) if x else (outer, BIN_WALL / 2, height)
        body.add_geom(
            name=f'bin_wall_{index}', size=size, pos=(x * middle, y * middle, height), **look)


def _add_camera_housing(body: mujoco.MjsBody) -> None:
    place = CAMERAS['wrist']
    rotation = place.rotation()
    centre = np.add(place.position, rotation[:, 2] * 0.012)
    body.add_geom(
        type=_BOX, size=(0.014, 0.012, 0.006), pos=centre, quat=quaternion(rotation),
        material='servo', contype=0, conaffinity=0, group=2, mass=0.0)
    body.add_geom(
        type=_BOX, size=(0.006, 0.030, 0.003), pos=(0.0, -0.047, 0.024), material='plastic',
        contype=0, conaffinity=0, group=2, mass=0.0)
