# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Radians to ticks and back, and the hand on the leader."""
from __future__ import annotations

import json
from math import nan
from math import pi
from pathlib import Path

from apprentice_sim.arm_buses import ArmBus
from apprentice_sim.arm_buses import Hand
from apprentice_sim.arm_buses import HAND_MAX_VELOCITY
from apprentice_sim.arm_buses import HandError
from apprentice_sim.arm_buses import TICKS_PER_RAD
from apprentice_sim.physics import ServoMotion
from apprentice_sim.presets import PresetError
from apprentice_sim.presets import Role
import pytest

NAMES = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
MS = 1_000_000


def leader() -> ArmBus:
    """Return a leader with the built-in calibration."""
    return ArmBus(Role.LEADER, NAMES, None)


def test_zero_is_the_middle_of_the_calibrated_range() -> None:
    """A joint at zero reads the middle of its range, whatever its homing offset."""
    arm = leader()
    arm.place([0.0] * 6, MS)
    pan = arm.bus.by_name['shoulder_pan']
    assert pan.homing_offset == -120
    assert pan.present_position == (797 + 20 + 3299 + 20) / 2
    assert arm.positions() == pytest.approx([0.0] * 6, abs=1e-9)


def test_a_full_turn_is_4095_ticks() -> None:
    """The scale is LeRobot's: 2 pi to 4095 ticks."""
    assert TICKS_PER_RAD * 2 * pi == pytest.approx(4095)


def test_a_changed_offset_register_does_not_turn_the_shaft() -> None:
    """Calibrating a simulated arm anew shifts what it reads, not where it stands."""
    arm = leader()
    arm.place([0.2] * 6, MS)
    servo = arm.bus.by_name['elbow_flex']
    before = servo.present_position
    servo.set('homing_offset', 100)
    assert servo.present_position == before - 100
    assert arm.positions()[2] == pytest.approx(0.2)


def test_goals_are_in_radians_and_absent_without_torque() -> None:
    """A goal register becomes radians once torque is on."""
    arm = ArmBus(Role.FOLLOWER, NAMES, None)
    arm.feel([ServoMotion(0.0, 0.0, 0.0)] * 6, MS)
    assert arm.goals() == [None] * 6
    servo = arm.bus.by_name['shoulder_lift']
    servo.write(40, bytes([1]), 2 * MS)
    servo.write(42, (2048 + 652).to_bytes(2, 'little'), 3 * MS)
    goals = arm.goals()
    assert goals[1] == pytest.approx((652 / TICKS_PER_RAD, 1.0))
    assert goals[:1] + goals[2:] == [None] * 5


def test_servos_measure_what_physics_says() -> None:
    """Position, velocity and load show in the state registers in servo units."""
    arm = ArmBus(Role.FOLLOWER, NAMES, None)
    arm.feel([ServoMotion(0.5, -0.4, 0.3)] * 6, MS)
    servo = arm.bus.by_name['elbow_flex']
    data = servo.read(56, 6, 2 * MS)
    assert int.from_bytes(data[0:2], 'little') == round(2048 + 0.5 * TICKS_PER_RAD)
    assert int.from_bytes(data[2:4], 'little') == int(0.4 * TICKS_PER_RAD) | 0x8000
    assert int.from_bytes(data[4:6], 'little') in (299, 300)


def test_the_hand_moves_steadily_to_where_it_is_told() -> None:
    """Between two tellings the joint passes through the places between."""
    arm = leader()
    arm.place([0.0] * 6, MS)
    hand = Hand(arm, NAMES)
    hand.move_to({'elbow_flex': 0.02}, 10 * MS)
    hand.move(15 * MS)
    halfway = arm.positions()[2]
    hand.move(30 * MS)
    assert 0.005 < halfway < 0.015
    assert arm.positions() == pytest.approx([0.0, 0.0, 0.02, 0.0, 0.0, 0.0], abs=1e-6)


def test_the_hand_does_not_teleport() -> None:
    """A far position is reached at a hand's speed."""
    arm = leader()
    arm.place([0.0] * 6, MS)
    hand = Hand(arm, NAMES)
    hand.move_to({'shoulder_pan': 1.6}, 0)
    hand.move(50 * MS)
    assert abs(arm.positions()[0] - 0.05 * HAND_MAX_VELOCITY) < 0.01
    hand.move(int(1.7 / HAND_MAX_VELOCITY * 1e9))
    assert arm.positions()[0] == pytest.approx(1.6)


def test_torque_holds_against_the_hand() -> None:
    """A joint with torque on stays; the others move."""
    arm = leader()
    arm.place([0.0] * 6, MS)
    arm.bus.by_name['gripper'].write(40, bytes([1]), 2 * MS)
    arm.place([0.3] * 6, 3 * MS)
    assert arm.positions() == pytest.approx([0.3] * 5 + [0.0], abs=1e-6)


@pytest.mark.parametrize('positions', [{'knee': 0.0}, {'gripper': nan}, {'gripper': 10.0}])
def test_an_impossible_hand_moves_nothing(positions: dict[str, float]) -> None:
    """An unknown joint or a senseless number is refused whole."""
    arm = leader()
    arm.place([0.0] * 6, MS)
    hand = Hand(arm, NAMES)
    with pytest.raises(HandError):
        hand.move_to({'shoulder_pan': 0.5, **positions}, 2 * MS)
    hand.move(1000 * MS)
    assert arm.positions() == pytest.approx([0.0] * 6, abs=1e-9)


def test_calibration_of_another_robot_is_refused(tmp_path: Path) -> None:
    """A file with other joints is named, with what was expected and found."""
    path = tmp_path / 'other.json'
    entry = {'id': 1, 'drive_mode': 0, 'homing_offset': 0, 'range_min': 0, 'range_max': 4095}
    path.write_text(json.dumps({'hip': entry}))
    with pytest.raises(PresetError, match='other.json.*expected the joints.*found hip'):
        ArmBus(Role.LEADER, NAMES, path)
