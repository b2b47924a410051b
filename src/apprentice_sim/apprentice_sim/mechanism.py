# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Joints as they come out of a workshop: horns at any angle, stops, mirrored servos, a hand."""
from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from apprentice_sim.presets import JointRegisters
from apprentice_sim.servo import Servo

TURN = 4096
HALF_TURN = 2047
HAND_TICKS_PER_S = 2500.0


@dataclass(frozen=True)
class Mount:
    """
    How a servo sits at its joint; every value in encoder ticks.

    `horn` is where the encoder stands at the joint's zero, `lower` and `upper` are the stops
    about that zero. A mirrored servo counts backwards.
    """

    horn: int
    lower: int
    upper: int
    mirrored: bool = False

    def encoder(self, angle: float) -> float:
        """Return the encoder's position, not wrapped, for an angle of the joint in ticks."""
        return self.horn - angle if self.mirrored else self.horn + angle


class Mechanism:
    """Servos with the mounts that turn and stop them; angles of joints are ticks from zero."""

    def __init__(self, servos: Mapping[str, Servo], mounts: Mapping[str, Mount]) -> None:
        """Mount the servos; every joint begins at its zero."""
        self.mounts = dict(mounts)
        self.angles = dict.fromkeys(mounts, 0.0)
        self._servos = {name: servos[name] for name in mounts}
        for name, mount in mounts.items():
            self._servos[name].position = mount.encoder(0.0)

    def put(self, name: str, angle: float, now_ns: int) -> bool:
        """Move a joint as far as its stops allow; False if torque holds it."""
        mount = self.mounts[name]
        angle = min(max(angle, mount.lower), mount.upper)
        if not self._servos[name].turn_to(mount.encoder(angle), now_ns):
            return False
        self.angles[name] = angle
        return True


class MechanicHand:
    """A hand that leads the joints of a mechanism through poses at one speed, in ticks/s."""

    def __init__(self, mechanism: Mechanism, ticks_per_s: float = HAND_TICKS_PER_S) -> None:
        """Hold nothing yet."""
        self._mechanism = mechanism
        self._speed = ticks_per_s
        self._poses: deque[Mapping[str, float]] = deque()
        self._last_ns: int | None = None

    @property
    def done(self) -> bool:
        """Whether every pose was reached."""
        return not self._poses

    def lead(self, *poses: Mapping[str, float]) -> None:
        """Go through these poses next, as far as stops allow; joints not named stay."""
        self._poses.extend(poses)

    def sweep(self, *names: str) -> None:
        """Lead these joints to both stops and back to where they are."""
        mounts, back = self._mechanism.mounts, self._mechanism.angles
        self.lead({name: mounts[name].lower for name in names},
                  {name: mounts[name].upper for name in names},
                  {name: back[name] for name in names})

    def move(self, now_ns: int) -> None:
        """Move on to where the hand is by now."""
        elapsed_ns = 0 if self._last_ns is None else now_ns - self._last_ns
        self._last_ns = now_ns
        if not self._poses:
            return
        reach = self._speed * elapsed_ns * 1e-9
        arrived = True
        for name, goal in self._poses[0].items():
            mount = self._mechanism.mounts[name]
            away = min(max(goal, mount.lower), mount.upper) - self._mechanism.angles[name]
            step = min(max(away, -reach), reach)
            self._mechanism.put(name, self._mechanism.angles[name] + step, now_ns)
            arrived = arrived and step == away
        if arrived:
            self._poses.popleft()


def calibration_of(servo_id: int, mount: Mount, middle: float) -> JointRegisters:
    """
    Return what a flawless calibration writes for a joint homed at the angle `middle`.

    Offset by LeRobot's half-turn homing; a range that would leave the turn is put in its middle.
    """
    ends = sorted((mount.encoder(mount.lower), mount.encoder(mount.upper)))
    zero_reads = mount.encoder(middle) - HALF_TURN
    low, high = (round(end - zero_reads) for end in ends)
    if low < 0 or high >= TURN:
        zero_reads += (low + high) // 2 - HALF_TURN
        low, high = (round(end - zero_reads) for end in ends)
    offset = round(zero_reads) % TURN
    if offset >= TURN // 2:
        offset -= TURN
    # Half a turn cannot be written: one tick less, and what is read moves by it.
    missing = 1 if offset == -TURN // 2 else 0
    return JointRegisters(servo_id, offset + missing, low - missing, high - missing)
