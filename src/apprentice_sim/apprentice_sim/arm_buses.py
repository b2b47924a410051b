# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The servos of leader and follower as the world moves them: radians on one side, ticks beyond."""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from math import isfinite
from math import pi
from pathlib import Path

from apprentice_sim.bus import ServoBus
from apprentice_sim.faults import FaultInjector
from apprentice_sim.physics import ServoMotion
from apprentice_sim.presets import default_joints
from apprentice_sim.presets import load_joints
from apprentice_sim.presets import PresetError
from apprentice_sim.presets import Role
from apprentice_sim.presets import so_arm

TICKS_PER_RAD = 4095 / (2 * pi)
# No hand moves a joint faster; a leap in the hand's position becomes a swift movement.
HAND_MAX_VELOCITY = 8.0
# The hand is told at 100 Hz or so; between two tellings it moves steadily, as flesh does.
HAND_SPAN_S = 0.011


class HandError(ValueError):
    """A hand position that no hand can take; nothing was moved."""


class ArmBus:
    """One arm's bus, and where its joints stand in rad: zero is the calibrated range's middle."""

    def __init__(
            self, role: Role, joint_names: Sequence[str], calibration: Path | None,
            faults: FaultInjector | None = None) -> None:
        joints = default_joints(role) if calibration is None else load_joints(calibration)
        if set(joints) != set(joint_names):
            raise PresetError(
                f'{calibration}: expected the joints {", ".join(joint_names)}, '
                f'found {", ".join(joints)}')
        self.bus = ServoBus(so_arm(role, calibration), faults=faults)
        self.servos = [self.bus.by_name[name] for name in joint_names]
        middles = {
            name: (joint.range_min + joint.range_max) / 2 for name, joint in joints.items()}
        self._present_zero = [middles[name] for name in joint_names]
        # The magnet stays glued where it was at calibration, whatever the offset register says.
        self._shaft_zero = [
            middles[name] + joints[name].homing_offset for name in joint_names]

    def positions(self) -> list[float]:
        """Return the true joint positions in rad."""
        return [
            (servo.position - zero) / TICKS_PER_RAD
            for servo, zero in zip(self.servos, self._shaft_zero, strict=True)]

    def goals(self) -> list[tuple[float, float] | None]:
        """Return every servo's goal (rad) and torque limit (0..1); None where nothing drives."""
        goals: list[tuple[float, float] | None] = []
        for servo, zero in zip(self.servos, self._shaft_zero, strict=True):
            target = servo.target_ticks if servo.torque_on else None
            goals.append(
                None if target is None
                else ((target - zero) / TICKS_PER_RAD, servo.torque_limit))
        return goals

    def feel(self, motions: Sequence[ServoMotion], now_ns: int) -> None:
        """Let the servos measure what physics says."""
        for servo, zero, motion in zip(self.servos, self._shaft_zero, motions, strict=True):
            servo.set_actual(
                zero + motion.position * TICKS_PER_RAD, motion.velocity * TICKS_PER_RAD,
                motion.load, now_ns)

    def place(self, positions: Sequence[float], now_ns: int) -> None:
        """Put the torque-off joints at positions in rad; torque holds the others."""
        for servo, zero, position in zip(
                self.servos, self._present_zero, positions, strict=True):
            servo.hand(zero + position * TICKS_PER_RAD, now_ns)


class Hand:
    """A hand that moves the joints of a torque-off arm steadily to where it was last told."""

    def __init__(self, arm: ArmBus, joint_names: Sequence[str]) -> None:
        self._arm = arm
        self._names = tuple(joint_names)
        self._start: list[float] = []
        self._goal: list[float] | None = None
        self._begin_ns = 0
        self._span_ns = 1

    def move_to(self, positions: Mapping[str, float], now_ns: int) -> None:
        """
        Begin a movement to positions in rad; joints not named stay.

        :raises HandError: for an unknown joint or a position that is no number.
        """
        for name, value in positions.items():
            if name not in self._names:
                raise HandError(f'the leader has no joint {name!r}; it has {list(self._names)}')
            if not isfinite(value) or abs(value) > pi:
                raise HandError(f'joint {name!r} cannot be held at {value} rad')
        self._start = self._arm.positions()
        self._goal = [
            positions.get(name, at) for name, at in zip(self._names, self._start, strict=True)]
        farthest = max(abs(b - a) for a, b in zip(self._start, self._goal, strict=True))
        self._begin_ns = now_ns
        self._span_ns = int(max(HAND_SPAN_S, farthest / HAND_MAX_VELOCITY) * 1e9)

    def move(self, now_ns: int) -> None:
        """Move on."""
        if self._goal is None:
            return
        share = min(1.0, (now_ns - self._begin_ns) / self._span_ns)
        self._arm.place(
            [a + (b - a) * share for a, b in zip(self._start, self._goal, strict=True)], now_ns)
        if share >= 1.0:
            self._goal = None
