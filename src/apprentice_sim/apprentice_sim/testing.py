# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Simulated arms for tests: `with so_arm_bus('follower', tmp_path) as arm: open(arm.port)`."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
import signal
import subprocess
import sys
import time

from apprentice_sim.bus import ServoBus
from apprentice_sim.bus import Timing
from apprentice_sim.faults import FaultInjector
from apprentice_sim.presets import Role
from apprentice_sim.presets import so_arm
from apprentice_sim.pty import PtyBus
from apprentice_sim.servo import Servo
from apprentice_sim.taps import TapLog

_STEP_S = 0.002
_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 5.0


@dataclass
class SimArm:
    """One simulated bus and what a test wants of it."""

    pty: PtyBus
    taps: TapLog = field(default_factory=TapLog)

    @property
    def port(self) -> str:
        """Return the path that the driver opens."""
        return str(self.pty.link)

    @property
    def bus(self) -> ServoBus:
        """Return the bus behind the port."""
        return self.pty.bus

    @property
    def servos(self) -> dict[str, Servo]:
        """Return the servos by name, in chain order."""
        return self.bus.by_name

    @property
    def faults(self) -> FaultInjector:
        """Return the fault injector: `arm.faults.add(Action.DROP, ids=[3], count=2)`."""
        return self.bus.faults

    def register(self, name: str, register: str) -> int:
        """Return a servo's register as it stands, state registers brought up to date."""
        with self.bus.lock:
            servo = self.servos[name]
            entry = servo.model.table[register]
            servo.read(entry.address, entry.size, time.monotonic_ns())
            return servo.get(register)

    def registers(self, register: str) -> dict[str, int]:
        """Return one register of every servo."""
        return {name: self.register(name, register) for name in self.servos}

    def set(self, name: str, register: str, value: int) -> None:
        """Set a register as if it had been so since power-up."""
        with self.bus.lock:
            self.servos[name].set(register, value)
            self.bus.reindex()

    def hand(self, name: str, ticks: float) -> bool:
        """Move a torque-off joint, as a hand does; False if torque holds it."""
        return self.bus.hand(name, ticks, time.monotonic_ns())

    def power_cycle(self, *names: str) -> None:
        """Restart all servos, or those named."""
        self.bus.power_cycle(time.monotonic_ns(), *names)

    def unplug(self) -> None:
        """Take the serial port away."""
        self.pty.unplug()

    def replug(self) -> None:
        """Bring the serial port back."""
        self.pty.replug()

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 5.0) -> bool:
        """Return True once the condition holds, False if it never does."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() >= end:
                return False
            time.sleep(_STEP_S)
        return True


@contextmanager
def servo_bus(
    servos: Sequence[Servo], link: Path, *, timing: Timing = Timing(), seed: int = 0,
    echo: bool = False,
) -> Iterator[SimArm]:
    """Serve these servos at `link` from a thread of this process."""
    bus = ServoBus(servos, timing=timing, seed=seed, echo=echo)
    with PtyBus(bus, link) as pty:
        arm = SimArm(pty)
        bus.add_tap(arm.taps)
        with pty.run_thread():
            yield arm


@contextmanager
def so_arm_bus(
    role: Role | str, tmp_path: Path, *, timing: Timing = Timing(), seed: int = 0,
    calibration: Path | None = None,
) -> Iterator[SimArm]:
    """
    Serve an SO arm at `tmp_path/<role>` from a thread of this process.

    The thread shares the interpreter lock with the test: measure latency with so_arm_process().
    """
    role = Role(role)
    servos = so_arm(role, calibration)
    with servo_bus(servos, tmp_path / role.value, timing=timing, seed=seed) as arm:
        yield arm


@contextmanager
def so_arm_process(
    role: Role | str, tmp_path: Path, *arguments: str,
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve an SO arm from a process of its own; yield (port, process)."""
    link = tmp_path / Role(role).value
    process = subprocess.Popen(
        [sys.executable, '-m', 'apprentice_sim.bus_main', '--link', str(link),
         '--arm', Role(role).value, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + _START_TIMEOUT_S
        while not link.is_symlink():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f'the simulated bus did not start: {process.communicate()}')
            time.sleep(_STEP_S)
        yield str(link), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
