# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Turn an arm's description into bodies of a MuJoCo specification."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from so_arm_description import ArmDescription
from so_arm_description import Joint
from so_arm_description import Link
from so_arm_description import Shape
from so_arm_description import ShapeKind

# Arm shapes touch the table, the cube and the bin, never one another.
ARM_CONTYPE = 1
WORLD_CONTYPE = 2
VISUAL_GROUP = 2
COLLISION_GROUP = 3

_GEOM_TYPES = {
    ShapeKind.BOX: mujoco.mjtGeom.mjGEOM_BOX,
    ShapeKind.CYLINDER: mujoco.mjtGeom.mjGEOM_CYLINDER,
}
_FINGER_FRICTION = (1.5, 0.02, 0.0005)
_LINK_FRICTION = (0.6, 0.005, 0.0001)


@dataclass(frozen=True)
class ServoDynamics:
    """
    What a servo at LeRobot's gains looks like from outside, as identified on the SO arms.

    Gain in Nm/rad, damping in Nm s/rad, friction and force in Nm, armature in kg m^2.
    """

    gain: float = 17.8
    damping: float = 0.60
    friction: float = 0.052
    armature: float = 0.028
    force: float = 3.35


def add_arm(
        spec: mujoco.MjSpec, description: ArmDescription,
        dynamics: ServoDynamics) -> Mapping[str, mujoco.MjsBody]:
    """Add an arm with its base at the world's origin; return its bodies by link name."""
    for name, rgba in description.materials.items():
        spec.add_material(name=name, rgba=rgba, specular=0.35, shininess=0.45)
    root = spec.worldbody.add_body(name=description.root)
    bodies = {description.root: root}
    _fill(root, description.links[description.root])
    for joint in description.joints:
        body = bodies[joint.parent].add_body(
            name=joint.child, pos=joint.origin[:3, 3], quat=quaternion(joint.origin[:3, :3]))
        bodies[joint.child] = body
        _fill(body, description.links[joint.child])
        if not joint.fixed:
            _add_servo(spec, body, joint, dynamics)
    return bodies


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """Return the unit quaternion of a 3x3 rotation: w, x, y, z."""
    result = np.empty(4)
    mujoco.mju_mat2Quat(result, np.ascontiguousarray(rotation).ravel())
    return result


def _add_servo(
        spec: mujoco.MjSpec, body: mujoco.MjsBody, joint: Joint, dynamics: ServoDynamics) -> None:
    body.add_joint(
        name=joint.name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=joint.axis,
        limited=True, range=(joint.lower, joint.upper),
        damping=dynamics.damping, frictionloss=dynamics.friction, armature=dynamics.armature)
    actuator = spec.add_actuator(
        name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT,
        forcelimited=True, forcerange=(-dynamics.force, dynamics.force))
    actuator.set_to_position(kp=dynamics.gain)


def _fill(body: mujoco.MjsBody, link: Link) -> None:
    if link.mass:
        body.mass = link.mass
        body.ipos = link.centre
        body.inertia = link.inertia
        body.explicitinertial = True
    for shape in link.visuals:
        _add_geom(
            body, shape, group=VISUAL_GROUP, material=shape.material, contype=0, conaffinity=0)
    for shape in link.collisions:
        finger = shape.name.endswith('finger')
        _add_geom(
            body, shape, name=shape.name, group=COLLISION_GROUP,
            contype=ARM_CONTYPE, conaffinity=WORLD_CONTYPE, condim=4 if finger else 3,
            friction=_FINGER_FRICTION if finger else _LINK_FRICTION,
            priority=1 if finger else 0)


def _add_geom(body: mujoco.MjsBody, shape: Shape, **options: object) -> None:
    if shape.kind is ShapeKind.BOX:
        size = [edge / 2 for edge in shape.size]
    else:
        size = [shape.size[0], shape.size[1] / 2, 0.0]
    body.add_geom(
        type=_GEOM_TYPES[shape.kind], size=size, pos=shape.origin[:3, 3],
        quat=quaternion(shape.origin[:3, :3]), **options)
