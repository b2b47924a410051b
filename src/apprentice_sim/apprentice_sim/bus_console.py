# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hands at a simulated bus: plug motors in and out, cut the supply, pull the USB cable."""
from __future__ import annotations

from collections.abc import Iterable
import sys
import time

from apprentice_sim.presets import fresh_servo
from apprentice_sim.pty import PtyBus
from apprentice_sim.servo import Servo

HELP = """\
attach MODEL:ID[@BAUD] [NAME]   plug a factory-fresh motor in
attach NAME                     plug one in again that was taken off
detach NAME...|all              take motors off
voltage VOLT                    change the supply
power                           switch the supply off and on
unplug, replug                  the USB cable
list                            what is on the chain
"""


class BusConsole:
    """Do what a line of text says to a served bus."""

    def __init__(self, pty: PtyBus) -> None:
        self._pty = pty
        self._bus = pty.bus
        self._shelf: dict[str, Servo] = {}
        self._supply_v: float | None = None
        self._fresh = len(pty.bus.servos)

    def do(self, line: str) -> str:
        """Do one command and return what to tell; ValueError says what is wrong with it."""
        words = line.split()
        if not words:
            return ''
        command, rest = words[0], words[1:]
        if command == 'attach' and len(rest) in (1, 2):
            self._attach(*rest)
        elif command == 'detach' and rest:
            self._detach(rest)
        elif command == 'voltage' and len(rest) == 1:
            self._supply_v = float(rest[0])
            for servo in self._bus.servos:
                servo.voltage_v = self._supply_v
        elif command == 'power' and not rest:
            self._bus.power_cycle(time.monotonic_ns())
        elif command in ('unplug', 'replug') and not rest:
            getattr(self._pty, command)()
        elif command != 'list' or rest:
            raise ValueError(f'{line.strip()!r} is no command; there are:\n{HELP.rstrip()}')
        return self._listing()

    def _attach(self, what: str, name: str = '') -> None:
        servo = self._shelf.pop(what, None)
        if servo is None:
            self._fresh += 1
            servo = fresh_servo(what, name or f'servo_{self._fresh}')
        if self._supply_v is not None:
            servo.voltage_v = self._supply_v
        self._bus.attach(servo)

    def _detach(self, names: list[str]) -> None:
        if names == ['all']:
            names = list(self._bus.by_name)
        for name in names:
            if name not in self._bus.by_name:
                raise ValueError(f'no motor {name!r} on the chain; {self._listing()}')
            self._shelf[name] = self._bus.detach(name)

    def _listing(self) -> str:
        servos = [f'{s.name} id {s.servo_id} at {s.baud}' for s in self._bus.servos]
        return 'on the chain: ' + (', '.join(servos) or 'nothing')


def read_commands(pty: PtyBus, lines: Iterable[str]) -> None:
    """Do the commands of a stream to its end, and tell the results on standard output."""
    console = BusConsole(pty)
    for line in lines:
        try:
            said = console.do(line)
        except ValueError as error:
            said = str(error)
        sys.stdout.write(f'{said}\n' if said else '')
        sys.stdout.flush()
