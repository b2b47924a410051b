# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Simulated arms in processes of their own, real drivers on them, and a judge of goal writes."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
import json
import math
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path
import subprocess
from typing import NamedTuple

from ament_index_python.packages import get_package_prefix
from apprentice_node.priority import raise_priority
from apprentice_sim.presets import default_joints
from apprentice_sim.taps import Tap
from apprentice_sim.testing import so_arm_bus

RAD_PER_TICK = 2 * math.pi / 4095
MAX_VELOCITY = 4.0
MAX_ACCELERATION = 30.0
ENGAGE_VELOCITY = 0.5
MARGIN_RAD = math.radians(2.0)
# A goal belongs to the instant at which its bus cycle began; it is written within that cycle.
WRITE_JITTER_S = 0.005
_WINDOW_S = 0.05


class Joint(NamedTuple):
    """Convert one joint of a simulated arm between ticks and rad."""

    low: int
    high: int

    def to_rad(self, ticks: float) -> float:
        """Return the angle of a register value."""
        return (ticks - (self.low + self.high) / 2) * RAD_PER_TICK

    def to_ticks(self, angle: float) -> float:
        """Return the register value of an angle."""
        return angle / RAD_PER_TICK + (self.low + self.high) / 2

    @property
    def reach(self) -> float:
        """Return half of the calibrated range, rad."""
        return (self.high - self.low) / 2 * RAD_PER_TICK


def joints_of(role: str) -> dict[str, Joint]:
    """Return the joints of a simulated arm."""
    return {name: Joint(joint.range_min, joint.range_max)
            for name, joint in default_joints(role).items()}


class ArmProcess:
    """A simulated arm served by another process, so that nothing here delays its replies."""

    def __init__(self, role: str, folder: Path) -> None:
        """Start serving at `folder/role` and write the calibration file beside it."""
        self.role = role
        self.joints = joints_of(role)
        self.calibration = folder / f'{role}.json'
        self.calibration.write_text(json.dumps({
            name: {'id': joint.servo_id, 'drive_mode': 0, 'homing_offset': joint.homing_offset,
                   'range_min': joint.range_min, 'range_max': joint.range_max}
            for name, joint in default_joints(role).items()}))
        context = multiprocessing.get_context('spawn')
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(role, folder, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.port: str = self._pipe.recv()

    def hand(self, **angles: float) -> None:
        """Put torque-off joints at angles in rad."""
        for name, angle in angles.items():
            self._ask('hand', name, self.joints[name].to_ticks(angle))

    def taps(self) -> list[Tap]:
        """Return the register changes since the last call."""
        return self._ask('taps')

    def registers(self, register: str) -> dict[str, int]:
        """Return one register of every servo."""
        return self._ask('registers', register)

    def unplug(self) -> None:
        """Take the serial port away."""
        self._ask('unplug')

    def replug(self) -> None:
        """Bring the serial port back."""
        self._ask('replug')

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()

    def _ask(self, *request: object) -> object:
        self._pipe.send(request)
        return self._pipe.recv()


def _serve(role: str, folder: Path, pipe: Connection) -> None:
    # As the world does: the time of a goal must not be that at which a busy host got round to it.
    raise_priority()
    with so_arm_bus(role, folder) as arm:
        pipe.send(arm.port)
        while True:
            try:
                verb, *arguments = pipe.recv()
            except EOFError:
                return
            if verb == 'taps':
                taken, arm.taps.events = arm.taps.events, []
                pipe.send(taken)
            else:
                pipe.send(getattr(arm, verb)(*arguments))


@contextmanager
def arm_process(role: str, folder: Path) -> Iterator[ArmProcess]:
    """Serve an arm while the context lasts."""
    arm = ArmProcess(role, folder)
    try:
        yield arm
    finally:
        arm.close()


def start_node(
    environment: Mapping[str, str], package: str, executable: str, namespace: str = '',
    log: Path | None = None, **parameters: object,
) -> subprocess.Popen[bytes]:
    """Start one of our executables with parameters."""
    path = Path(get_package_prefix(package), 'lib', package, executable)
    arguments = [part for name, value in parameters.items()
                 for part in ('-p', f'{name}:={_yaml(value)}')]
    if namespace:
        arguments = ['-r', f'__ns:={namespace}', *arguments]
    out = subprocess.DEVNULL if log is None else log.open('ab')
    return subprocess.Popen(
        [str(path), '--ros-args', *arguments], env=environment, stdin=subprocess.DEVNULL,
        stdout=out, stderr=subprocess.STDOUT)


def start_driver(
    environment: Mapping[str, str], arm: ArmProcess, log: Path | None = None,
    **parameters: object,
) -> subprocess.Popen[bytes]:
    """Start the driver of an arm in the namespace of its role."""
    return start_node(
        environment, 'feetech_driver', 'driver', f'/{arm.role}', log, port=arm.port,
        role=arm.role, calibration_file=str(arm.calibration), **parameters)


def end(process: subprocess.Popen[bytes], timeout_s: float = 10.0) -> None:
    """End a process, politely first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _yaml(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Goals(NamedTuple):
    """The goals written to one joint: monotonic seconds, and rad."""

    times: list[float]
    angles: list[float]


class Judged(NamedTuple):
    """What the goals of some joints reached, and sentences about what they should not have."""

    velocity: float
    acceleration: float
    excesses: list[str]


def judge(
    goals: Mapping[str, Goals], max_velocity: float, *, since: float = -math.inf,
    until: float = math.inf, jitter_s: float = WRITE_JITTER_S,
) -> Judged:
    """
    Judge goals written between two instants against the caps, and against the limits.

    Speeds are taken over 50 ms, where the jitter of a write and the rounding to a tick, which
    are allowed on top, are small. Of each joint only the worst excess of a kind is told.
    """
    velocity = acceleration = 0.0
    excesses = []
    for name, (times, angles) in goals.items():
        chosen = [(t, a) for t, a in zip(times, angles) if since <= t <= until]
        speeds = _speeds(chosen)
        velocity = max([velocity, *(abs(v) for _, _, v in speeds)])
        acceleration = max([acceleration, *(abs(dv) / dt for dt, dv, _ in _changes(speeds))])
        worst = (
            (_worst_limit(name, chosen), 'goal {:.3f} rad beyond the limit'),
            (_worst_step(chosen, max_velocity, jitter_s), 'a step {:.4f} rad too far'),
            (max((abs(v) * dt - max_velocity * (dt + jitter_s) - RAD_PER_TICK
                  for _, dt, v in speeds), default=0.0), '{:.3f} rad too far in 50 ms'),
            (max((abs(dv) - MAX_ACCELERATION * (dt + jitter_s)
                  - 2 * (RAD_PER_TICK + jitter_s * abs(v)) / _WINDOW_S
                  for dt, dv, v in _changes(speeds)), default=0.0),
             'changed speed by {:.2f} rad/s too much in 50 ms'))
        excesses += [f'{name}: {text.format(excess)}' for excess, text in worst if excess > 1e-6]
    return Judged(velocity, acceleration, excesses)


def _worst_limit(name: str, chosen: Sequence[tuple[float, float]]) -> float:
    reach = joints_of('follower')[name].reach - MARGIN_RAD + RAD_PER_TICK
    return max((abs(angle) - reach for _, angle in chosen), default=0.0)


def _worst_step(
    chosen: Sequence[tuple[float, float]], max_velocity: float, jitter_s: float,
) -> float:
    return max((abs(b - a) - max_velocity * (t - s + jitter_s) - RAD_PER_TICK
                for (s, a), (t, b) in zip(chosen, chosen[1:])), default=0.0)


def _speeds(chosen: Sequence[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """Return (time, span, speed over the span of 50 ms or little more that ends then)."""
    speeds = []
    first = 0
    for t, angle in chosen:
        while first + 1 < len(chosen) and t - chosen[first + 1][0] >= _WINDOW_S:
            first += 1
        span = t - chosen[first][0]
        if span >= _WINDOW_S:
            speeds.append((t, span, (angle - chosen[first][1]) / span))
    return speeds


def _changes(
    speeds: Sequence[tuple[float, float, float]],
) -> list[tuple[float, float, float]]:
    """Return (span, change of speed, speed) over spans of 50 ms or little more."""
    changes = []
    first = 0
    for t, _, speed in speeds:
        while first + 1 < len(speeds) and t - speeds[first + 1][0] >= _WINDOW_S:
            first += 1
        span = t - speeds[first][0]
        if span >= _WINDOW_S:
            changes.append((span, speed - speeds[first][2], speed))
    return changes
