# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Overload, heat, current and voltage protection of a simulated servo."""
from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apprentice_sim.servo import Servo

CURRENT_UNIT_MA = 6.5
_HEAT_RISE_C = 70.0
_RELEASED_ERROR_TICKS = 20.0
# The SCS table has no overload threshold; the STS factory value stands in.
_DEFAULT_OVERLOAD = 0.8


class Alarm(IntFlag):
    """Bits of the status error byte and of the status register."""

    VOLTAGE = 0x01
    ANGLE = 0x02
    HEAT = 0x04
    CURRENT = 0x08
    OVERLOAD = 0x20


_HEAT = int(Alarm.HEAT)
_VOLTAGE = int(Alarm.VOLTAGE)
_CURRENT = int(Alarm.CURRENT)
_OVERLOAD = int(Alarm.OVERLOAD)


class Protection:
    """Keep one servo's protection timers and decide its alarm bits."""

    def __init__(self, servo: Servo) -> None:
        self._servo = servo
        self._overload_s = 0.0
        self._overcurrent_s = 0.0
        self._direction = 0.0
        self._latched = 0
        self.load()

    def load(self) -> None:
        """Take the thresholds from the register file."""
        get = self._servo.get
        has = self._servo.model.table
        self._max_temperature = get('max_temperature')
        self._min_voltage = get('min_voltage') / 10.0
        self._max_voltage = get('max_voltage') / 10.0
        self.unloading = get('unloading_condition')
        self.protective_torque = get('protective_torque') / 100.0
        self._protection_time_s = get('protection_time') / 100.0
        self._overload = get('overload_torque') / 100.0 if 'overload_torque' in has \
            else _DEFAULT_OVERLOAD
        self._current_ma = get('protection_current') * CURRENT_UNIT_MA \
            if 'protection_current' in has else float('inf')
        self._overcurrent_time_s = get('overcurrent_time') / 100.0 \
            if 'overcurrent_time' in has else 0.0

    def update(self, dt_s: float) -> int:
        """Advance heat and timers by `dt_s` and return the alarm bits."""
        servo = self._servo
        load = abs(servo.load)
        warm = servo.ambient_c + _HEAT_RISE_C * load * load
        servo.temperature_c += (warm - servo.temperature_c) * min(
            1.0, dt_s / servo.thermal_time_s)
        bits = self._latched
        if load >= self._overload and servo.torque_on:
            self._overload_s += dt_s
            if self._overload_s >= self._protection_time_s:
                bits |= _OVERLOAD
                self._direction = 1.0 if servo.load > 0.0 else -1.0
        else:
            self._overload_s = 0.0
        if load * servo.model.stall_current_ma >= self._current_ma:
            self._overcurrent_s += dt_s
            if self._overcurrent_s >= self._overcurrent_time_s:
                bits |= _CURRENT
        else:
            self._overcurrent_s = 0.0
        self._latched = bits
        if servo.temperature_c > self._max_temperature:
            bits |= _HEAT
        if not self._min_voltage <= servo.voltage_v <= self._max_voltage:
            bits |= _VOLTAGE
        return bits

    def goal_moved(self, error_ticks: float) -> None:
        """Clear the overload latch when the new goal leads away from the obstacle."""
        if self._latched and (
                error_ticks * self._direction <= 0.0
                or abs(error_ticks) < _RELEASED_ERROR_TICKS):
            self.clear()

    def clear(self) -> None:
        """Forget the latched alarms, as cycling the torque does."""
        self._latched = 0
        self._overload_s = 0.0
        self._overcurrent_s = 0.0
