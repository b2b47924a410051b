# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A scripted operator who picks the cube up and puts it into the bin by moving the leader."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace
from math import atan2
from math import cos
from math import pi
from math import sin
import random
from typing import NamedTuple

from apprentice_sim.gripper import Gripper
from apprentice_sim.kinematics import ArmKinematics
from apprentice_sim.kinematics import REST_POSE
from apprentice_sim.kinematics import ToolPose
from apprentice_sim.kinematics import UnreachableError
from apprentice_sim.kinematics import wrap
from apprentice_sim.motion import joint_movement
from apprentice_sim.motion import Movement
from apprentice_sim.motion import pose_of
from apprentice_sim.motion import Reach
from apprentice_sim.motion import reach_movement
from apprentice_sim.motion import reach_of
from so_arm_description import load_arm

DOWN = -pi / 2
CUBE_EDGE = 0.028
ABOVE_HEIGHT = 0.085
# The wrist's range forbids pointing straight down up there; the tool uprights on its way down.
ABOVE_PITCH = -1.2
GRASP_HEIGHT = 0.014
RELEASE_HEIGHT = 0.052
OPEN_GAP = 0.054
# Beyond first contact: firm, yet below the load at which the gripper's servo protects itself.
SQUEEZE_RAD = 0.022
# The fixed finger passes the cube at this distance before the jaw pushes the cube against it.
CLEARANCE = 0.006
PEAK_VELOCITY = 1.15
LIMIT_MARGIN = 0.08
ATTEMPTS = 3
SETTLE_TOLERANCE_RAD = 0.008
CORRECTION_PER_S = 3.0
CORRECTION_LIMIT_RAD = 0.10
# A larger difference is no sag: the follower is still on its way or does not follow at all.
FOLLOWING_RAD = 0.15
# The guard lets the follower approach at 0.5 rad/s after it is engaged.
MEETING_PATIENCE_S = 25.0


class Sight(NamedTuple):
    """What the operator sees: metres, radians, in the arm's base frame."""

    cube: tuple[float, float, float]
    cube_yaw: float
    bin: tuple[float, float, float]
    cube_in_bin: bool
    follower: tuple[float, ...]


class NoGraspError(RuntimeError):
    """The cube or the bin lies where the arm cannot work from above."""


class NotFollowingError(RuntimeError):
    """The follower does not go where the leader is."""


class Demonstrator:
    """
    Move a leader's hand through pick-and-place episodes.

    Call `begin`, then `step` at a steady rate until `done`. `step` raises NoGraspError and
    NotFollowingError, after which only `begin` and `park` make sense. The hand follows a plan
    and, while the plan rests, leans against the follower's sag as a person does who watches the
    gripper.
    """

    def __init__(self, arm: str, hand: Sequence[float], seed: int = 0) -> None:
        description = load_arm(arm)
        self._kinematics = ArmKinematics.from_description(description)
        self._gripper = Gripper.from_description(description)
        self._random = random.Random(seed)
        self._peak_velocity = PEAK_VELOCITY
        self._plan = tuple(hand)
        self._correction = [0.0] * 5
        self._script: Iterator[Movement] = iter(())
        self._movement: Movement | None = None
        self._elapsed_s = 0.0
        self._settling_s = 0.0
        self._sight: Sight | None = None
        self.attempts = 0
        self.done = True

    @property
    def phase(self) -> str:
        """Name of the movement under way, empty before the first."""
        return '' if self._movement is None else self._movement.name

    def begin(self) -> None:
        """Start an episode from wherever the hand is."""
        self._peak_velocity = PEAK_VELOCITY * self._random.uniform(0.9, 1.1)
        self.attempts = 0
        self._start(self._episode())

    def park(self) -> None:
        """Start the way back to the rest pose."""
        self._start(iter([self._joints_to('park', REST_POSE)]))

    def step(self, dt_s: float, sight: Sight) -> tuple[float, ...]:
        """Return where the hand holds the leader now: six joints in rad."""
        self._sight = sight
        if self._movement is None:
            self._next()
        movement = self._movement
        if movement is not None:
            self._elapsed_s += dt_s
            self._plan = movement.at(self._elapsed_s)
            if self._elapsed_s >= movement.duration_s and self._settled(dt_s, sight.follower):
                self._next()
        leaning = [a + b for a, b in zip(self._plan[:5], self._correction, strict=True)]
        return (*leaning, self._plan[5])

    def _start(self, script: Iterator[Movement]) -> None:
        self._script = script
        self._movement = None
        self.done = False

    def _next(self) -> None:
        self._movement = next(self._script, None)
        self._elapsed_s = self._settling_s = 0.0
        self.done = self._movement is None

    def _settled(self, dt_s: float, follower: Sequence[float]) -> bool:
        """Lean against what is left between plan and follower; say when it is little enough."""
        self._settling_s += dt_s
        errors = [a - b for a, b in zip(self._plan[:5], follower, strict=False)]
        worst = max(map(abs, errors))
        if worst < FOLLOWING_RAD:
            limit = CORRECTION_LIMIT_RAD
            self._correction = [
                min(max(correction + CORRECTION_PER_S * dt_s * error, -limit), limit)
                for correction, error in zip(self._correction, errors, strict=True)]
        if worst < SETTLE_TOLERANCE_RAD:
            return True
        if self._settling_s <= self._movement.patience_s:
            return False
        if self._movement.meeting and worst > FOLLOWING_RAD:
            raise NotFollowingError(
                f'the follower stays {worst:.2f} rad from where the leader is, after '
                f'{self._settling_s:.0f} s: are both drivers active and teleoperation engaged?')
        return True

    # The script. Each `yield` returns when the movement is over and the follower has settled.

    def _episode(self) -> Iterator[Movement]:
        jaw_open = self._gripper.position_for(OPEN_GAP)
        held = self._gripper.position_for(CUBE_EDGE) - SQUEEZE_RAD
        ready = self._ready()
        yield replace(
            self._joints_to('ready', (*ready, jaw_open)),
            patience_s=MEETING_PATIENCE_S, meeting=True)
        while self.attempts < ATTEMPTS:
            self.attempts += 1
            grasp = self._grasp()
            above = _raised(grasp)
            yield self._joints_to('approach', (*self._inverse(above), jaw_open))
            yield self._reach('descend', above, grasp, (jaw_open, jaw_open), 1.1)
            yield self._reach('grasp', grasp, grasp, (jaw_open, held), 0.8)
            yield self._reach('lift', grasp, above, (held, held), 1.1)
            if self._sight.cube[2] > ABOVE_HEIGHT / 2:
                yield from self._place(above, held, jaw_open)
                break
            yield self._reach('open', above, above, (held, jaw_open), 0.6)
        yield self._joints_to('ready', (*ready, jaw_open))

    def _place(self, above: Reach, held: float, jaw_open: float) -> Iterator[Movement]:
        release = self._release()
        over = _raised(release)
        sweep = max(abs(over.azimuth - above.azimuth), abs(over.roll - above.roll))
        duration = max(1.2, 1.875 * sweep / self._peak_velocity)
        yield self._reach('carry', above, over, (held, held), duration)
        yield self._reach('lower', over, release, (held, held), 0.8)
        yield self._reach('release', release, release, (held, jaw_open), 0.6)
        yield self._reach('retreat', release, over, (jaw_open, jaw_open), 0.7)

    def _ready(self) -> tuple[float, ...]:
        return self._inverse(Reach(0.18, 0.0, 0.13, -0.9, 0.0))

    def _grasp(self) -> Reach:
        """Return the tool pose around the cube that needs the least wrist roll."""
        x, y, _z = self._sight.cube
        choices = []
        for quarter in range(4):
            heading = wrap(self._sight.cube_yaw + quarter * pi / 2)
            try:
                reach = self._holding(x, y, heading, GRASP_HEIGHT, CLEARANCE)
                self._inverse(reach)
                self._inverse(_raised(reach))
            except UnreachableError:
                continue
            choices.append(reach)
        if not choices:
            raise NoGraspError(f'the arm cannot grasp the cube at x {x:.3f}, y {y:.3f} m')
        return min(choices, key=lambda reach: abs(reach.roll))

    def _release(self) -> Reach:
        x, y, _z = self._sight.bin
        outward = atan2(y, x - self._kinematics.pan_x)
        try:
            reach = self._holding(x, y, outward, RELEASE_HEIGHT, 0.0)
            self._inverse(reach)
            self._inverse(_raised(reach))
            return reach
        except UnreachableError as error:
            raise NoGraspError(f'the arm cannot reach over the bin: {error}') from None

    def _holding(
            self, x: float, y: float, heading: float, height: float, clearance: float) -> Reach:
        """Return the tool pose with which a cube at x, y stands `clearance` off the finger."""
        offset = self._gripper.fixed_face + CUBE_EDGE / 2 + clearance
        tool_x, tool_y = x - offset * cos(heading), y - offset * sin(heading)
        roll = self._kinematics.roll_for_heading(tool_x, tool_y, heading)
        return reach_of(self._kinematics, ToolPose(tool_x, tool_y, height, DOWN, roll))

    def _inverse(self, reach: Reach) -> tuple[float, ...]:
        joints = self._kinematics.inverse(pose_of(self._kinematics, reach))
        if not self._kinematics.within_limits(joints, LIMIT_MARGIN):
            raise UnreachableError(f'joints {joints} are too near their limits')
        return joints

    def _joints_to(self, name: str, goal: Sequence[float]) -> Movement:
        return joint_movement(name, self._plan, goal, self._peak_velocity, shortest_s=0.8)

    def _reach(
            self, name: str, start: Reach, goal: Reach, jaw: tuple[float, float],
            duration_s: float) -> Movement:
        return reach_movement(name, self._kinematics, start, goal, jaw, duration_s)


def _raised(reach: Reach) -> Reach:
    return reach._replace(height=ABOVE_HEIGHT, pitch=ABOVE_PITCH)


def yaw_of(orientation: Sequence[float]) -> float:
    """Return the rotation about z in rad of a unit quaternion w, x, y, z."""
    w, x, y, z = orientation
    return atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
