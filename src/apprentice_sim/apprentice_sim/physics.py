# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The physics of one scene: six servos, one cube, one bin."""
from __future__ import annotations

from collections.abc import Sequence
import logging
from math import isfinite
from typing import NamedTuple

from apprentice_sim.arm_model import ServoDynamics
from apprentice_sim.kinematics import REST_POSE
from apprentice_sim.randomisation import Variation
from apprentice_sim.randomisation import variation
from apprentice_sim.scene import apply_variation
from apprentice_sim.scene import BIN_HEIGHT
from apprentice_sim.scene import BIN_INNER
from apprentice_sim.scene import build_model
from apprentice_sim.scene import cube_qpos
import mujoco
import numpy as np
from so_arm_description import load_arm


_SETTLING_STEPS = 1000

# MuJoCo's own handler writes a log file into whatever folder the process was started in.
mujoco.set_mju_user_warning(logging.getLogger(__name__).warning)


class PhysicsError(RuntimeError):
    """The simulated bodies left the range of sane numbers."""


class BodyPose(NamedTuple):
    """Position in m and orientation as a quaternion w, x, y, z, both in the arm's base frame."""

    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float]


class ServoMotion(NamedTuple):
    """What a servo feels: rad, rad/s, and torque as a fraction of its greatest, -1..1."""

    position: float
    velocity: float
    load: float


class Physics:
    """
    Step a scene; not thread-safe.

    The arm starts in `REST_POSE` with torque off. A reset moves the cube and the bin and changes
    looks; it leaves the arm where it is, as a person tidying a real table would.
    """

    def __init__(
            self, arm: str, seed: int, dynamics: ServoDynamics = ServoDynamics()) -> None:
        self.model = build_model(arm, dynamics)
        self.data = mujoco.MjData(self.model)
        joints = load_arm(arm).moving_joints
        self.joint_names = tuple(joint.name for joint in joints)
        self._force = dynamics.force
        self._count = len(joints)
        self._cube = self.model.body('cube').id
        self._bin = self.model.body('bin').id
        self._cube_qpos = int(self.model.joint('cube').qposadr[0])
        self._cube_qvel = int(self.model.joint('cube').dofadr[0])
        self.variation: Variation = variation(seed)
        self.data.qpos[:self._count] = REST_POSE
        self.data.ctrl[:] = REST_POSE
        self.drive([None] * self._count)
        self.reset(seed)
        for _ in range(_SETTLING_STEPS):
            self.step()
        self.data.time = 0.0

    @property
    def timestep_s(self) -> float:
        """Length of one step."""
        return float(self.model.opt.timestep)

    @property
    def time_s(self) -> float:
        """Return the simulated time since construction."""
        return float(self.data.time)

    def reset(self, seed: int) -> None:
        """Place cube and bin, and set colours, light and cameras, as the seed decides."""
        self.variation = variation(seed)
        apply_variation(self.model, self.variation)
        start, velocity = self._cube_qpos, self._cube_qvel
        self.data.qpos[start:start + 7] = cube_qpos(self.variation)
        self.data.qvel[velocity:velocity + 6] = 0.0
        mujoco.mj_forward(self.model, self.data)

    def drive(self, goals: Sequence[tuple[float, float] | None]) -> None:
        """Give each servo its goal (rad) and torque limit (0..1), or None for torque off."""
        ctrl, limits = self.data.ctrl, self.model.actuator_forcerange
        for index, goal in enumerate(goals):
            force = 0.0
            if goal is not None:
                ctrl[index] = goal[0]
                force = self._force * goal[1]
            limits[index, 0] = -force
            limits[index, 1] = force

    def step(self) -> None:
        """
        Advance by one time step.

        :raises PhysicsError: if the state is no longer finite; it is then of no use.
        """
        mujoco.mj_step(self.model, self.data)
        if not isfinite(self.data.qpos.sum()):
            raise PhysicsError(
                f'the physics diverged after {self.time_s:.1f} s: positions {self.data.qpos}')

    def motions(self) -> list[ServoMotion]:
        """Return what every servo feels now, in motor order."""
        count = self._count
        loads = (self.data.actuator_force[:count] / self._force).tolist()
        return [ServoMotion(*values) for values in zip(
            self.data.qpos[:count].tolist(), self.data.qvel[:count].tolist(), loads, strict=True)]

    def qpos(self) -> np.ndarray:
        """Return a copy of the generalised positions: what a renderer needs."""
        return self.data.qpos.copy()

    def joints(self) -> list[float]:
        """Return the arm's joint positions in rad."""
        return self.data.qpos[:self._count].tolist()

    def cube(self) -> BodyPose:
        """Return where the cube's centre is."""
        start = self._cube_qpos
        values = self.data.qpos[start:start + 7].tolist()
        return BodyPose(tuple(values[:3]), tuple(values[3:]))

    def bin(self) -> tuple[float, float, float]:
        """Return the centre of the bin's floor."""
        return tuple(self.model.body_pos[self._bin].tolist())

    def cube_in_bin(self) -> bool:
        """Return whether the cube's centre is within the bin's walls, below the rim."""
        start = self._cube_qpos
        offset = self.data.qpos[start:start + 3] - self.model.body_pos[self._bin]
        local = np.empty(3)
        inverse = np.empty(4)
        mujoco.mju_negQuat(inverse, self.model.body_quat[self._bin])
        mujoco.mju_rotVecQuat(local, offset, inverse)
        half = BIN_INNER / 2
        return bool(abs(local[0]) < half and abs(local[1]) < half and 0.0 < local[2] < BIN_HEIGHT)
