# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Closed-form forward and inverse kinematics of a 5-joint arm of the SO kind."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin
from math import atan2
from math import cos
from math import hypot
from math import pi
from math import sin
from math import sqrt
from typing import NamedTuple

import numpy as np

from so_arm_description import ArmDescription

ARM_JOINTS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll')
TOOL_LINK = 'gripper_frame_link'

REST_POSE = (0.0, -1.70, 1.55, 1.0, 0.0, -0.85)
"""Folded above the base, where the arm stays by itself when torque is off; rad."""


class UnreachableError(ValueError):
    """A tool pose that the arm cannot take; the message says which length does not suffice."""


class ToolPose(NamedTuple):
    """
    Pose of the tool frame that five joints can choose freely.

    Position in m in the base frame; `pitch` is the approach axis' elevation in rad (-pi/2 points
    down); `roll` is the wrist_roll joint in rad.
    """

    x: float
    y: float
    z: float
    pitch: float
    roll: float


def wrap(angle: float) -> float:
    """Return the angle in [-pi, pi)."""
    return (angle + pi) % (2 * pi) - pi


@dataclass(frozen=True)
class ArmKinematics:
    """
    Lengths (m) and angles (rad) of the chain at its zero, in the plane that pan turns.

    The plane has r outward, s to the left and z up. Three parallel axes (lift, elbow, wrist) move
    in it; the roll axis lies along the approach direction.
    """

    pan_x: float
    lift_r: float
    lift_z: float
    upper: float
    upper_angle: float
    fore: float
    fore_angle: float
    tool_length: float
    roll_axis_s: float
    tool_z: float
    tool_s: float
    heading_offset: float
    limits: tuple[tuple[float, float], ...]

    @classmethod
    def from_description(cls, description: ArmDescription) -> ArmKinematics:
        """
        Read the lengths from an arm's description.

        :raises ValueError: if the chain is not pan, three parallel axes, roll along the approach.
        """
        poses = description.link_poses({})
        turned = description.link_poses({'wrist_roll': pi})[TOOL_LINK]
        tool = poses[TOOL_LINK]
        axis_point = (tool[:3, 3] + turned[:3, 3]) / 2
        offset = tool[:3, 3] - axis_point
        _check_structure(poses, offset)
        pan = poses['shoulder_link'][:3, 3]
        lift, elbow, wrist = (
            poses[link][:3, 3] for link in ('upper_arm_link', 'lower_arm_link', 'wrist_link'))
        upper, fore = elbow - lift, wrist - elbow
        opening = poses['gripper_link'][:3, 0]
        joints = {joint.name: joint for joint in description.moving_joints}
        return cls(
            pan_x=float(pan[0]), lift_r=float(lift[0] - pan[0]), lift_z=float(lift[2]),
            upper=hypot(upper[0], upper[2]), upper_angle=atan2(upper[2], upper[0]),
            fore=hypot(fore[0], fore[2]), fore_angle=atan2(fore[2], fore[0]),
            tool_length=float(axis_point[0] - wrist[0]),
            roll_axis_s=float(axis_point[1] - pan[1]),
            tool_z=float(offset[2] + axis_point[2] - wrist[2]), tool_s=float(offset[1]),
            heading_offset=atan2(opening[1], opening[2]),
            limits=tuple((joints[name].lower, joints[name].upper) for name in ARM_JOINTS))

    def forward(self, joints: Sequence[float]) -> ToolPose:
        """Return the tool pose of five joint positions in rad."""
        pan, lift, elbow, wrist, roll = joints
        first = self.upper_angle - lift
        second = self.fore_angle - lift - elbow
        pitch = -(lift + elbow + wrist)
        side, up = self._tool_offset(roll)
        r = (self.lift_r + self.upper * cos(first) + self.fore * cos(second)
             + self.tool_length * cos(pitch) - up * sin(pitch))
        z = (self.lift_z + self.upper * sin(first) + self.fore * sin(second)
             + self.tool_length * sin(pitch) + up * cos(pitch))
        return ToolPose(
            self.pan_x + r * cos(pan) + side * sin(pan), -r * sin(pan) + side * cos(pan), z,
            wrap(pitch), roll)

    def inverse(
            self, pose: ToolPose, *, elbow_up: bool = True) -> tuple[float, ...]:
        """
        Return the five joint positions (rad) that take a tool pose in front of the pan axis.

        :raises UnreachableError: if the pose lies beyond the links or behind the pan axis' offset.
        """
        side, up = self._tool_offset(pose.roll)
        reach = hypot(pose.x - self.pan_x, pose.y)
        if reach < abs(side):
            raise UnreachableError(
                f'the tool is {reach:.4f} m from the pan axis, nearer than its side offset '
                f'{abs(side):.4f} m')
        r = sqrt(reach * reach - side * side)
        pan = wrap(atan2(side, r) - atan2(pose.y, pose.x - self.pan_x))
        wrist_r = r - self.lift_r - self.tool_length * cos(pose.pitch) + up * sin(pose.pitch)
        wrist_z = pose.z - self.lift_z - self.tool_length * sin(pose.pitch) - up * cos(pose.pitch)
        first, second = self._two_links(wrist_r, wrist_z, elbow_up)
        lift = wrap(self.upper_angle - first)
        elbow = wrap(self.fore_angle - second - lift)
        wrist = wrap(-pose.pitch - lift - elbow)
        return pan, lift, elbow, wrist, pose.roll

    def within_limits(self, joints: Sequence[float], margin: float = 0.0) -> bool:
        """Return whether all five joints keep `margin` rad from the description's limits."""
        return all(
            lower + margin <= value <= upper - margin
            for value, (lower, upper) in zip(joints, self.limits, strict=True))

    def heading(self, joints: Sequence[float]) -> float:
        """Return the world yaw (rad) towards which the jaw opens while the tool points down."""
        return wrap(joints[4] - joints[0] + self.heading_offset)

    def roll_for_heading(self, x: float, y: float, heading: float) -> float:
        """Return the wrist_roll in [-pi, pi) with which a tool pointing down at x, y opens so."""
        roll = 0.0
        # The tool stands millimetres beside the roll axis, so pan depends on roll a little: the
        # iteration shrinks the error some twentyfold a step.
        for _ in range(8):
            side, _up = self._tool_offset(roll)
            reach = hypot(x - self.pan_x, y)
            ratio = max(-1.0, min(1.0, side / reach)) if reach else 0.0
            pan = asin(ratio) - atan2(y, x - self.pan_x)
            roll = wrap(heading + pan - self.heading_offset)
        return roll

    def _tool_offset(self, roll: float) -> tuple[float, float]:
        """Return the tool's offset to the left of the plane and up from the approach line."""
        side = self.tool_s * cos(roll) + self.tool_z * sin(roll)
        up = self.tool_z * cos(roll) - self.tool_s * sin(roll)
        return self.roll_axis_s + side, up

    def _two_links(self, r: float, z: float, elbow_up: bool) -> tuple[float, float]:
        """Return the elevations (rad) of upper arm and forearm that end at r, z from the lift."""
        distance = hypot(r, z)
        longest, shortest = self.upper + self.fore, abs(self.upper - self.fore)
        if not shortest <= distance <= longest or distance == 0.0:
            raise UnreachableError(
                f'the wrist would be {distance:.4f} m from the shoulder; the links reach '
                f'{shortest:.4f} to {longest:.4f} m')
        bend = _angle(self.upper, distance, self.fore)
        sign = 1.0 if elbow_up else -1.0
        first = atan2(z, r) + sign * bend
        second = atan2(z - self.upper * sin(first), r - self.upper * cos(first))
        return first, second


def _angle(side: float, base: float, opposite: float) -> float:
    cosine = (side * side + base * base - opposite * opposite) / (2 * side * base)
    return atan2(sqrt(max(0.0, 1.0 - cosine * cosine)), cosine)


def _check_structure(poses: dict[str, np.ndarray], tool_offset: np.ndarray) -> None:
    axes = {link: poses[link][:3, 2] for link in poses}
    approach = poses[TOOL_LINK][:3, 2]
    fits = (
        abs(axes['shoulder_link'][2]) > 1 - 1e-6
        and all(axes[link][1] > 1 - 1e-6 for link in (
            'upper_arm_link', 'lower_arm_link', 'wrist_link'))
        and approach[0] > 1 - 1e-6 and abs(tool_offset[0]) < 1e-6)
    if not fits:
        raise ValueError(
            'the closed form needs a vertical pan axis, three parallel axes and a roll axis along '
            'the approach; this description has another chain')
