# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Admission of command messages: what is malformed or late never reaches the motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from math import pi
from typing import NamedTuple

from apprentice_control.limits import JointLimit
from apprentice_control.reasons import Reason
from apprentice_control.trajectory import TrajectoryPoint

MAX_POINTS = 2000
MAX_FIRST_DUE_NS = 60_000_000_000
MAX_VELOCITY = 1000.0
REACH_RAD = 2 * pi


class Command(NamedTuple):
    """
    A message of one source: timed points for some joints.

    :param source: the input it came in by.
    :param joint_names: in the order of the values; joints not named keep their position.
    :param points: due on the monotonic clock.
    :param stamp_ns: when it was stamped, on the monotonic clock; none: on arrival.
    """

    source: str
    joint_names: Sequence[str]
    points: Sequence[TrajectoryPoint]
    stamp_ns: int | None = None


class Refusal(NamedTuple):
    """Why a message was refused: the reason and a sentence with value found and expected."""

    reason: Reason
    detail: str


@dataclass(frozen=True)
class Admitted:
    """The part of a message that is still ahead, joints by index."""

    joints: tuple[int, ...]
    points: Sequence[TrajectoryPoint]
    dropped: int
    streamed: bool


class Admission:
    """
    Checks messages against the joints of one arm.

    :param limits: limits of the joints in bus order.
    :param stream_horizon_ns: a single point due within it belongs to a stream.
    """

    def __init__(self, limits: Sequence[JointLimit], stream_horizon_ns: int) -> None:
        """Prepare the look-up of joints by name."""
        self._limits = tuple(limits)
        self._index = {limit.name: index for index, limit in enumerate(limits)}
        self._horizon_ns = stream_horizon_ns
        self._known: tuple[tuple[str, ...], tuple[int, ...]] = ((), ())

    def check(self, command: Command, now_ns: int) -> Admitted | Refusal:
        """Return the points still ahead, or why the message cannot be followed."""
        points = command.points
        if not points or not command.joint_names:
            return Refusal(Reason.EMPTY, 'no joint or no point, expected at least one of each')
        if len(points) > MAX_POINTS:
            return Refusal(
                Reason.TOO_MANY_POINTS, f'{len(points)} points, allowed {MAX_POINTS}')
        joints = self._find_joints(command.joint_names)
        if isinstance(joints, Refusal):
            return joints
        refusal = self._check_values(command, joints) or _check_times(points, now_ns)
        if refusal is not None:
            return refusal
        dropped = 0
        while points[dropped].due_ns < now_ns:
            dropped += 1
        streamed = len(points) == 1 and points[0].due_ns - now_ns <= self._horizon_ns
        return Admitted(joints, points[dropped:] if dropped else points, dropped, streamed)

    def _find_joints(self, names: Sequence[str]) -> tuple[int, ...] | Refusal:
        key = tuple(names)
        known, joints = self._known
        if key == known:
            return joints
        unknown = [name for name in key if name not in self._index]
        if unknown:
            return Refusal(
                Reason.UNKNOWN_JOINT,
                f'no joint {unknown[0]!r}, this arm has {", ".join(self._index)}')
        if len(set(key)) != len(key):
            twice = next(name for name in key if key.count(name) > 1)
            return Refusal(Reason.DUPLICATE_JOINT, f'joint {twice!r} is named twice')
        joints = tuple(self._index[name] for name in key)
        self._known = (key, joints)
        return joints

    def _check_values(self, command: Command, joints: tuple[int, ...]) -> Refusal | None:
        expected = len(joints)
        for number, point in enumerate(command.points):
            velocity = point.velocity
            if len(point.position) != expected or (
                    velocity is not None and len(velocity) != expected):
                found = f'{len(point.position)} positions'
                if velocity is not None:
                    found += f' and {len(velocity)} velocities'
                return Refusal(
                    Reason.WRONG_LENGTH,
                    f'point {number} has {found}, expected {expected}')
            for joint, value in zip(joints, point.position):
                limit = self._limits[joint]
                # Comparisons with NaN are false, so NaN and infinity come through here as well.
                if not limit.lower - REACH_RAD <= value <= limit.upper + REACH_RAD:
                    return _bad_value(number, limit.name, 'position', value, 'rad', (
                        f'{limit.lower:.3f} to {limit.upper:.3f} rad'))
            for joint, value in zip(joints, velocity or ()):
                if not -MAX_VELOCITY <= value <= MAX_VELOCITY:
                    return _bad_value(
                        number, self._limits[joint].name, 'velocity', value, 'rad/s',
                        f'at most {MAX_VELOCITY:g} rad/s')
        return None


def _bad_value(
    number: int, joint: str, what: str, value: float, unit: str, expected: str,
) -> Refusal:
    where = f'point {number}, joint {joint}: {what} is'
    if not isfinite(value):
        return Refusal(Reason.NOT_FINITE, f'{where} {value}, expected a finite number')
    return Refusal(
        Reason.OUT_OF_REACH, f'{where} {value:g} {unit}, expected {expected}; are these degrees?')


def _check_times(points: Sequence[TrajectoryPoint], now_ns: int) -> Refusal | None:
    for number in range(1, len(points)):
        step_ns = points[number].due_ns - points[number - 1].due_ns
        if step_ns <= 0:
            return Refusal(
                Reason.TIME_GOING_BACK,
                f'point {number} is due {-step_ns * 1e-9:.6f} s before or with the point ahead of '
                'it, expected after it')
    late_ns = now_ns - points[-1].due_ns
    if late_ns > 0:
        return Refusal(
            Reason.ALL_DUE,
            f'the last point was due {late_ns * 1e-9:.3f} s ago; check clocks and delays')
    early_ns = points[0].due_ns - now_ns
    if early_ns > MAX_FIRST_DUE_NS:
        return Refusal(
            Reason.TOO_EARLY,
            f'the first point is due in {early_ns * 1e-9:.3f} s, allowed '
            f'{MAX_FIRST_DUE_NS * 1e-9:g} s; check clocks')
    return None
