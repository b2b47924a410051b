# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Physics and both servo buses in one loop that keeps real time."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import select
import threading
import time
from typing import NamedTuple

from apprentice_sim.arm_buses import ArmBus
from apprentice_sim.arm_buses import Hand
from apprentice_sim.fault_script import load_faults
from apprentice_sim.physics import BodyPose
from apprentice_sim.physics import Physics
from apprentice_sim.presets import Role
from apprentice_sim.pty import PtyBus
from apprentice_sim.tap_file import TapFile

STATE_RATE_HZ = 60.0
# Lost time is made up in bursts; beyond this a real arm would have moved unseen for too long.
LARGEST_LAG_NS = 1_000_000_000
_LONGEST_WAIT_S = 0.05
# Steps made up before the buses are served again.
_BURST = 20


class RealTimeError(RuntimeError):
    """The host is too slow or too busy for real-time factor 1."""


@dataclass(frozen=True)
class WorldConfig:
    """What a world is made of; paths are those of the serial ports' links to create."""

    leader_link: Path
    follower_link: Path
    arm: str = 'so100'
    seed: int = 0
    leader_calibration: Path | None = None
    follower_calibration: Path | None = None
    leader_faults: Path | None = None
    follower_faults: Path | None = None
    leader_taps: Path | None = None
    follower_taps: Path | None = None


class WorldState(NamedTuple):
    """The world at `t_ns`, monotonic."""

    t_ns: int
    seed: int
    qpos: list[float]
    cube: BodyPose
    bin: tuple[float, float, float]
    cube_in_bin: bool
    follower: list[float]
    leader: list[float]


class Pace(NamedTuple):
    """How well real time was kept since the last look: factor, and greatest lag in s."""

    factor: float
    lag_s: float


class World:
    """
    Simulate leader and follower behind two pseudo-terminals.

    One thread calls `run`; `reset` and `hand` belong to that thread too (call them from
    `on_step`). `pace` and `torque_on` may be read from any thread.
    """

    def __init__(self, config: WorldConfig) -> None:
        self.config = config
        self.seed = config.seed
        self.physics = Physics(config.arm, config.seed)
        self.joint_names = self.physics.joint_names
        self.follower = self._arm(
            Role.FOLLOWER, config.follower_calibration, config.follower_faults)
        self.leader = self._arm(Role.LEADER, config.leader_calibration, config.leader_faults)
        self.hand = Hand(self.leader, self.joint_names)
        now = time.monotonic_ns()
        self.follower.feel(self.physics.motions(), now)
        self.leader.place(self.physics.joints(), now)
        self._ports: list[PtyBus] = []
        self._taps: list[TapFile] = []
        try:
            for arm, path in (
                    (self.leader, config.leader_taps), (self.follower, config.follower_taps)):
                if path is not None:
                    self._taps.append(TapFile(path))
                    arm.bus.add_tap(self._taps[-1])
            for arm, link in (
                    (self.leader, config.leader_link), (self.follower, config.follower_link)):
                self._ports.append(PtyBus(arm.bus, link))
        except OSError:
            self.close()
            raise
        self._step_ns = round(self.physics.timestep_s * 1e9)
        self._next_state_s = 0.0
        self._steps = 0
        self._lag_ns = 0
        self._pace_from: tuple[int, int] | None = None

    def close(self) -> None:
        """Take both ports away and finish the files; the loop must have ended."""
        for port in self._ports:
            port.close()
        for taps in self._taps:
            taps.close()
        self._ports, self._taps = [], []

    def quiet_s(self) -> float:
        """Return for how long no driver has written to either port; any thread may ask."""
        return (time.monotonic_ns() - max(port.heard_ns for port in self._ports)) * 1e-9

    def reset(self, seed: int) -> None:
        """Place cube and bin and set the looks as the seed decides; the arms stay."""
        self.seed = seed
        self.physics.reset(seed)

    def state(self, t_ns: int) -> WorldState:
        """Return the present state, said to be that of `t_ns`."""
        physics = self.physics
        return WorldState(
            t_ns, self.seed, physics.qpos().tolist(), physics.cube(), physics.bin(),
            physics.cube_in_bin(), physics.joints(), self.leader.positions())

    @property
    def torque_on(self) -> bool:
        """Whether any servo of either arm is driven."""
        return any(servo.torque_on for arm in (self.leader, self.follower) for servo in arm.servos)

    def pace(self) -> Pace:
        """Return how well real time was kept since the previous call."""
        now, steps = time.monotonic_ns(), self._steps
        lag, self._lag_ns = self._lag_ns, 0
        before, self._pace_from = self._pace_from, (now, steps)
        if before is None or now <= before[0]:
            return Pace(1.0, lag * 1e-9)
        return Pace((steps - before[1]) * self._step_ns / (now - before[0]), lag * 1e-9)

    def run(
            self, stop: threading.Event, on_step: Callable[[int], None],
            on_state: Callable[[WorldState], None]) -> None:
        """
        Simulate until `stop` is set.

        :param on_step: called before every physics step with its monotonic time.
        :param on_state: called with a new state at `STATE_RATE_HZ`.
        :raises RealTimeError: if the world falls too far behind the clock.
        """
        for port in self._ports:
            port.claim()
        due = time.monotonic_ns()
        while not stop.is_set():
            self._wait_and_serve(due)
            now = time.monotonic_ns()
            self._lag_ns = max(self._lag_ns, now - due)
            if now - due > LARGEST_LAG_NS:
                raise RealTimeError(
                    f'the simulated world fell {(now - due) * 1e-9:.1f} s behind real time; the '
                    'simulation only runs at real-time speed: close other programs or lower the '
                    "cameras' rate, then start it again")
            burst = _BURST
            while due <= now and burst:
                self._step(due, on_step, on_state)
                due += self._step_ns
                burst -= 1
        for port in self._ports:
            port.release()

    def _arm(self, role: Role, calibration: Path | None, faults: Path | None) -> ArmBus:
        injector = None if faults is None else load_faults(faults)
        return ArmBus(role, self.joint_names, calibration, injector)

    def _wait_and_serve(self, due_ns: int) -> None:
        wake = min(due_ns, *(port.next_due_ns for port in self._ports))
        wait_s = (wake - time.monotonic_ns()) * 1e-9
        watched = [port.fileno() for port in self._ports if port.fileno() >= 0]
        watched += [port.wake_fileno for port in self._ports]
        readable = select.select(watched, (), (), min(max(wait_s, 0.0), _LONGEST_WAIT_S))[0]
        now = time.monotonic_ns()
        for port in self._ports:
            ready = port.fileno() in readable or port.wake_fileno in readable
            if ready or port.next_due_ns <= now:
                port.service(now)

    def _step(
            self, t_ns: int, on_step: Callable[[int], None],
            on_state: Callable[[WorldState], None]) -> None:
        on_step(t_ns)
        self.hand.move(t_ns)
        physics = self.physics
        physics.drive(self.follower.goals())
        physics.step()
        self.follower.feel(physics.motions(), t_ns)
        self._steps += 1
        if physics.time_s >= self._next_state_s:
            self._next_state_s += 1.0 / STATE_RATE_HZ
            on_state(self.state(t_ns))
