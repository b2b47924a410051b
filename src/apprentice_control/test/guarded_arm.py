# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A guard under test with its clock, and an independent judge of the goals that it gives."""

from __future__ import annotations

from collections.abc import Sequence

from apprentice_control.guard import Command
from apprentice_control.guard import CommandGuard
from apprentice_control.guard import Goal
from apprentice_control.guard import GuardConfig
from apprentice_control.guard import GuardState
from apprentice_control.guard import JointLimit
from apprentice_control.guard import Refusal
from apprentice_control.guard import TrajectoryPoint

MS = 1_000_000
BEGIN_NS = 10**12
LATE_NS = 50 * MS
RESTART_S = 0.005
ROUNDING = 1e-6

LIMITS = (
    JointLimit('pan', -2.0, 2.0, 4.0, 30.0),
    JointLimit('lift', -1.0, 1.5, 2.0, 10.0),
    JointLimit('grip', -0.3, 0.3, 1.0, 40.0),
)
NAMES = tuple(limit.name for limit in LIMITS)


class Judge:
    """Checks successive goals against limits and caps by the definitions of the README."""

    def __init__(self, limits: Sequence[JointLimit], engage: float) -> None:
        """Judge joints of the given limits."""
        self.limits = limits
        self.engage = engage
        self.now_ns = 0
        self.position: list[float] = []
        self.velocity: list[float] = []
        self.span_s = 0.0

    def begin(self, now_ns: int, position: Sequence[float]) -> None:
        """Begin anew at rest."""
        self.now_ns = now_ns
        self.position = list(position)
        self.velocity = [0.0] * len(position)
        self.span_s = 0.0

    def check(self, now_ns: int, goal: Goal, ramping: bool) -> None:
        """Fail where the goal breaks a cap or a limit since the last one."""
        elapsed_ns = now_ns - self.now_ns
        if elapsed_ns <= 0:
            assert list(goal.position) == self.position
            return
        span_s = elapsed_ns * 1e-9
        if elapsed_ns > LATE_NS:
            span_s = RESTART_S
            self.velocity = [0.0] * len(self.velocity)
            self.span_s = 0.0
        for index, limit in enumerate(self.limits):
            before = self.position[index]
            after = goal.position[index]
            speed = (after - before) / span_s
            room = 0.5 * limit.max_acceleration * (span_s + self.span_s)
            assert abs(speed) <= limit.max_velocity + ROUNDING, (limit.name, speed)
            assert abs(speed - self.velocity[index]) <= room + ROUNDING, (
                limit.name, speed, self.velocity[index], span_s, self.span_s)
            assert abs(goal.velocity[index] - speed) <= ROUNDING
            assert min(before, limit.lower) <= after <= max(before, limit.upper), limit.name
            if ramping:
                braked = abs(self.velocity[index]) - room
                assert abs(speed) <= max(self.engage, braked) + ROUNDING, (limit.name, speed)
            self.position[index] = after
            self.velocity[index] = speed
        self.now_ns = now_ns
        self.span_s = span_s


class Arm:
    """A guard with its clock; every step is judged."""

    def __init__(
        self,
        limits: Sequence[JointLimit] = LIMITS,
        start: Sequence[float] | None = None,
        **config: object,
    ) -> None:
        """Activate at `start`, by default zero."""
        sources = config.pop('sources', {'teleop': 10, 'policy': 0})
        self.guard = CommandGuard(GuardConfig(tuple(limits), sources, **config))
        self.limits = tuple(limits)
        self.names = tuple(limit.name for limit in limits)
        self.judge = Judge(limits, self.guard.config.engage_velocity)
        self.now_ns = BEGIN_NS
        self.activate([0.0] * len(limits) if start is None else start)

    @property
    def state(self) -> GuardState:
        """Return the guard's state."""
        return self.guard.state

    def activate(self, measured: Sequence[float]) -> None:
        """Activate at a measured pose."""
        self.guard.activate(self.now_ns, measured)
        self.judge.begin(self.now_ns, measured)

    def send(
        self,
        position: Sequence[float],
        in_ms: float = 20.0,
        source: str = 'teleop',
        names: Sequence[str] | None = None,
    ) -> Refusal | None:
        """Submit one point due so many milliseconds from now."""
        due_ns = self.now_ns + round(in_ms * MS)
        return self.send_points([TrajectoryPoint(due_ns, position)], source, names)

    def send_points(
        self,
        points: Sequence[TrajectoryPoint],
        source: str = 'teleop',
        names: Sequence[str] | None = None,
        stamp_ns: int | None = None,
    ) -> Refusal | None:
        """Submit points."""
        names = self.names if names is None else names
        return self.guard.submit(Command(source, names, points, stamp_ns), self.now_ns)

    def step(self, ms: float = 5.0) -> Goal:
        """Let time pass and return the judged goal."""
        self.now_ns += round(ms * MS)
        ramping = self.guard.state is GuardState.RAMPING
        goal = self.guard.step(self.now_ns)
        if goal.active and not goal.released:
            self.judge.check(self.now_ns, goal, ramping)
        return goal

    def run(self, ms: float) -> Goal:
        """Step at 200 Hz for a while and return the last goal."""
        goal = self.step()
        for _ in range(round(ms / 5) - 1):
            goal = self.step()
        return goal

    def stream(
        self, position: Sequence[float], ms: float, source: str = 'teleop',
        names: Sequence[str] | None = None,
    ) -> Goal:
        """Repeat one streamed position at 100 Hz for a while and return the last goal."""
        goal = None
        for _ in range(round(ms / 10)):
            assert self.send(position, source=source, names=names) is None
            self.step()
            goal = self.step()
        return goal

    def count(self, word: str) -> int:
        """Return a counter."""
        return self.guard.status.counters[word]
