# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Values of a bus: the motors expected on it, what they answered, and their state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping
from typing import NamedTuple

from feetech_driver.registers import Model
from feetech_driver.registers import MODELS
from feetech_driver.registers import Protocol


@dataclass(frozen=True)
class Motor:
    """A motor expected on the bus: its id and the name of its model."""

    id: int
    model: str = 'sts3215'


class MotorState(NamedTuple):
    """
    One reading of a motor.

    position_raw in ticks, velocity_raw in ticks a second, load_raw in 0.1 % of full duty, all
    signed; voltage in volts, temperature in degrees Celsius, error the alarm bits of the status
    byte, stamp_ns the monotonic time in the middle of the exchange.
    """

    position_raw: int
    velocity_raw: int
    load_raw: int
    voltage: float
    temperature: int
    error: int
    stamp_ns: int


@dataclass(frozen=True)
class MotorInfo:
    """What a motor said about itself at the handshake."""

    id: int
    model: str
    firmware: tuple[int, int]
    voltage: float | None


@dataclass(frozen=True)
class BusInfo:
    """Result of a handshake: the motors by name, and what the user should know."""

    motors: Mapping[str, MotorInfo]
    warnings: tuple[str, ...]


def check_motors(motors: Mapping[str, Motor]) -> Protocol:
    """Return the protocol that all motors share; ValueError says what does not fit."""
    if not motors:
        raise ValueError('a bus needs at least one motor')
    by_id: dict[int, str] = {}
    for name, motor in motors.items():
        if motor.model not in MODELS:
            raise ValueError(
                f'motor {name}: unknown model {motor.model!r}; known are {", ".join(MODELS)}')
        if not 0 <= motor.id <= 253:
            raise ValueError(f'motor {name}: id {motor.id} is outside 0..253')
        if motor.id in by_id:
            raise ValueError(f'motors {by_id[motor.id]} and {name} have the same id {motor.id}')
        by_id[motor.id] = name
    models: tuple[Model, ...] = tuple(MODELS[motor.model] for motor in motors.values())
    protocols = {model.protocol for model in models}
    if len(protocols) > 1:
        raise ValueError('STS/SMS and SCS motors cannot share a bus: their byte orders differ')
    return models[0].protocol
