# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The motion of an arm: followers of all joints on the path of the owner's message."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

from apprentice_control.limiter import Follower
from apprentice_control.limits import JointLimit
from apprentice_control.reasons import Reason
from apprentice_control.trajectory import Path
from apprentice_control.trajectory import sample
from apprentice_control.trajectory import Track
from apprentice_control.trajectory import TrajectoryPoint

TOLERANCE_RAD = 0.02
"""Commanded goal and request that differ by more (1.1 degrees, 13 ticks) have parted.

Less is what quantised leaders, and lines that begin or end at 1 rad/s, cost under 30 rad/s².
"""

CLOSE_RAD = 0.0025
"""A joint that lagged has caught up when it is as near to the owner."""

LONGEST_STEP_NS = 50_000_000
"""A servo without a new goal for longer has come to rest, so motion begins from rest."""

WRITE_SLACK_NS = 1_000_000
"""A goal written later than this after its step makes the next step shorter by the delay."""

RESTART_STEP_S = 0.005
"""Length of the step that begins from rest after a late cycle."""

TOGETHER_NS = 40_000_000
"""Every joint must stay within the tolerance for as long before the ramp ends.

A leader that only sweeps past the follower has not been caught up with.
"""

PACE_SMOOTHING_S = 0.02
"""Time constant of the estimated pace of a stream: a tick's noise must not look like motion."""


class Departure(NamedTuple):
    """A joint whose commanded goal has parted from the request, and why."""

    joint: int
    reason: Reason
    requested: float
    commanded: float


class Motion:
    """
    Commanded position and velocity of every joint, led along one path at a time.

    :param limits: limits of the joints in bus order.
    :param engage_velocity: speed cap in rad/s while ramping, and of a joint outside its limits.
    """

    def __init__(self, limits: Sequence[JointLimit], engage_velocity: float) -> None:
        """Stand still until placed."""
        self.followers = [Follower(limit) for limit in limits]
        self.path: Path | None = None
        self.ramping = True
        self.departures: list[Departure] = []
        self.overshot: list[Departure] = []
        self.caught_up = False
        self.late = False
        self._engage = engage_velocity
        self._step_ns = 0
        self._apart_ns = 0
        self._previous: list[float] = []
        self._lagging: list[Reason | None] = [None] * len(self.followers)
        self._gentle = [True] * len(self.followers)
        self._stream_point: TrajectoryPoint | None = None
        self._stream_joints: tuple[int, ...] = ()
        self._pace = [0.0] * len(self.followers)

    @property
    def position(self) -> tuple[float, ...]:
        """Commanded positions in rad."""
        return tuple([follower.position for follower in self.followers])

    @property
    def velocity(self) -> tuple[float, ...]:
        """Commanded velocities in rad/s."""
        return tuple([follower.velocity for follower in self.followers])

    @property
    def moving(self) -> bool:
        """Whether any joint's commanded velocity is not zero."""
        return any(follower.velocity for follower in self.followers)

    def place(self, position: Sequence[float], now_ns: int) -> None:
        """Stand still at a measured pose."""
        for follower, value in zip(self.followers, position, strict=True):
            follower.place(value)
        self._step_ns = now_ns
        self.halt()

    def halt(self) -> None:
        """Leave the path; the following steps brake every joint and hold it."""
        self.path = None
        self.ramping = True
        self._gentle = [True] * len(self.followers)
        self._stream_point = None
        self._forget_lag()

    def rest(self) -> None:
        """Leave a path that has ended; the owner may go on without a ramp."""
        self.path = None
        self._forget_lag()

    def take(
        self,
        points: Sequence[TrajectoryPoint],
        joints: tuple[int, ...],
        streamed: bool,
        now_ns: int,
    ) -> None:
        """Take over the owner's next message from the position and velocity of now."""
        anchor_ns = self._step_ns
        if not 0 <= now_ns - anchor_ns <= LONGEST_STEP_NS:
            anchor_ns = now_ns
        position = self.position
        if self.path is None:
            self._apart_ns = now_ns
        if streamed:
            self._measure_pace(points[0], joints)
        else:
            self._stream_point = None
        self.path = Path(anchor_ns, points, joints, position, self.velocity, streamed)
        self._previous = list(position)

    def written(self, stamp_ns: int) -> None:
        """Note when the goal of the last step reached the wire: motors see steps from there."""
        delay_ns = stamp_ns - self._step_ns
        if delay_ns > WRITE_SLACK_NS:
            self._step_ns = stamp_ns
            for follower in self.followers:
                follower.stretch(delay_ns * 1e-9)

    def step(self, now_ns: int) -> None:
        """Move every joint to where it is commanded at an instant; earlier instants do nothing."""
        elapsed_ns = now_ns - self._step_ns
        if elapsed_ns <= 0:
            return
        self._step_ns = now_ns
        self.late = elapsed_ns > LONGEST_STEP_NS and self.moving
        dt = elapsed_ns * 1e-9
        if elapsed_ns > LONGEST_STEP_NS:
            dt = RESTART_STEP_S
            for follower in self.followers:
                follower.rest()
        self.departures = []
        self.overshot = []
        if self.path is None:
            for follower in self.followers:
                follower.brake(dt)
        else:
            self._follow(self.path, now_ns, dt)

    def _follow(self, path: Path, now_ns: int, dt: float) -> None:
        place = path.advance(now_ns)
        together = True
        for joint, track in enumerate(path.tracks):
            follower = self.followers[joint]
            if track is None:
                follower.brake(dt)
                continue
            limit = follower.limit
            raw = sample(track, place)
            target = min(max(raw, limit.lower), limit.upper)
            previous = self._previous[joint]
            self._previous[joint] = target
            owner, pace = raw, 0.0
            if now_ns < path.first_due_ns:
                owner, pace = self._owner_ahead(path, track, joint, now_ns)
            reachable = min(max(owner, limit.lower), limit.upper)
            if abs(owner - reachable) > TOLERANCE_RAD:
                self.overshot.append(Departure(joint, Reason.POSITION_LIMIT, owner, reachable))

            cap = limit.max_velocity
            if self.ramping or follower.outside:
                cap = min(cap, self._engage)
            if path.streamed:
                lead = (reachable, pace) if self._gentle[joint] else None
                exact = follower.follow(target, previous, dt, cap, lead)
            else:
                low, high = track.ahead_low[place[0]], track.ahead_high[place[0]]
                ahead = (min(target, low), max(target, high))
                exact = follower.follow(target, previous, dt, cap, None, ahead)

            gap = abs(reachable - follower.position)
            together = together and gap <= TOLERANCE_RAD
            if not self.ramping:
                self._choose_approach(joint, abs(target - follower.position), gap, dt)
            self._note_lag(joint, exact, target, gap if path.streamed else 0.0, previous, dt)
        if not together:
            self._apart_ns = now_ns
        self.caught_up = now_ns - self._apart_ns >= TOGETHER_NS

    def _owner_ahead(
        self, path: Path, track: Track, joint: int, now_ns: int,
    ) -> tuple[float, float]:
        """Return where the owner is, which the way from our own position to it hides."""
        first = track.positions[1]
        if not path.streamed:
            return first, 0.0
        pace = self._pace[joint]
        return first - pace * (path.first_due_ns - now_ns) * 1e-9, pace

    def _choose_approach(self, joint: int, lost: float, gap: float, dt: float) -> None:
        if lost > self.followers[joint].limit.max_acceleration * dt * dt:
            # More than the noise of a quantised stream: the next cycle will not make it up.
            self._gentle[joint] = True
        elif gap < CLOSE_RAD:
            self._gentle[joint] = False

    def _note_lag(
        self,
        joint: int,
        exact: bool,
        target: float,
        gap: float,
        previous: float,
        dt: float,
    ) -> None:
        follower = self.followers[joint]
        apart = max(abs(target - follower.position), gap)
        lagging = self._lagging[joint]
        if lagging is None:
            if exact or apart <= TOLERANCE_RAD:
                return
            lagging = self._reason_of_lag(follower, target, previous, dt)
            self._lagging[joint] = lagging
            self._gentle[joint] = True
        elif apart <= 0.5 * TOLERANCE_RAD:
            self._lagging[joint] = None
            return
        self.departures.append(Departure(joint, lagging, target, follower.position))

    def _reason_of_lag(
        self, follower: Follower, target: float, previous: float, dt: float,
    ) -> Reason:
        if follower.outside:
            return Reason.OUTSIDE_LIMITS
        if follower.stopping_short:
            return Reason.POSITION_LIMIT
        if self.ramping:
            return Reason.RAMP
        if self.path is not None and self.path.streamed and self._step_ns > self.path.end_ns:
            return Reason.STREAM_LATE
        if abs(target - previous) > follower.limit.max_velocity * dt:
            return Reason.VELOCITY_CAP
        return Reason.ACCELERATION_CAP

    def finish_ramp(self) -> None:
        """Follow the owner within the full caps from now on."""
        self.ramping = False
        self._forget_lag()

    def _forget_lag(self) -> None:
        self._lagging = [None] * len(self.followers)
        self.departures = []
        self.overshot = []

    def _measure_pace(self, point: TrajectoryPoint, joints: tuple[int, ...]) -> None:
        last = self._stream_point
        same = last is not None and self._stream_joints == joints
        gap_s = (point.due_ns - last.due_ns) * 1e-9 if same else 0.0
        self._stream_point = point
        self._stream_joints = joints
        if not 0.0 < gap_s < 0.2:
            if gap_s != 0.0 or not same:
                self._pace = [0.0] * len(self.followers)
            return
        weight = 1.0 - exp(-gap_s / PACE_SMOOTHING_S)
        for column, joint in enumerate(joints):
            cap = self.followers[joint].limit.max_velocity
            if point.velocity is not None:
                pace = point.velocity[column]
            else:
                pace = (point.position[column] - last.position[column]) / gap_s
            pace = min(max(pace, -cap), cap)
            self._pace[joint] += weight * (pace - self._pace[joint])

    def arrived(self, now_ns: int) -> bool:
        """Tell whether a trajectory has ended and every joint rests at its end."""
        path = self.path
        if path is None or path.streamed or now_ns < path.end_ns or self.moving:
            return False
        return all(
            track is None or abs(self._previous[joint] - self.followers[joint].position) < 1e-6
            for joint, track in enumerate(path.tracks))
