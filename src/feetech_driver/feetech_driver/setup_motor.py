# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Give the only motor on a port its id, at 1 Mbit/s, from whatever state it is in."""

from __future__ import annotations

from dataclasses import dataclass

from feetech_driver.errors import BusError
from feetech_driver.port import DeadlinePort
from feetech_driver.port import DEFAULT_BAUDRATE
from feetech_driver.registers import MODELS
from feetech_driver.registers import Register
from feetech_driver.registers import REGISTERS
from feetech_driver.scan import describe
from feetech_driver.scan import FoundMotor
from feetech_driver.scan import meet
from feetech_driver.scan import ScanResult
from feetech_driver.scan_probe import Probe

MIN_V, MAX_V = 4.5, 13.0
_VOLTAGE_ALARM = 0x01
_TRIES = 4
# What the bus needs of every motor: no wait before a reply, and a reply to every request.
_BUS_SETTINGS = {'return_delay': 0, 'response_level': 1}
_FASTEST_INDEX = 0


class SetupError(BusError):
    """Report a motor that must not, or cannot, be set up as it is."""


@dataclass(frozen=True)
class Wish:
    """What the one motor on the bus shall be: its id, and what it must be already."""

    id: int
    what: str
    model: str = 'sts3215'
    min_v: float = MIN_V
    max_v: float = MAX_V
    supply_hint: str = ''

    def hint(self, voltage: float | None) -> str:
        """Return what may be done about a supply that is out of bounds, if it is right."""
        return self.supply_hint if voltage and self.max_v < voltage <= MAX_V else ''


@dataclass(frozen=True)
class Assigned:
    """What was found, what was written (a line each, none: nothing to do) and what is there."""

    before: FoundMotor
    changes: tuple[str, ...]
    after: FoundMotor


def only_motor(result: ScanResult, wish: Wish) -> FoundMotor:
    """Return the motor that may be set up; SetupError says why there is none."""
    motors = result.motors
    if not motors:
        raise SetupError(describe(result))
    for motor in motors:
        if motor.duplicated:
            raise SetupError(
                f'two or more motors answer as id {motor.id} at {motor.baud} baud, and their '
                f'replies collide. Connect {wish.what} and no other motor.')
    if len(motors) > 1:
        ids = ', '.join(f'id {motor.id} at {motor.baud} baud' for motor in motors)
        raise SetupError(
            f'{len(motors)} motors answer ({ids}). Connect {wish.what} and no other motor.')
    motor, = motors
    if motor.model != wish.model:
        raise SetupError(
            f'the motor that answers (id {motor.id}) is a {motor.model}, expected {wish.model} '
            f'for {wish.what}. Connect the right motor; check --arm.')
    _check_supply(motor, wish)
    return motor


def assign(port: DeadlinePort, motor: FoundMotor, wish: Wish) -> Assigned:
    """
    Write what differs and prove it after re-opening the port.

    Whatever stops it, motor or supply or cable, doing it again from a new scan completes it.
    """
    port.setBaudRate(motor.baud)
    writer = _Writer(port, motor)
    writer.torque_off()
    changes = [change for name, value in _BUS_SETTINGS.items()
               if (change := writer.put(name, value))]
    if change := writer.put('id', wish.id):
        changes.append(change)
    if change := writer.put_fastest():
        changes.append(change)
    writer.lock()
    return Assigned(motor, tuple(changes), _proved(port, motor, wish))


def _check_supply(motor: FoundMotor, wish: Wish) -> None:
    found = 'unknown' if motor.voltage is None else f'{motor.voltage:.1f} V'
    if motor.voltage is None or not wish.min_v <= motor.voltage <= wish.max_v:
        hint = wish.hint(motor.voltage)
        raise SetupError(
            f'the supply of the motor (id {motor.id}) is {found}, expected {wish.min_v:g} to '
            f'{wish.max_v:g} V. Check the power adapter: its plug, and whether it is that of '
            f'this arm.{hint}')
    if motor.alarms & _VOLTAGE_ALARM:
        raise SetupError(
            f'the motor (id {motor.id}) itself says that its supply of {found} is out of its '
            'limits. Check that the power adapter is that of this arm.')


def _proved(port: DeadlinePort, before: FoundMotor, wish: Wish) -> FoundMotor:
    port.close()
    port.baudrate = DEFAULT_BAUDRATE
    port.open()
    after = meet(Probe(port), wish.id, DEFAULT_BAUDRATE)
    if after is None or after.model != before.model:
        raise SetupError(
            f'after re-opening the port at {DEFAULT_BAUDRATE} baud nobody answers as id '
            f'{wish.id}, or another motor does: {after}. Set the motor up again.')
    reader = _Writer(port, after)
    wanted = {'id': wish.id, 'baud_rate': _FASTEST_INDEX, 'lock': 1, **_BUS_SETTINGS}
    wrong = [f'{name} is {found}, expected {value}' for name, value in wanted.items()
             if (found := reader.read(name)) != value]
    if wrong:
        raise SetupError(
            f'after re-opening the port motor id {wish.id} reads wrongly ({"; ".join(wrong)}). '
            'Set it up again.')
    return after


class _Writer:
    """Registers of one byte in one motor; a write counts when it was made with EEPROM open."""

    def __init__(self, port: DeadlinePort, motor: FoundMotor) -> None:
        self._port = port
        self._probe = Probe(port)
        self._registers = REGISTERS[MODELS[motor.model].protocol]
        self._ident = motor.id

    def read(self, name: str) -> int:
        """Return a register; SetupError when the motor does not answer."""
        value = self._look(name)
        if value is None:
            raise SetupError(
                f'motor id {self._ident} stopped answering at {self._port.baudrate} baud. Check '
                'its cable and its supply.')
        return value

    def torque_off(self) -> None:
        """Let go of the shaft, so that no new setting makes it move."""
        self._write_until('torque_enable', 0)

    def lock(self) -> None:
        """Close EEPROM."""
        self._write_until('lock', 1)

    def put(self, name: str, value: int) -> str:
        """Bring an EEPROM register to a value for good; say what changed, '' if nothing."""
        before = self.read(name)
        if before == value:
            return ''
        for _ in range(_TRIES):
            self._write_until('lock', 0)
            self._tell(name, value)
            if name == 'id' and self._look_at(value, 'id') == value:
                self._ident = value
            # A motor that restarted in between has its lock closed: what reads right is lost.
            if self.read(name) == value and self.read('lock') == 0:
                return f'{name} {before} -> {value}'
        raise SetupError(self._refusal(name, value))

    def put_fastest(self) -> str:
        """Bring motor and line to 1 Mbit/s."""
        rate = self._port.baudrate
        before = self.read('baud_rate')
        if (before, rate) == (_FASTEST_INDEX, DEFAULT_BAUDRATE):
            return ''
        for _ in range(_TRIES):
            self._write_until('lock', 0)
            self._tell('baud_rate', _FASTEST_INDEX)
            self._port.setBaudRate(DEFAULT_BAUDRATE)
            if self._look('baud_rate') == _FASTEST_INDEX and self.read('lock') == 0:
                return f'baud rate {rate} -> {DEFAULT_BAUDRATE}'
            if self._look('baud_rate') is None:
                self._port.setBaudRate(rate)
        raise SetupError(self._refusal('baud_rate', _FASTEST_INDEX))

    def _write_until(self, name: str, value: int) -> None:
        for _ in range(_TRIES):
            if self.read(name) == value:
                return
            self._tell(name, value)
        if self.read(name) != value:
            raise SetupError(self._refusal(name, value))

    def _tell(self, name: str, value: int) -> None:
        self._probe.tell(self._ident, self._register(name).address, bytes((value,)))

    def _look(self, name: str) -> int | None:
        return self._look_at(self._ident, name)

    def _look_at(self, ident: int, name: str) -> int | None:
        for _ in range(_TRIES):
            data, _extra = self._probe.ask(ident, self._register(name).address, 1)
            if data is not None:
                return data[0]
        return None

    def _register(self, name: str) -> Register:
        return self._registers[name]

    def _refusal(self, name: str, value: int) -> str:
        return (
            f'motor id {self._ident} does not take {value} for {name} (it reads '
            f'{self._look(name)}). Switch its supply off and on and set it up again.')
