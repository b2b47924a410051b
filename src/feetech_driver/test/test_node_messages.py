# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Messages carry radians and ROS time."""
from __future__ import annotations

from apprentice_control.calibration import JointCalibration
from feetech_driver.messages import CommandMessage
from feetech_driver.messages import StateMessage
from feetech_driver.motors import MotorState
import pytest

TICK = 2 * 3.141592653589793 / 4095
JOINTS = (JointCalibration('pan', 1, 0, 0, 1000, 3000), JointCalibration('grip', 2, 0, 0, 0, 4095))


def state(position: int, velocity: int = 0, load: int = 0) -> MotorState:
    """Return a reading."""
    return MotorState(position, velocity, load, 7.4, 30, 0, 0)


def test_states_are_radians_about_the_middle_of_the_range() -> None:
    """Half ticks of the middle are kept; load is a fraction."""
    message = StateMessage(JOINTS).fill(
        12_000_000_034, {'pan': state(2100, -50, 250), 'grip': state(0)})
    assert message.name == ['pan', 'grip']
    assert message.position.tolist() == pytest.approx([100 * TICK, -2047.5 * TICK])
    assert message.velocity.tolist() == pytest.approx([-50 * TICK, 0.0])
    assert message.effort.tolist() == pytest.approx([0.25, 0.0])
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (12, 34)


def test_joint_that_did_not_answer_is_left_out() -> None:
    """Nothing stale is presented as fresh."""
    message = StateMessage(JOINTS).fill(0, {'grip': state(4095)})
    assert message.name == ['grip']
    assert message.position.tolist() == pytest.approx([2047.5 * TICK])


def test_goals_come_back_in_radians() -> None:
    """What was rounded to ticks is published as rounded."""
    message = CommandMessage(JOINTS).fill(5, (2001, 2048), (0.5, 0.0))
    assert message.position.tolist() == pytest.approx([TICK, 0.5 * TICK])
    assert message.velocity.tolist() == [0.5, 0.0]
    assert not message.effort
