# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Minimum-jerk movements of six joints, straight in joints or in cylinder coordinates."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2
from math import cos
from math import hypot
from math import sin
from typing import NamedTuple

from apprentice_sim.kinematics import ArmKinematics
from apprentice_sim.kinematics import ToolPose

PEAK_OVER_MEAN = 1.875
"""Greatest over mean speed of a minimum-jerk movement."""


class Reach(NamedTuple):
    """A tool pose about the pan axis: radius, azimuth, height (m, rad), pitch and roll (rad)."""

    radius: float
    azimuth: float
    height: float
    pitch: float
    roll: float


@dataclass(frozen=True)
class Movement:
    """
    Six joint positions (rad) as a function of the time share 0..1, over `duration_s`.

    The follower may then take `patience_s` more to arrive; a `meeting` must end with it there.
    """

    name: str
    duration_s: float
    path: Callable[[float], tuple[float, ...]]
    patience_s: float = 1.5
    meeting: bool = False

    def at(self, elapsed_s: float) -> tuple[float, ...]:
        """Return the joints at a time since the start; before and after, the ends."""
        if self.duration_s <= 0.0:
            return self.path(1.0)
        return self.path(minimum_jerk(elapsed_s / self.duration_s))


def minimum_jerk(share: float) -> float:
    """Return the covered share of the way for a share of the time, clipped to 0..1."""
    t = min(max(share, 0.0), 1.0)
    return t * t * t * (10.0 - 15.0 * t + 6.0 * t * t)


def joint_movement(
        name: str, start: Sequence[float], goal: Sequence[float], peak_velocity: float,
        shortest_s: float = 0.3) -> Movement:
    """Move every joint straight to its goal, the fastest at `peak_velocity` rad/s."""
    farthest = max(abs(b - a) for a, b in zip(start, goal, strict=True))
    duration = max(shortest_s, PEAK_OVER_MEAN * farthest / peak_velocity)

    def path(share: float) -> tuple[float, ...]:
        return tuple(a + (b - a) * share for a, b in zip(start, goal, strict=True))

    return Movement(name, duration, path)


def reach_movement(
        name: str, kinematics: ArmKinematics, start: Reach, goal: Reach, jaw: tuple[float, float],
        duration_s: float) -> Movement:
    """Move the tool in cylinder coordinates and the jaw from and to the angles in `jaw`."""

    def path(share: float) -> tuple[float, ...]:
        between = Reach(*(a + (b - a) * share for a, b in zip(start, goal, strict=True)))
        joints = kinematics.inverse(pose_of(kinematics, between))
        return (*joints, jaw[0] + (jaw[1] - jaw[0]) * share)

    return Movement(name, duration_s, path)


def pose_of(kinematics: ArmKinematics, reach: Reach) -> ToolPose:
    """Return the tool pose of a reach."""
    return ToolPose(
        kinematics.pan_x + reach.radius * cos(reach.azimuth), reach.radius * sin(reach.azimuth),
        reach.height, reach.pitch, reach.roll)


def reach_of(kinematics: ArmKinematics, pose: ToolPose) -> Reach:
    """Return the reach of a tool pose."""
    x = pose.x - kinematics.pan_x
    return Reach(hypot(x, pose.y), atan2(pose.y, x), pose.z, pose.pitch, pose.roll)
