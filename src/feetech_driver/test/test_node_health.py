# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Diagnostics judge motors and bus by their thresholds."""
from __future__ import annotations

from apprentice_node.diagnostics import Level
from feetech_driver.counters import BusCounters
from feetech_driver.counters import MotorCounters
from feetech_driver.health import bus_health
from feetech_driver.health import ErrorRate
from feetech_driver.health import motor_health
from feetech_driver.motors import MotorState
from feetech_driver.parameters import Thresholds
import pytest

THRESHOLDS = Thresholds(60.0, 68.0, 4.5, 13.0)


def judge(age_ns: int = 0, **changes: object) -> tuple[Level, str]:
    """Return level and message for a healthy motor with some changes."""
    state = MotorState(2048, 0, 0, 7.4, 30, 0, 10**9)._replace(**changes)
    health = motor_health('pan', state, MotorCounters(), THRESHOLDS, 10**9 + age_ns)
    return health.level, health.message


@pytest.mark.parametrize(('changes', 'level', 'word'), [
    ({}, Level.OK, 'ok'),
    ({'temperature': 61}, Level.WARN, '61 C'),
    ({'temperature': 69}, Level.ERROR, 'cool down'),
    ({'voltage': 4.0}, Level.WARN, 'too weak'),
    ({'voltage': 14.0}, Level.WARN, 'too strong'),
    ({'error': 0x01}, Level.WARN, 'voltage out of limits'),
    ({'error': 0x24}, Level.ERROR, 'overheated, overload'),
    ({'age_ns': 600_000_000}, Level.ERROR, 'silent for 0.6 s'),
])
def test_motor_is_judged(changes: dict[str, object], level: Level, word: str) -> None:
    """The worst finding counts."""
    found, message = judge(**changes)
    assert found is level
    assert word in message


def test_motor_that_never_answered_is_an_error() -> None:
    """No reading is not a good reading."""
    health = motor_health('pan', None, MotorCounters(), THRESHOLDS, 0)
    assert health.level is Level.ERROR


def test_error_rate_is_that_of_the_last_second() -> None:
    """A bad start does not hide behind a million good replies, nor the other way round."""
    rate, counters = ErrorRate(), BusCounters()
    counters.replies, counters.missing_replies = 90, 10
    assert rate.read(counters) == pytest.approx(0.1)
    counters.replies += 100
    assert rate.read(counters) == 0.0
    assert rate.read(counters) == 0.0


def test_bus_is_judged_by_trouble_first() -> None:
    """A lost port outweighs a good error rate; a bad one warns."""
    counters = BusCounters()
    assert bus_health('p', True, counters, 0.0, 'unplugged').level is Level.ERROR
    assert bus_health('p', True, counters, 0.02, '').level is Level.WARN
    assert bus_health('p', True, counters, 0.001, '').level is Level.OK
