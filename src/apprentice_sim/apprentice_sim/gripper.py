# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""How far the jaw stands from the fixed finger."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from so_arm_description import ArmDescription
from so_arm_description import Shape

# Where along the moving finger, from its pivot, a cube is held.
_HOLD_AT_M = 0.070


@dataclass(frozen=True)
class Gripper:
    """
    Geometry of the two fingers, from an arm's description.

    `fixed_face` is the fixed finger's inner face along x of gripper_link, relative to the tool
    frame, in m; `pivot`, `face` and `limits` describe the jaw.
    """

    fixed_face: float
    pivot: np.ndarray
    face: np.ndarray
    face_x: float
    limits: tuple[float, float]

    @classmethod
    def from_description(cls, description: ArmDescription) -> Gripper:
        """Read both fingers' collision shapes."""
        joints = {joint.name: joint for joint in description.joints}
        fixed = _shape(description, 'gripper_link', 'fixed_finger')
        moving = _shape(description, 'moving_jaw_link', 'moving_finger')
        face_x = float(fixed.origin[0, 3] + fixed.size[0] / 2)
        along = _HOLD_AT_M + moving.origin[1, 3]
        face = moving.origin @ np.array([-moving.size[0] / 2, -along, 0.0, 1.0])
        return cls(
            fixed_face=face_x - float(joints['gripper_frame'].origin[0, 3]),
            pivot=joints['gripper'].origin, face=face, face_x=face_x,
            limits=(joints['gripper'].lower, joints['gripper'].upper))

    def gap(self, position: float) -> float:
        """Return the width in m between the fingers, where a cube is held, at an angle in rad."""
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(position), -np.sin(position)],
                        [np.sin(position), np.cos(position)]]
        return float((self.pivot @ turn @ self.face)[0] - self.face_x)

    def position_for(self, gap: float) -> float:
        """Return the jaw angle in rad at which the fingers stand `gap` m apart."""
        low, high = self.limits
        if not self.gap(low) <= gap <= self.gap(high):
            raise ValueError(
                f'the fingers cannot stand {gap:.4f} m apart; they reach {self.gap(low):.4f} to '
                f'{self.gap(high):.4f} m')
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self.gap(middle) < gap else (low, middle)
        return low


def _shape(description: ArmDescription, link: str, name: str) -> Shape:
    return next(shape for shape in description.links[link].collisions if shape.name == name)
