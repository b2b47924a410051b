# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Control tables of the simulated Feetech servos, written from the vendor's memory maps."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property

MEMORY_SIZE = 128

# Index of register 'baud_rate'.
BAUD_RATES = (1_000_000, 500_000, 250_000, 128_000, 115_200, 76_800, 57_600, 38_400)


@dataclass(frozen=True)
class Register:
    """Describe one register: address, size in bytes, where it lives, its factory value."""

    name: str
    address: int
    size: int
    default: int = 0
    eeprom: bool = False
    writable: bool = True
    sign_bit: int | None = None


@dataclass(frozen=True)
class ServoModel:
    """Describe one servo type: identity, byte order, abilities, control table, motor data."""

    name: str
    number: int
    resolution: int
    registers: tuple[Register, ...]
    big_endian: bool = False
    has_sync_read: bool = True
    has_broadcast_ping: bool = True
    continuous: bool = True
    max_velocity: float = 3400.0
    acceleration_unit: float = 100.0
    nominal_voltage: float = 7.4
    stall_current_ma: float = 2700.0
    table: Mapping[str, Register] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, 'table', {r.name: r for r in self.registers})

    @property
    def byte_order(self) -> str:
        """Return 'big' or 'little', as int.from_bytes() wants it."""
        return 'big' if self.big_endian else 'little'

    @cached_property
    def image(self) -> bytes:
        """Return the factory memory image."""
        memory = bytearray(MEMORY_SIZE)
        for register in self.registers:
            end = register.address + register.size
            raw = encode(register.default, register.sign_bit)
            memory[register.address:end] = raw.to_bytes(register.size, self.byte_order)
        return bytes(memory)

    @cached_property
    def writable(self) -> frozenset[int]:
        """Return the addresses that a host may change."""
        return self._addresses(lambda register: register.writable)

    @cached_property
    def eeprom(self) -> frozenset[int]:
        """Return the addresses that survive a power cycle."""
        return self._addresses(lambda register: register.eeprom)

    def _addresses(self, wanted: Callable[[Register], bool]) -> frozenset[int]:
        return frozenset(
            register.address + i
            for register in self.registers if wanted(register)
            for i in range(register.size))


def encode(value: int, sign_bit: int | None) -> int:
    """Encode a value as unsigned, or as sign and magnitude with the sign at `sign_bit`."""
    if sign_bit is None:
        return value
    limit = (1 << sign_bit) - 1
    if value < 0:
        return min(-value, limit) | 1 << sign_bit
    return min(value, limit)


def decode(raw: int, sign_bit: int | None) -> int:
    """Decode what encode() made; a negative zero is zero."""
    if sign_bit is None:
        return raw
    magnitude = raw & (1 << sign_bit) - 1
    return -magnitude if raw >> sign_bit & 1 else magnitude


def _eeprom(name: str, address: int, size: int, default: int = 0, **kwargs: object) -> Register:
    return Register(name, address, size, default, eeprom=True, **kwargs)


def _state(name: str, address: int, size: int, **kwargs: object) -> Register:
    return Register(name, address, size, writable=False, **kwargs)


def _identity(number: int, big_endian: int) -> tuple[Register, ...]:
    return (
        _eeprom('firmware_major', 0, 1, 3, writable=False),
        _eeprom('firmware_minor', 1, 1, 10, writable=False),
        _eeprom('byte_order', 2, 1, big_endian, writable=False),
        _eeprom('model_number', 3, 2, number, writable=False),
        _eeprom('id', 5, 1, 1),
        _eeprom('baud_rate', 6, 1, 0),
        _eeprom('return_delay', 7, 1, 250),
        _eeprom('response_level', 8, 1, 1),
    )


def _limits(max_position: int) -> tuple[Register, ...]:
    return (
        _eeprom('min_position_limit', 9, 2, 0),
        _eeprom('max_position_limit', 11, 2, max_position),
        _eeprom('max_temperature', 13, 1, 70),
        _eeprom('max_voltage', 14, 1, 140),
        _eeprom('min_voltage', 15, 1, 40),
        _eeprom('max_torque_limit', 16, 2, 1000),
    )


def _sts(number: int) -> tuple[Register, ...]:
    return (
        *_identity(number, 0),
        *_limits(4095),
        _eeprom('phase', 18, 1, 12),
        _eeprom('unloading_condition', 19, 1, 0x2C),
        _eeprom('led_alarm_condition', 20, 1, 0x2F),
        _eeprom('position_p', 21, 1, 32),
        _eeprom('position_d', 22, 1, 32),
        _eeprom('position_i', 23, 1, 0),
        _eeprom('minimum_startup_force', 24, 2, 16),
        _eeprom('cw_dead_zone', 26, 1, 1),
        _eeprom('ccw_dead_zone', 27, 1, 1),
        _eeprom('protection_current', 28, 2, 500),
        _eeprom('angular_resolution', 30, 1, 1),
        _eeprom('homing_offset', 31, 2, 0, sign_bit=11),
        _eeprom('operating_mode', 33, 1, 0),
        _eeprom('protective_torque', 34, 1, 20),
        _eeprom('protection_time', 35, 1, 200),
        _eeprom('overload_torque', 36, 1, 80),
        _eeprom('velocity_p', 37, 1, 10),
        _eeprom('overcurrent_time', 38, 1, 200),
        _eeprom('velocity_i', 39, 1, 10),
        Register('torque_enable', 40, 1),
        Register('acceleration', 41, 1),
        Register('goal_position', 42, 2, sign_bit=15),
        Register('goal_time', 44, 2, sign_bit=10),
        Register('goal_velocity', 46, 2, sign_bit=15),
        Register('torque_limit', 48, 2, 1000),
        Register('lock', 55, 1, 1),
        _state('present_position', 56, 2, sign_bit=15),
        _state('present_velocity', 58, 2, sign_bit=15),
        _state('present_load', 60, 2, sign_bit=10),
        _state('present_voltage', 62, 1),
        _state('present_temperature', 63, 1),
        _state('reg_write_flag', 64, 1),
        _state('status', 65, 1),
        _state('moving', 66, 1),
        _state('present_current', 69, 2, sign_bit=15),
        _state('target_position', 71, 2, sign_bit=15),
        _eeprom('moving_threshold', 80, 1, 20),
        _eeprom('dts_ms', 81, 1, 1),
        _eeprom('velocity_unit_factor', 82, 1, 0),
        _eeprom('hts_ns', 83, 1, 0),
        _eeprom('maximum_velocity', 84, 1, 68),
        _eeprom('maximum_acceleration', 85, 1, 254),
        _eeprom('acceleration_multiplier', 86, 1, 1),
    )


def _scs(number: int) -> tuple[Register, ...]:
    return (
        *_identity(number, 1),
        *_limits(1023),
        _eeprom('phase', 18, 1, 0),
        _eeprom('unloading_condition', 19, 1, 0x2C),
        _eeprom('led_alarm_condition', 20, 1, 0x2F),
        _eeprom('position_p', 21, 1, 15),
        _eeprom('position_d', 22, 1, 0),
        _eeprom('position_i', 23, 1, 0),
        _eeprom('minimum_startup_force', 24, 2, 20),
        _eeprom('cw_dead_zone', 26, 1, 1),
        _eeprom('ccw_dead_zone', 27, 1, 1),
        _eeprom('protective_torque', 37, 1, 20),
        _eeprom('protection_time', 38, 1, 200),
        Register('torque_enable', 40, 1),
        Register('acceleration', 41, 1),
        Register('goal_position', 42, 2),
        Register('goal_time', 44, 2),
        Register('goal_velocity', 46, 2),
        Register('lock', 48, 1, 1),
        _state('present_position', 56, 2),
        _state('present_velocity', 58, 2),
        _state('present_load', 60, 2, sign_bit=10),
        _state('present_voltage', 62, 1),
        _state('present_temperature', 63, 1),
        _state('reg_write_flag', 64, 1),
        _state('status', 65, 1),
        _state('moving', 66, 1),
        _eeprom('pwm_step', 78, 1, 1),
        _eeprom('moving_threshold', 79, 1, 1),
        _eeprom('dts_ms', 80, 1, 1),
        _eeprom('minimum_velocity', 81, 1, 0),
        _eeprom('maximum_velocity', 82, 1, 30),
        _eeprom('second_acceleration', 83, 1, 0),
    )


STS3215 = ServoModel('sts3215', 777, 4096, _sts(777))
STS3250 = ServoModel('sts3250', 2825, 4096, _sts(2825), nominal_voltage=12.0)
SM8512BL = ServoModel('sm8512bl', 11272, 4096, _sts(11272), nominal_voltage=12.0)
SCS0009 = ServoModel(
    'scs0009', 1284, 1024, _scs(1284), big_endian=True, has_sync_read=False,
    has_broadcast_ping=False, continuous=False, max_velocity=1500.0,
    nominal_voltage=6.0, stall_current_ma=800.0)

MODELS: Mapping[str, ServoModel] = {
    model.name: model for model in (STS3215, STS3250, SM8512BL, SCS0009)}
