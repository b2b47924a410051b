# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Value types of an arm's description, and its forward kinematics."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ament_index_python.packages import get_package_share_directory

import numpy as np

ARMS = ('so100', 'so101')


class ShapeKind(Enum):
    """The primitive shapes that a description may use."""

    BOX = 'box'
    CYLINDER = 'cylinder'


@dataclass(frozen=True)
class Shape:
    """
    A primitive in its link's frame.

    `size` holds full edge lengths of a box, or radius and length of a cylinder along z, in metres.
    """

    name: str
    kind: ShapeKind
    size: tuple[float, ...]
    origin: np.ndarray
    material: str


@dataclass(frozen=True)
class Link:
    """A rigid body: mass in kg, centre of mass in m, principal inertia in kg m^2 about it."""

    name: str
    mass: float
    centre: tuple[float, float, float]
    inertia: tuple[float, float, float]
    visuals: tuple[Shape, ...]
    collisions: tuple[Shape, ...]


@dataclass(frozen=True)
class Joint:
    """A joint: `origin` is the 4x4 pose of the child in the parent at zero; limits in rad."""

    name: str
    parent: str
    child: str
    origin: np.ndarray
    axis: tuple[float, float, float]
    fixed: bool
    lower: float
    upper: float


@dataclass(frozen=True)
class ArmDescription:
    """Links and joints of one arm, joints in the order of the chain, parents first."""

    name: str
    links: Mapping[str, Link]
    joints: tuple[Joint, ...]
    materials: Mapping[str, tuple[float, float, float, float]]

    @property
    def moving_joints(self) -> tuple[Joint, ...]:
        """Joints that move, in motor order."""
        return tuple(joint for joint in self.joints if not joint.fixed)

    @property
    def root(self) -> str:
        """Name of the link that no joint moves."""
        children = {joint.child for joint in self.joints}
        return next(name for name in self.links if name not in children)

    def link_poses(self, positions: Mapping[str, float]) -> dict[str, np.ndarray]:
        """Return every link's 4x4 pose in the root link for joint positions in rad (absent: 0)."""
        known = {joint.name for joint in self.moving_joints}
        if not known.issuperset(positions):
            unknown = sorted(set(positions) - known)
            raise KeyError(f'{self.name} has no joint {unknown}; it has {sorted(known)}')
        poses = {self.root: np.eye(4)}
        for joint in self.joints:
            pose = poses[joint.parent] @ joint.origin
            if not joint.fixed:
                pose = pose @ rotation_about(joint.axis, positions.get(joint.name, 0.0))
            poses[joint.child] = pose
        return poses


def rotation_about(axis: tuple[float, float, float], angle: float) -> np.ndarray:
    """Return the 4x4 rotation by `angle` rad about a unit axis."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    pose = np.eye(4)
    pose[:3, :3] += np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)
    return pose


def pose_from_xyz_rpy(xyz: tuple[float, ...], rpy: tuple[float, ...]) -> np.ndarray:
    """Return the 4x4 pose of a URDF origin: metres, and roll, pitch, yaw about fixed axes."""
    pose = (rotation_about((0.0, 0.0, 1.0), rpy[2])
            @ rotation_about((0.0, 1.0, 0.0), rpy[1])
            @ rotation_about((1.0, 0.0, 0.0), rpy[0]))
    pose[:3, 3] = xyz
    return pose


def urdf_path(arm: str) -> Path:
    """Return the installed URDF file of `so100` or `so101`."""
    if arm not in ARMS:
        raise ValueError(f'no description of arm {arm!r}; known arms: {", ".join(ARMS)}')
    return Path(get_package_share_directory('so_arm_description'), 'urdf', f'{arm}.urdf')
