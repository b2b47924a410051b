# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""While motors do not answer the guard brakes, holds and refuses; a rebase resumes."""

from __future__ import annotations

from apprentice_control.guard import GuardState
from apprentice_control.reasons import Reason
from guarded_arm import Arm


def moving() -> Arm:
    """Return an arm that follows a stream."""
    arm = Arm()
    arm.stream([0.3, 0.0, 0.0], 300)
    assert arm.guard.step(arm.now_ns).velocity[0] != 0.0
    return arm


def test_suspended_arm_brakes_and_holds() -> None:
    """Every step stays within the caps, and the reason is told."""
    arm = moving()
    arm.guard.suspend('pan silent', arm.now_ns)
    assert arm.guard.status.reason == 'unreachable'
    assert arm.guard.status.detail == 'pan silent'
    goal = arm.run(300)
    assert goal.velocity == (0.0, 0.0, 0.0)
    assert arm.state is GuardState.HOLDING


def test_suspended_arm_refuses_commands_and_acquisition() -> None:
    """Nobody moves what cannot be measured."""
    arm = moving()
    arm.guard.suspend('pan silent', arm.now_ns)
    assert arm.send([0.3, 0.0, 0.0]).reason is Reason.SUSPENDED
    granted, why = arm.guard.acquire('teleop', arm.now_ns)
    assert not granted and 'pan silent' in why


def test_rebase_resumes_from_the_measured_pose() -> None:
    """The next command starts with the ramp."""
    arm = moving()
    arm.guard.suspend('pan silent', arm.now_ns)
    arm.run(300)
    arm.guard.rebase(arm.now_ns, [0.1, 0.0, 0.0])
    arm.judge.begin(arm.now_ns, [0.1, 0.0, 0.0])
    assert arm.send([0.3, 0.0, 0.0]) is None
    arm.step()
    assert arm.state is GuardState.RAMPING


def test_suspension_counts_once_and_only_while_active() -> None:
    """The driver may say it every cycle."""
    arm = moving()
    for _ in range(3):
        arm.guard.suspend('pan silent', arm.now_ns)
    assert arm.count('unreachable') == 1
    arm.guard.deactivate(arm.now_ns)
    arm.run(300)
    arm.guard.suspend('pan silent', arm.now_ns)
    assert arm.count('unreachable') == 1
