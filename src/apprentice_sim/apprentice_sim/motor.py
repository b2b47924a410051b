# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Move a simulated servo's shaft where no physics engine does."""
from __future__ import annotations

import math
from typing import Protocol
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apprentice_sim.servo import Servo

_SUBSTEP_S = 0.002
_MAX_SUBSTEPS = 500
_HAND_DECAY_S = 0.03
_ARRIVED = 1e-6
# Duty per tick of error and unit of the P register, and the duty that friction and speed cost.
_STIFFNESS = 0.0004
_FRICTION_DUTY = 0.04
_SPEED_DUTY = 0.1


class Motor(Protocol):
    """Advance `servo.position`, `.velocity` and `.load` by `dt_s`."""

    def advance(self, servo: Servo, dt_s: float) -> None:
        """Move the shaft."""


def approach(
    position: float, velocity: float, target: float,
    max_velocity: float, max_acceleration: float, dt_s: float,
) -> tuple[float, float]:
    """
    Return (position, velocity) after `dt_s` of a move that may brake in time at the target.

    Any unit; `max_acceleration` may be infinite.
    """
    error = target - position
    distance = abs(error)
    speed = min(max_velocity, distance / dt_s)
    if max_acceleration == math.inf:
        new = math.copysign(speed, error)
        return position + new * dt_s, new if distance else 0.0
    change = max_acceleration * dt_s
    # The speed from which steps of one change each still stop within the distance.
    braking = math.sqrt(change * change / 4.0 + 2.0 * max_acceleration * distance) - change / 2.0
    new = math.copysign(min(speed, braking), error)
    new = min(max(new, velocity - change), velocity + change)
    if max(abs(new), abs(velocity)) <= 2.0 * change and distance <= abs(new) * dt_s + _ARRIVED:
        return target, 0.0
    return position + new * dt_s, new


class RateFollower:
    """Follow the goal within the servo's speed and acceleration limits, stopped by obstacles."""

    def advance(self, servo: Servo, dt_s: float) -> None:
        """Move the shaft by `dt_s` in steps of at most 2 ms (longer when far behind)."""
        if not servo.torque_on or servo.torque_limit <= 0.0:
            servo.velocity *= math.exp(-dt_s / _HAND_DECAY_S)
            if abs(servo.velocity) < 1.0:
                servo.velocity = 0.0
            servo.load = 0.0
            return
        target = servo.target_ticks
        resting = target is not None and target == servo.position and servo.velocity == 0.0
        if resting and servo.obstacle is None:
            servo.load = _clip(servo.external_load, servo.torque_limit)
            return
        steps = min(max(1, math.ceil(dt_s / _SUBSTEP_S)), _MAX_SUBSTEPS)
        for _ in range(steps):
            self._step(servo, target, dt_s / steps)

    def _step(self, servo: Servo, target: float | None, dt_s: float) -> None:
        acceleration = servo.max_acceleration
        if target is not None:
            position, velocity = approach(
                servo.position, servo.velocity, target,
                servo.max_velocity, acceleration, dt_s)
        else:
            change = acceleration * dt_s
            velocity = min(max(servo.target_velocity, servo.velocity - change),
                           servo.velocity + change)
            position = servo.position + velocity * dt_s
        blocked = False
        if servo.obstacle is not None:
            low, high = servo.obstacle
            blocked = not low < position < high
            position = min(max(position, low), high)
        if blocked:
            velocity = 0.0
            error = target - position if target is not None else servo.target_velocity
            load = _STIFFNESS * servo.position_p * error
        else:
            load = _SPEED_DUTY * velocity / servo.model.max_velocity
            if velocity:
                load += math.copysign(_FRICTION_DUTY, velocity)
        servo.position = position
        servo.velocity = velocity
        servo.load = _clip(load + servo.external_load, servo.torque_limit)


def _clip(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
