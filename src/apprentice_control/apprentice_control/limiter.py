# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
One joint's follower: passes a feasible request through exactly and never breaks its caps.

Velocity means the mean over a step, acceleration the change of that mean over the time between
the middles of two steps. So measured, any smooth request within the caps stays within them however
unevenly the steps fall, and braking at the cap from the middle of a step never needs more room
than `u**2 / (2 * a)`, with `u` the speed left at the step's end.
"""

from __future__ import annotations

from math import inf
from math import sqrt

from apprentice_control.limits import JointLimit

ROUNDING_RAD = 1e-9
"""Slack of the brake in front of a trajectory's end, so that rounding never delays a request."""


def brake_speed(distance: float, acceleration: float, dt: float) -> float:
    """Return the greatest mean speed over a step of `dt` s that still stops within `distance`."""
    if distance <= 0.5 * acceleration * dt * dt:
        return distance / dt
    return sqrt(2.0 * acceleration * distance) - 0.5 * acceleration * dt


class Follower:
    """
    Commanded position (rad) and velocity (rad/s) of one joint.

    `stopping_short` tells whether the last step was slower than wanted for a hard limit ahead.
    """

    __slots__ = (
        '_acceleration', '_interval', '_lower', '_upper', 'limit', 'position', 'stopping_short',
        'velocity')

    def __init__(self, limit: JointLimit) -> None:
        """Stand at zero until placed."""
        self.limit = limit
        self._acceleration = limit.max_acceleration
        self.stopping_short = False
        self.place(0.0)

    def place(self, position: float) -> None:
        """Stand still at a measured position, which may lie outside the limits."""
        self.position = position
        self._lower = min(self.limit.lower, position)
        self._upper = max(self.limit.upper, position)
        self.rest()

    def rest(self) -> None:
        """Stand still where the joint is."""
        self.velocity = 0.0
        self._interval = 0.0

    def stretch(self, dt: float) -> None:
        """Count the last step as `dt` s longer than it was planned: it was slower by as much."""
        if self._interval > 0.0:
            self.velocity *= self._interval / (self._interval + dt)
            self._interval += dt

    @property
    def outside(self) -> bool:
        """Whether the joint still stands outside a hard limit."""
        return self._lower < self.limit.lower or self._upper > self.limit.upper

    def brake(self, dt: float) -> None:
        """Lose speed at the acceleration cap over a step of `dt` s; at rest, stay."""
        spread = 0.5 * self._acceleration * (dt + self._interval)
        speed = self.velocity
        self._move(max(speed - spread, 0.0) if speed > 0.0 else min(speed + spread, 0.0), dt)

    def follow(
        self,
        target: float,
        previous: float,
        dt: float,
        cap: float,
        lead: tuple[float, float] | None = None,
        ahead: tuple[float, float] = (-inf, inf),
    ) -> bool:
        """
        Go to the request, or as near as the caps allow, over a step of `dt` s.

        A joint that lags closes in no faster than it can match the request's speed on arrival.

        :param target: request at the end of the step, within the limits.
        :param previous: the same request at the step's start.
        :param cap: speed allowed now; while the joint is faster it brakes at the cap.
        :param lead: position and velocity of the owner now, not to be passed while closing in.
        :param ahead: positions between which the rest of the request stays; the joint keeps able
            to stop there.
        :returns: whether the joint did exactly what was requested.
        """
        acceleration = self._acceleration
        position = self.position
        behind = previous - position
        exact = -ROUNDING_RAD < behind < ROUNDING_RAD
        if exact:
            wanted = (target - position) / dt
        elif behind > 0.0:
            wanted = (target - previous) / dt + brake_speed(behind, acceleration, dt)
        else:
            wanted = (target - previous) / dt - brake_speed(-behind, acceleration, dt)

        speed = min(max(wanted, -cap), cap)
        if lead is not None:
            speed = self._behind_lead(speed, lead, dt, cap)
        if speed > 0.0 and ahead[1] >= position:
            speed = min(speed, brake_speed(ahead[1] - position + ROUNDING_RAD, acceleration, dt))
        elif speed < 0.0 and ahead[0] <= position:
            speed = max(speed, -brake_speed(position - ahead[0] + ROUNDING_RAD, acceleration, dt))
        speed = self._within_caps(speed, dt)
        exact = exact and speed == wanted
        self._move(speed, dt, target if exact else None)
        return exact

    def _behind_lead(
        self, speed: float, lead: tuple[float, float], dt: float, cap: float,
    ) -> float:
        owner, pace = lead
        gap = owner - pace * dt - self.position
        if gap >= 0.0:
            return min(speed, max(pace + brake_speed(gap, self._acceleration, dt), -cap))
        return max(speed, min(pace - brake_speed(-gap, self._acceleration, dt), cap))

    def _within_caps(self, speed: float, dt: float) -> float:
        spread = 0.5 * self._acceleration * (dt + self._interval)
        free = min(max(speed, self.velocity - spread), self.velocity + spread)
        if free > 0.0:
            speed = min(free, brake_speed(self._upper - self.position, self._acceleration, dt))
        else:
            speed = max(free, -brake_speed(self.position - self._lower, self._acceleration, dt))
        self.stopping_short = speed != free
        return speed

    def _move(self, speed: float, dt: float, target: float | None = None) -> None:
        limit = self.limit
        position = self.position + speed * dt if target is None else target
        # Braking ends inside the limits by construction; this takes off the rounding.
        self.position = position = min(max(position, self._lower), self._upper)
        self.velocity = speed
        self._interval = dt
        if self._lower < limit.lower:
            self._lower = min(limit.lower, position)
        if self._upper > limit.upper:
            self._upper = max(limit.upper, position)
