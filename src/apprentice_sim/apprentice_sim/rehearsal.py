# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run the demonstrator against the physics alone, faster than real time, without buses or ROS."""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from apprentice_sim.demonstrator import Demonstrator
from apprentice_sim.demonstrator import Sight
from apprentice_sim.demonstrator import yaw_of
from apprentice_sim.kinematics import REST_POSE
from apprentice_sim.motor import approach
from apprentice_sim.physics import Physics

HAND_PERIOD_S = 0.01
SIGHT_DELAY_S = 0.02
LONGEST_S = 60.0


@dataclass(frozen=True)
class Chain:
    """What lies between hand and follower goals: a delay and the guard's caps (rad/s, rad/s^2)."""

    delay_s: float = 0.04
    max_velocity: float = 4.0
    max_acceleration: float = 30.0


@dataclass(frozen=True)
class Outcome:
    """How one episode went; `peak_load` is the gripper's greatest load fraction."""

    seed: int
    cube_in_bin: bool
    attempts: int
    duration_s: float
    peak_velocity: float
    peak_load: float


class Rehearsal:
    """Episodes in one world, each with its own seed."""

    def __init__(self, arm: str, chain: Chain = Chain()) -> None:
        self._chain = chain
        self.physics = Physics(arm, 0)
        self._demonstrator = Demonstrator(arm, REST_POSE)
        self._goals = list(REST_POSE)
        self._velocities = [0.0] * len(REST_POSE)
        self._on_the_way: deque[tuple[float, ...]] = deque()
        self._seen: deque[Sight] = deque()

    def run(self, seed: int) -> Outcome:
        """Do one episode."""
        physics, demonstrator = self.physics, self._demonstrator
        physics.reset(seed)
        self._seen.clear()
        demonstrator.begin()
        steps = round(HAND_PERIOD_S / physics.timestep_s)
        start = physics.time_s
        peak_velocity = peak_load = 0.0
        last: tuple[float, ...] | None = None
        while not demonstrator.done and physics.time_s - start < LONGEST_S:
            hand = demonstrator.step(HAND_PERIOD_S, self._sight())
            if last is not None:
                fastest = max(abs(a - b) for a, b in zip(hand, last, strict=True))
                peak_velocity = max(peak_velocity, fastest / HAND_PERIOD_S)
            last = hand
            self._follow(hand)
            for _ in range(steps):
                physics.step()
            peak_load = max(peak_load, abs(physics.motions()[5].load))
        return Outcome(
            seed, physics.cube_in_bin(), demonstrator.attempts, physics.time_s - start,
            peak_velocity, peak_load)

    def _sight(self) -> Sight:
        physics = self.physics
        cube = physics.cube()
        self._seen.append(Sight(
            cube.position, yaw_of(cube.orientation), physics.bin(), physics.cube_in_bin(),
            tuple(physics.joints())))
        if len(self._seen) > SIGHT_DELAY_S / HAND_PERIOD_S:
            return self._seen.popleft()
        return self._seen[0]

    def _follow(self, hand: tuple[float, ...]) -> None:
        """Let delayed hand positions become goals within the caps."""
        self._on_the_way.append(hand)
        if len(self._on_the_way) <= self._chain.delay_s / HAND_PERIOD_S:
            return
        for index, target in enumerate(self._on_the_way.popleft()):
            self._goals[index], self._velocities[index] = approach(
                self._goals[index], self._velocities[index], target, self._chain.max_velocity,
                self._chain.max_acceleration, HAND_PERIOD_S)
        self.physics.drive([(goal, 1.0) for goal in self._goals])
