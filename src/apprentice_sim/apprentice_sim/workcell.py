# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The simulated follower at a dataset's rate, without buses or ROS, as fast as it goes."""
from __future__ import annotations

from collections.abc import Sequence
from math import cos
from math import sin

from apprentice_control.limiter import Follower
from apprentice_sim.arm_buses import ArmBus
from apprentice_sim.dataset_units import DatasetUnits
from apprentice_sim.dataset_units import MAX_VELOCITY
from apprentice_sim.demonstrator import Sight
from apprentice_sim.demonstrator import yaw_of
from apprentice_sim.physics import Physics
from apprentice_sim.presets import Role
import mujoco
import numpy as np

FPS = 30
CUBE_NAMES = ('cube.x', 'cube.y', 'cube.z', 'cube.yaw_sin', 'cube.yaw_cos')
PICK_PLACE_TASK = 'put the cube into the bin'
# The driver's cycles fall on every second or third step of the physics: 200 a second.
_CYCLES_PER_S = 200
_TORQUE_ENABLE = 'torque_enable'


class Workcell:
    """
    One world in which targets at 30 Hz become goals of the simulated servos.

    Between two targets the request is a straight line, which the caps of the driver's guard
    follow at its rate; the goal registers, the torque limits and the overload protection are
    those of the simulated servos. A reset fixes everything by its seed, the arm too.
    """

    def __init__(self, arm: str) -> None:
        """Build the world and let the arm fold itself."""
        self.physics = Physics(arm, 0)
        self.units = DatasetUnits(self.physics.joint_names)
        self.seed = 0
        self._rest = self.physics.joints()
        self._rate = round(1.0 / self.physics.timestep_s)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Start the world of a seed: arm folded with torque on, cube and bin as in the ROS one."""
        physics = self.physics
        self.seed = seed
        mujoco.mj_resetData(physics.model, physics.data)
        physics.data.qpos[:len(self._rest)] = self._rest
        physics.reset(seed)
        self._steps = self._ticks = self._last_cycle = 0
        self._servos = ArmBus(Role.FOLLOWER, physics.joint_names, None)
        self._servos.feel(physics.motions(), 0)
        self._followers = [Follower(limit) for limit in self.units.limits]
        for follower, position in zip(self._followers, self._measured(), strict=True):
            follower.place(position)
        self._request = self._target = np.array(self._measured())
        self._write_goals()
        for servo in self._servos.servos:
            servo.write(servo.model.table[_TORQUE_ENABLE].address, b'\x01', 0)
        physics.drive(self._servos.goals())

    def step(self, action: Sequence[float] | np.ndarray) -> None:
        """
        Go on by 1/30 s towards joint targets in the dataset's units, (6,).

        :raises ValueError: another shape, or a number that is not finite.
        """
        action = np.asarray(action, dtype=np.float64)
        if action.shape != (len(self._rest),) or not np.isfinite(action).all():
            raise ValueError(f'action: found {action}, expected {len(self._rest)} finite numbers '
                             f'({", ".join(self.units.names)})')
        start, self._target = self._target, self.units.to_radians(action)
        self._ticks += 1
        first = self._steps
        # Physics steps do not divide 1/30 s; counted from the start they never drift.
        last = self._ticks * self._rate // FPS
        for step in range(first + 1, last + 1):
            if step * _CYCLES_PER_S // self._rate != (step - 1) * _CYCLES_PER_S // self._rate:
                share = (step - first) / (last - first)
                self._cycle(start + (self._target - start) * share, step)
            self.physics.step()
            self._steps = step
        self._servos.feel(self.physics.motions(), self._now_ns)

    def joints(self) -> np.ndarray:
        """Return `observation.state`: what the encoders read, in the dataset's units, (6,)."""
        values = self.units.from_radians(self._measured())
        values[-1] = min(max(values[-1], 0.0), 100.0)
        return values

    def cube(self) -> np.ndarray:
        """Return the cube's centre in m and sine and cosine of its yaw, float32 (5,)."""
        pose = self.physics.cube()
        yaw = yaw_of(pose.orientation)
        return np.array([*pose.position, sin(yaw), cos(yaw)], dtype=np.float32)

    def sight(self) -> Sight:
        """Return what the scripted demonstrator looks at."""
        physics, cube = self.physics, self.physics.cube()
        return Sight(cube.position, yaw_of(cube.orientation), physics.bin(),
                     physics.cube_in_bin(), tuple(self._measured()))

    @property
    def _now_ns(self) -> int:
        return self._steps * 1_000_000_000 // self._rate

    def _measured(self) -> list[float]:
        return [joint.to_rad(servo.present_position) for joint, servo in zip(
            self.units.calibration.values(), self._servos.servos, strict=True)]

    def _cycle(self, request: np.ndarray, step: int) -> None:
        """Do what the driver does in a cycle: read, guard, write."""
        self._servos.feel(self.physics.motions(), self._now_ns)
        dt = (step - self._last_cycle) / self._rate
        self._last_cycle = step
        for follower, target, previous in zip(
                self._followers, request.tolist(), self._request.tolist(), strict=True):
            follower.follow(target, previous, dt, MAX_VELOCITY)
        self._request = request
        self._write_goals()
        self.physics.drive(self._servos.goals())

    def _write_goals(self) -> None:
        for servo, joint, follower in zip(
                self._servos.servos, self.units.calibration.values(), self._followers,
                strict=True):
            raw = joint.to_raw(follower.position)
            servo.write(servo.model.table['goal_position'].address,
                        raw.to_bytes(2, 'little'), self._now_ns)
