# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Joint positions as a dataset has them: degrees, and 0 to 100 for the gripper."""
from __future__ import annotations

from collections.abc import Sequence
from math import radians

from apprentice_control.joint_calibration import JointCalibration
from apprentice_control.limits import JointLimit
from apprentice_control.limits import limits_from_calibration
from apprentice_sim.presets import default_joints
from apprentice_sim.presets import Role
import numpy as np

GRIPPER = 'gripper'
# The driver's defaults: what it keeps free at both ends, and its caps in rad/s and rad/s^2.
MARGIN_RAD = radians(2.0)
MAX_VELOCITY = 4.0
MAX_ACCELERATION = 30.0


class DatasetUnits:
    """Turn radians of the calibrated follower into the units of its contract, and back."""

    def __init__(self, joint_names: Sequence[str]) -> None:
        """Take the calibration of the simulated follower."""
        joints = default_joints(Role.FOLLOWER)
        self.calibration = {
            name: JointCalibration(
                name, joints[name].servo_id, 0, joints[name].homing_offset,
                joints[name].range_min, joints[name].range_max)
            for name in joint_names}
        self.limits: tuple[JointLimit, ...] = limits_from_calibration(
            self.calibration, MARGIN_RAD, MAX_VELOCITY, MAX_ACCELERATION)
        self.names = [f'{name}.pos' for name in joint_names]
        ranges = [(joint.lower_rad, joint.upper_rad) for joint in self.calibration.values()]
        ranged = np.array([name == GRIPPER for name in joint_names])
        low, high = np.transpose(ranges)
        self._scale = np.where(ranged, 100.0 / (high - low), np.degrees(1.0))
        self._zero = np.where(ranged, -low * 100.0 / (high - low), 0.0)
        self.lower = self.from_radians([limit.lower for limit in self.limits])
        self.upper = self.from_radians([limit.upper for limit in self.limits])

    def from_radians(self, positions: Sequence[float]) -> np.ndarray:
        """Return float32 (6,); the gripper is not clamped."""
        return (np.asarray(positions) * self._scale + self._zero).astype(np.float32)

    def to_radians(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return float64 (6,) within the limits that the driver's guard would keep."""
        clipped = np.clip(np.asarray(values, dtype=np.float64), self.lower, self.upper)
        return (clipped - self._zero) / self._scale
