# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The registers that a calibration changes: remembered, reset, written and put back."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import time
from types import MappingProxyType
from typing import NamedTuple
from typing import Protocol

from apprentice_control.calibration import JointCalibration
from apprentice_control.units import TICKS_PER_TURN
from feetech_driver.errors import BusError
from feetech_driver.errors import PortLost
from feetech_driver.errors import TransactionError
from feetech_driver.motors import Motor
from feetech_driver.motors import MotorState

PUT_BACK_S = 3.0
_RETRY_S = 0.05
_TRIES = 3
_MULTI_TURN = 0x10
_CALIBRATED = ('homing_offset', 'min_position_limit', 'max_position_limit')
REMEMBERED = (*_CALIBRATED, 'phase', 'operating_mode')
_NOTHING: Mapping[tuple[str, str], int] = MappingProxyType({})


class CalibrationBus(Protocol):
    """What calibration needs of a bus."""

    motors: Mapping[str, Motor]

    @property
    def is_open(self) -> bool:
        """Whether the motors can be reached."""

    def read(self, name: str, register: str) -> int:
        """Return a register's value."""

    def write(self, name: str, register: str, value: int, verify: bool = True) -> bool:
        """Write a register and read it back, EEPROM so that it lasts."""

    def read_state(self) -> dict[str, MotorState]:
        """Return the state of every motor that answers."""

    def release(self, ramp_s: float = 1.0) -> tuple[str, ...]:
        """Let go of every motor; return those that did not confirm."""


class Difference(NamedTuple):
    """A register of a joint that is not what the file says."""

    joint: str
    register: str
    file: int
    servo: int

    def __str__(self) -> str:
        """Describe the difference in one line."""
        return (f'{self.joint}: {self.register} is {self.file} in the file and {self.servo} in '
                f'the servo, {abs(self.file - self.servo)} ticks apart')


class Servos:
    """The calibration registers of the motors on a bus."""

    def __init__(self, bus: CalibrationBus) -> None:
        """Remember nothing yet."""
        self._bus = bus
        self._before: dict[tuple[str, str], int] = {}
        self._written: dict[tuple[str, str], int] = {}

    @property
    def before(self) -> Mapping[tuple[str, str], int]:
        """Return what is put back if need be, by joint and register."""
        return self._before

    def remember(
        self, names: Iterable[str], earlier: Mapping[tuple[str, str], int] = _NOTHING,
    ) -> None:
        """
        Read what these motors hold now, to be put back if need be.

        `earlier` is what they held before a calibration that never ended; that is put back then.
        """
        for key in dict.fromkeys([*((name, it) for name in names for it in REMEMBERED), *earlier]):
            now = certain(self._bus, *key)
            self._before[key] = earlier.get(key, now)
            if now != self._before[key]:
                self._written[key] = now

    def reset(self, names: Iterable[str]) -> None:
        """Make readings plain: no offset, no limits, position mode, one turn."""
        for name in names:
            self._set(name, 'homing_offset', 0)
            self._set(name, 'min_position_limit', 0)
            self._set(name, 'max_position_limit', TICKS_PER_TURN - 1)
            self._set(name, 'phase', self._before[name, 'phase'] & ~_MULTI_TURN)
            self._set(name, 'operating_mode', 0)

    def home(self, name: str, offset: int) -> None:
        """Write a homing offset."""
        self._set(name, 'homing_offset', offset)

    def write(self, joints: Iterable[JointCalibration]) -> None:
        """
        Write offsets and limits, and once more what a servo that lost its supply forgot.

        TransactionError names what a servo does not keep.
        """
        calibration = {joint.name: joint for joint in joints}
        for _ in range(_TRIES):
            for joint in calibration.values():
                for register, value in wanted(joint).items():
                    self._set(joint.name, register, value)
            forgotten = differences(self._bus, calibration)
            if not forgotten:
                return
            for it in forgotten:
                self._written[it.joint, it.register] = it.servo
        raise TransactionError('; '.join(
            f'{it.joint}: does not keep {it.register} {it.file}, reads {it.servo}; check its '
            'supply, else the servo is worn out' for it in forgotten))

    def put_back(self) -> list[str]:
        """
        Put everything back as it was remembered, with patience for motors that restart.

        Returns a line for each register of which it is not known that it is as before.
        """
        give_up = time.monotonic() + PUT_BACK_S
        pending, again = list(self._written), True
        while pending and self._bus.is_open:
            pending = [key for key in pending if not self._restored(key)]
            if not pending and again:
                # A servo that restarts meanwhile may forget what was written before.
                pending, again = list(self._written), False
            elif pending and time.monotonic() >= give_up:
                break
            elif pending:
                time.sleep(_RETRY_S)
        return [f'{name}: {register} was {self._before[name, register]}, may now be '
                f'{self._written[name, register]}' for name, register in pending]

    def _restored(self, key: tuple[str, str]) -> bool:
        try:
            self._bus.write(*key, self._before[key])
        except BusError:
            return False
        return True

    def _set(self, name: str, register: str, value: int) -> None:
        key = name, register
        if self._written.get(key, self._before.get(key)) == value:
            return
        # Noted first, for a write whose confirmation is lost may have been done.
        self._written[key] = value
        persistent(lambda: self._bus.write(name, register, value))


def wanted(joint: JointCalibration) -> dict[str, int]:
    """Return the registers that a joint's calibration stands in."""
    return dict(zip(_CALIBRATED, (joint.homing_offset, joint.range_min, joint.range_max)))


def read_calibration(
    bus: CalibrationBus, like: Mapping[str, JointCalibration],
) -> dict[str, JointCalibration]:
    """Return what the servos hold; drive modes, which they do not hold, are those of `like`."""
    return {
        name: JointCalibration(
            name, motor.id, like[name].drive_mode if name in like else 0,
            *(certain(bus, name, register) for register in _CALIBRATED))
        for name, motor in bus.motors.items()}


def differences(
    bus: CalibrationBus, calibration: Mapping[str, JointCalibration],
) -> list[Difference]:
    """Compare a calibration with the servos."""
    return [
        Difference(joint.name, register, value, found)
        for joint in calibration.values() for register, value in wanted(joint).items()
        if (found := certain(bus, joint.name, register)) != value]


def certain(bus: CalibrationBus, name: str, register: str) -> int:
    """
    Return a register's value when two reads in a row agree.

    On a busy host a reply that comes too late for its own request passes for that of the next
    one, and what was remembered wrongly would be put back.
    """
    value = persistent(lambda: bus.read(name, register))
    for _ in range(_TRIES):
        again = persistent(lambda: bus.read(name, register))
        if again == value:
            return value
        value = again
        time.sleep(_RETRY_S)
    raise TransactionError(
        f'{name}: {register} reads differently each time, {value} at last; check its cable')


def persistent(action: Callable[[], int | bool]) -> int:
    """Do one transaction, twice if it fails: a stall of the host must not end a calibration."""
    try:
        return action()
    except PortLost:
        raise
    except TransactionError:
        time.sleep(_RETRY_S)
        return action()
