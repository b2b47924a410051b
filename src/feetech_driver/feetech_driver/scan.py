# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Find the motors on a port, whatever their ids and baud rates."""

from __future__ import annotations

from dataclasses import dataclass
import termios

from feetech_driver.errors import PortLost
from feetech_driver.port import DeadlinePort
from feetech_driver.port import DEFAULT_BAUDRATE
from feetech_driver.registers import alarm_names
from feetech_driver.registers import Model
from feetech_driver.registers import MODELS
from feetech_driver.registers import Protocol
from feetech_driver.scan_probe import Meeting
from feetech_driver.scan_probe import Probe

# Vendor and LeRobot disagree on what the last indices of the register mean, so all are tried.
RATES = (1_000_000, 500_000, 250_000, 128_000, 115_200, 76_800, 57_600, 38_400, 19_200, 9_600,
         4_800)
# Motors answer a ping to all one after another, 3 ms an id at worst.
_QUICK_S = 0.06
_THOROUGH_S = 0.8
_ROUNDS = 3
_BROADCASTS = 2
# Asked one by one where the ping to all brought nothing readable; SCS servos ignore that one.
_USUAL_IDS = range(21)
_SLOWEST_FACTORY_RATE = 38_400
# Whatever answers to this id as well is not a motor.
_UNUSED_ID = 252
# Enough that two motors which answer alike cannot pass for one.
_SAMPLES = 8
_FIRST = (0, 1)
_VOLTAGE, _TEMPERATURE, _STATUS = 6, 7, 9


@dataclass(frozen=True)
class FoundMotor:
    """
    A motor, or several under one id if `duplicated`; baud in bit/s.

    voltage in V and temperature in degrees Celsius, None where the motor did not say; alarms
    are the bits of its status register.
    """

    id: int
    baud: int
    model: str
    firmware: tuple[int, int]
    voltage: float | None
    temperature: int | None
    alarms: int
    duplicated: bool = False

    @property
    def errors(self) -> tuple[str, ...]:
        """Return what is wrong with the motor, in words."""
        several = ('two or more motors answer under this id',) if self.duplicated else ()
        return several + alarm_names(self.alarms)

    def __str__(self) -> str:
        """Describe the motor in one line."""
        parts = [f'id {self.id} at {self.baud} baud']
        if not self.duplicated:
            parts += [self.model, 'firmware %d.%d' % self.firmware]
            parts += [f'{self.voltage:.1f} V'] if self.voltage is not None else []
            parts += [f'{self.temperature} C'] if self.temperature is not None else []
        return ', '.join((*parts, *self.errors))


@dataclass(frozen=True)
class ScanResult:
    """
    Who is on a port.

    garbled are the rates at which something came that is no motor's answer, refused those that
    the adapter cannot do.
    """

    motors: tuple[FoundMotor, ...]
    garbled: tuple[int, ...]
    refused: tuple[int, ...]


def scan(
    port: DeadlinePort, thorough: bool = False, rates: tuple[int, ...] = RATES,
) -> ScanResult:
    """
    Look for motors at every baud rate; the port, open, is back at 1 Mbit/s afterwards.

    Takes about 1 s, and finds STS motors of ids up to 20; thorough, about 13 s, any id, and
    SCS motors up to 20. Raises PortLost when the port goes away.
    """
    motors: list[FoundMotor] = []
    garbled: list[int] = []
    refused: list[int] = []
    try:
        for rate in rates:
            if not _set_rate(port, rate):
                refused.append(rate)
                continue
            found, unreadable = _at_rate(Probe(port), rate, thorough)
            motors += found
            if unreadable and not found:
                garbled.append(rate)
    finally:
        if port.is_open and not port.lost:
            _set_rate(port, DEFAULT_BAUDRATE)
    return ScanResult(tuple(motors), tuple(garbled), tuple(refused))


def scan_port(spec: str, thorough: bool = False) -> ScanResult:
    """Scan a port that is not open; PortError says why it cannot be opened."""
    port = DeadlinePort(spec)
    port.open()
    try:
        return scan(port, thorough)
    finally:
        port.close()


def meet(probe: Probe, ident: int, baud: int, rounds: int = _ROUNDS) -> FoundMotor | None:
    """Return who answers under an id at the port's present rate, None if nobody does."""
    for _ in range(rounds):
        meeting = probe.meet(ident, _SAMPLES)
        if meeting is None:
            continue
        if meeting.duplicated:
            return FoundMotor(ident, baud, '', (0, 0), None, None, 0, duplicated=True)
        if meeting.identity is not None:
            return _motor(ident, baud, meeting)
    return None


def model_of(identity: bytes) -> Model | None:
    """Return the model that registers 0 to 4 name, in whichever byte order; None if unknown."""
    for model in MODELS.values():
        if int.from_bytes(identity[3:5], model.protocol.order) == model.number:
            return model
    return None


def _at_rate(probe: Probe, rate: int, thorough: bool) -> tuple[list[FoundMotor], bool]:
    idents: set[int] = set()
    unreadable = False
    for _ in range(_BROADCASTS):
        more, noise = probe.broadcast(_THOROUGH_S if thorough else _QUICK_S)
        idents |= more
        unreadable |= noise
        # Where somebody is, a lost reply must not hide another motor.
        if not idents and not unreadable:
            break
    met = [meet(probe, ident, rate) for ident in sorted(idents)]
    if unreadable and not _babbles(probe) or thorough and rate >= _SLOWEST_FACTORY_RATE:
        met += [meet(probe, ident, rate, 1) for ident in _USUAL_IDS if ident not in idents]
    found = [motor for motor in met if motor is not None]
    return sorted(found, key=lambda motor: motor.id), unreadable


def _babbles(probe: Probe) -> bool:
    return all(probe.ask(_UNUSED_ID, *_FIRST)[1] for _ in range(_ROUNDS))


def _motor(ident: int, baud: int, meeting: Meeting) -> FoundMotor:
    identity, state = meeting.identity, meeting.state
    model = model_of(identity)
    number = int.from_bytes(identity[3:5], Protocol.STS.order)
    return FoundMotor(
        ident, baud, model.name if model else f'unknown model {number}',
        (identity[0], identity[1]), state[_VOLTAGE] / 10 if state else None,
        state[_TEMPERATURE] if state else None, state[_STATUS] if state else 0)


def _set_rate(port: DeadlinePort, rate: int) -> bool:
    try:
        return port.setBaudRate(rate)
    except (OSError, termios.error) as error:
        port.lost = True
        raise PortLost(f'the serial port {port.path} went away ({error})') from error


def describe(result: ScanResult) -> str:
    """Say in one line why a scan found nobody."""
    if DEFAULT_BAUDRATE in result.refused:
        return f'the adapter cannot do {DEFAULT_BAUDRATE} baud, which motors need: use another.'
    if result.garbled:
        rates = ', '.join(map(str, result.garbled))
        return (
            f'something answers at {rates} baud, but unreadably: several motors with one id, a '
            'device that is no Feetech motor, or a damaged cable. Connect one motor only.')
    return (
        'no motor answers at any baud rate. Is the motor supply on (USB alone does not power '
        'motors)? Is the cable of the motor plugged in at both ends? Is this the port of the '
        'motor board?')
