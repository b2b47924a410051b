# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Diagnostics judge an arm's loop and guard."""
from __future__ import annotations

from apprentice_control.guard import CommandGuard
from apprentice_control.guard import GuardConfig
from apprentice_control.guard import JointLimit
from apprentice_node.arm.health import arm_health
from apprentice_node.arm.health import guard_health
from apprentice_node.arm.health import loop_health
from apprentice_node.diagnostics import Level
from apprentice_node.loop import Loop


def test_late_loop_warns() -> None:
    """Cycles that start over 2 ms late are told with their distribution."""
    loop = Loop(5_000_000, lambda _now: None, lambda _error: None)
    for _ in range(100):
        loop.lateness.add(100_000)
    assert loop_health(loop).level is Level.OK
    for _ in range(10):
        loop.lateness.add(5_000_000)
    health = loop_health(loop)
    assert health.level is Level.WARN
    assert health.values['lateness p99 [ms]'] == '5.000'


def test_emergency_stop_warns() -> None:
    """An arm without a guard shows its loop alone."""
    loop = Loop(5_000_000, lambda _now: None, lambda _error: None)
    guard = CommandGuard(GuardConfig((JointLimit('pan', -1, 1, 4, 30),), {'default': 0}))
    assert [health.part for health in arm_health(loop, None)] == ['loop']
    assert [health.level for health in arm_health(loop, guard)] == [Level.OK, Level.OK]
    guard.estop('topic /estop', 1)
    health = guard_health(guard.status)
    assert health.level is Level.WARN and health.message == 'emergency stop: topic /estop'
