# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A daisy chain of servos: who is on it, and whom the host reaches."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import threading

from apprentice_sim.servo import Servo
from apprentice_sim.taps import Tap


class ServoChain:
    """Hold servos in chain order, from the adapter outwards, and `reached`, those heard by id."""

    def __init__(self, servos: Iterable[Servo]) -> None:
        self.servos = list(servos)
        self.by_name = {servo.name: servo for servo in self.servos}
        if len(self.by_name) != len(self.servos):
            raise ValueError(f'servo names repeat: {[servo.name for servo in self.servos]}')
        self.lock = threading.RLock()
        self.reached: dict[int, list[Servo]] = {}
        self._broken_at: int | None = None
        self._host_baud = 1_000_000
        self._taps: list[Callable[[Tap], None]] = []
        self.reindex()

    @property
    def any_hears(self) -> bool:
        """Return whether any servo listens at the host's line speed."""
        return bool(self.reached) or any(s.baud == self._host_baud for s in self.servos)

    def hear_baud(self, baud: int) -> bool:
        """Take the host's line speed in bit/s; return whether it changed."""
        if baud == self._host_baud:
            return False
        self._host_baud = baud
        self.reindex()
        return True

    def reindex(self) -> None:
        """Find again which servos the host reaches; call it after a change to a servo."""
        self.reached = {}
        for servo in self.servos:
            if servo.servo_id == self._broken_at:
                break
            if not servo.silent and servo.baud == self._host_baud:
                self.reached.setdefault(servo.servo_id, []).append(servo)

    def add_tap(self, tap: Callable[[Tap], None]) -> None:
        """Call `tap` on every register change, in the thread that serves the bus."""
        with self.lock:
            self._taps.append(tap)
            for servo in self.servos:
                servo.tap = self._tap

    @property
    def _tap(self) -> Callable[[Tap], None] | None:
        if len(self._taps) > 1:
            return self._fan_out
        return self._taps[0] if self._taps else None

    def _fan_out(self, event: Tap) -> None:
        for tap in self._taps:
            tap(event)

    def attach(self, servo: Servo) -> None:
        """Plug another servo in at the end of the chain."""
        with self.lock:
            if servo.name in self.by_name:
                raise ValueError(f'a servo named {servo.name!r} is on the chain already')
            servo.tap = self._tap
            self.servos.append(servo)
            self.by_name[servo.name] = servo
            self.reindex()

    def detach(self, name: str) -> Servo:
        """Unplug a servo and return it."""
        with self.lock:
            servo = self.by_name.pop(name)
            self.servos.remove(servo)
            servo.tap = None
            self.reindex()
            return servo

    def silence(self, *names: str) -> None:
        """Make these servos deaf and dumb."""
        self._set_silent(names, True)

    def restore(self, *names: str) -> None:
        """Let these servos speak again."""
        self._set_silent(names, False)

    def _set_silent(self, names: tuple[str, ...], silent: bool) -> None:
        with self.lock:
            for name in names:
                self.by_name[name].silent = silent
            self.reindex()

    def break_chain(self, servo_id: int) -> None:
        """Cut the cable before `servo_id`: it and all behind it fall silent."""
        with self.lock:
            self._broken_at = servo_id
            self.reindex()

    def mend_chain(self) -> None:
        """Join the cable again."""
        with self.lock:
            self._broken_at = None
            self.reindex()

    def power_cycle(self, now_ns: int, *names: str) -> None:
        """Take the supply away and back, of every servo or of those named."""
        with self.lock:
            for servo in self.servos:
                if not names or servo.name in names:
                    servo.power_cycle(now_ns)
            self.reindex()

    def hand(self, name: str, ticks: float, now_ns: int) -> bool:
        """Move a torque-off joint to `ticks` as the host reads it; False if torque holds it."""
        with self.lock:
            return self.by_name[name].hand(ticks, now_ns)
