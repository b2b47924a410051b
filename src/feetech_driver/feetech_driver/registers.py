# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Control tables and models of Feetech servos, from the vendor's memory tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Mapping

from feetech_driver import codec


class Access(Enum):
    """Where a register lives and who may write it."""

    READ_ONLY = 'read only'
    EEPROM = 'eeprom'
    RAM = 'ram'
    IDENTITY = 'identity'


class Protocol(Enum):
    """Dialect of a bus: the byte order of its registers and whether sync read exists."""

    STS = 'little'
    SCS = 'big'

    @property
    def order(self) -> str:
        """Byte order, as int.from_bytes takes it."""
        return self.value

    @property
    def sync_read(self) -> bool:
        """Whether servos of this dialect answer sync reads and broadcast pings."""
        return self is Protocol.STS


@dataclass(frozen=True)
class Register:
    """One integer register; sign_bit set means sign and magnitude."""

    name: str
    address: int
    size: int
    access: Access
    sign_bit: int | None = None
    maximum: int | None = None

    def encode(self, value: int, protocol: Protocol) -> bytes:
        """Return the bytes of a value; ValueError names the register and its limit."""
        try:
            if self.maximum is not None and abs(value) > self.maximum:
                raise ValueError(f'{value} does not fit: at most {self.maximum} in magnitude')
            return codec.encode(value, self.size, self.sign_bit, protocol.order)
        except ValueError as error:
            raise ValueError(f'register {self.name} at {self.address}: {error}') from None

    def decode(self, data: bytes, protocol: Protocol) -> int:
        """Return the value of size bytes as read."""
        return codec.decode(data, self.sign_bit, protocol.order)


def _table(*registers: Register) -> Mapping[str, Register]:
    return MappingProxyType({register.name: register for register in registers})


_READ, _EEPROM, _RAM, _WHO = Access.READ_ONLY, Access.EEPROM, Access.RAM, Access.IDENTITY

_COMMON = (
    Register('firmware_major', 0, 1, _READ),
    Register('firmware_minor', 1, 1, _READ),
    Register('model_number', 3, 2, _READ),
    Register('id', 5, 1, _WHO, maximum=253),
    Register('baud_rate', 6, 1, _WHO, maximum=7),
    Register('return_delay', 7, 1, _EEPROM, maximum=254),
    Register('response_level', 8, 1, _EEPROM, maximum=1),
    Register('min_position_limit', 9, 2, _EEPROM),
    Register('max_position_limit', 11, 2, _EEPROM),
    Register('max_temperature', 13, 1, _EEPROM, maximum=100),
    Register('max_voltage', 14, 1, _EEPROM),
    Register('min_voltage', 15, 1, _EEPROM),
    Register('max_torque', 16, 2, _EEPROM, maximum=1000),
    Register('phase', 18, 1, _EEPROM),
    Register('unloading_condition', 19, 1, _EEPROM),
    Register('alarm_led', 20, 1, _EEPROM),
    Register('position_p', 21, 1, _EEPROM, maximum=254),
    Register('position_d', 22, 1, _EEPROM, maximum=254),
    Register('position_i', 23, 1, _EEPROM, maximum=254),
    Register('startup_force', 24, 2, _EEPROM, maximum=1000),
    Register('cw_dead_zone', 26, 1, _EEPROM, maximum=32),
    Register('ccw_dead_zone', 27, 1, _EEPROM, maximum=32),
)

STS_REGISTERS = _table(
    *_COMMON,
    Register('protection_current', 28, 2, _EEPROM, maximum=511),
    Register('angular_resolution', 30, 1, _EEPROM, maximum=100),
    Register('homing_offset', 31, 2, _EEPROM, sign_bit=11),
    Register('operating_mode', 33, 1, _EEPROM, maximum=3),
    Register('protective_torque', 34, 1, _EEPROM, maximum=100),
    Register('protection_time', 35, 1, _EEPROM, maximum=254),
    Register('overload_torque', 36, 1, _EEPROM, maximum=100),
    Register('velocity_p', 37, 1, _EEPROM, maximum=254),
    Register('overcurrent_time', 38, 1, _EEPROM, maximum=254),
    Register('velocity_i', 39, 1, _EEPROM, maximum=254),
    Register('torque_enable', 40, 1, _RAM, maximum=1),
    Register('acceleration', 41, 1, _RAM, maximum=254),
    Register('goal_position', 42, 2, _RAM, sign_bit=15),
    Register('goal_time', 44, 2, _RAM, sign_bit=10, maximum=1000),
    Register('goal_velocity', 46, 2, _RAM, sign_bit=15),
    Register('torque_limit', 48, 2, _RAM, maximum=1000),
    Register('lock', 55, 1, _RAM, maximum=1),
    Register('present_position', 56, 2, _READ, sign_bit=15),
    Register('present_velocity', 58, 2, _READ, sign_bit=15),
    Register('present_load', 60, 2, _READ, sign_bit=10),
    Register('present_voltage', 62, 1, _READ),
    Register('present_temperature', 63, 1, _READ),
    Register('buffered_write', 64, 1, _READ),
    Register('status', 65, 1, _READ),
    Register('moving', 66, 1, _READ),
    Register('present_current', 69, 2, _READ, sign_bit=15),
    Register('moving_threshold', 80, 1, _EEPROM),
    Register('max_velocity', 84, 1, _EEPROM),
    Register('max_acceleration', 85, 1, _EEPROM, maximum=254),
    Register('acceleration_multiplier', 86, 1, _EEPROM),
)

SCS_REGISTERS = _table(
    *_COMMON,
    Register('protective_torque', 37, 1, _EEPROM, maximum=100),
    Register('protection_time', 38, 1, _EEPROM, maximum=254),
    Register('torque_enable', 40, 1, _RAM, maximum=1),
    Register('acceleration', 41, 1, _RAM, maximum=254),
    Register('goal_position', 42, 2, _RAM),
    Register('goal_time', 44, 2, _RAM),
    Register('goal_velocity', 46, 2, _RAM),
    Register('lock', 48, 1, _RAM, maximum=1),
    Register('present_position', 56, 2, _READ),
    Register('present_velocity', 58, 2, _READ),
    Register('present_load', 60, 2, _READ, sign_bit=10),
    Register('present_voltage', 62, 1, _READ),
    Register('present_temperature', 63, 1, _READ),
    Register('buffered_write', 64, 1, _READ),
    Register('status', 65, 1, _READ),
    Register('moving', 66, 1, _READ),
)

REGISTERS: Mapping[Protocol, Mapping[str, Register]] = MappingProxyType(
    {Protocol.STS: STS_REGISTERS, Protocol.SCS: SCS_REGISTERS})


@dataclass(frozen=True)
class Model:
    """A servo model: what it answers as model number, and how it speaks."""

    name: str
    number: int
    resolution: int
    protocol: Protocol


MODELS: Mapping[str, Model] = MappingProxyType({
    model.name: model for model in (
        Model('sts3215', 777, 4096, Protocol.STS),
        Model('sts3250', 2825, 4096, Protocol.STS),
        Model('sm8512bl', 11272, 4096, Protocol.STS),
        Model('scs0009', 1284, 1024, Protocol.SCS),
    )})


def model_name(number: int) -> str:
    """Name a model number for the user."""
    for model in MODELS.values():
        if model.number == number:
            return model.name
    return f'unknown model {number}'


ALARMS: Mapping[int, str] = MappingProxyType({
    0x01: 'voltage out of limits',
    0x02: 'angle sensor fault',
    0x04: 'overheated',
    0x08: 'over-current',
    0x20: 'overload',
})


def alarm_names(error: int) -> tuple[str, ...]:
    """Name the alarm bits set in a status byte."""
    return tuple(text for mask, text in ALARMS.items() if error & mask)
