# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A range is judged by what the arm is known to do, and every refusal says what was expected."""
from __future__ import annotations

from apprentice_control.homing import RangeRecorder
from apprentice_control.joint_travel import Fault
from apprentice_control.joint_travel import judge_range
from apprentice_control.joint_travel import judge_side
from apprentice_control.joint_travel import side_of
from apprentice_control.joint_travel import TRAVELS
import pytest

PAN = TRAVELS['so100', 'follower']['shoulder_pan']
ROLL = TRAVELS['so100', 'follower']['wrist_roll']


def record(span: int, start: int = 2047) -> RangeRecorder:
    made = RangeRecorder(start)
    for position in range(start, start + span, 100):
        made.add(position % 4096)
    made.add((start + span) % 4096)
    return made


@pytest.mark.parametrize('span, fault', [
    (0, Fault.UNMOVED), (45, Fault.UNMOVED), (46, Fault.SHORT), (1820, Fault.SHORT),
    (1830, None), (2600, None), (3380, None), (3400, Fault.LONG), (3891, Fault.LONG),
    (3892, Fault.TURNED), (9000, Fault.TURNED)])
def test_a_range_is_judged(span: int, fault: Fault | None) -> None:
    """Travel is 229 degrees, 2606 ticks; 70 to 130 % of it is believed."""
    finding = judge_range('shoulder_pan', PAN, record(span))
    assert (finding and finding.fault) == fault
    assert finding is None or 'expected about 229 (160 to 298)' in finding.text


def test_a_leap_is_no_movement() -> None:
    """Half a turn between two readings has no direction."""
    made = record(2600)
    made.add((made.position + 1900) % 4096)
    finding = judge_range('shoulder_pan', PAN, made)
    assert finding.fault is Fault.LEAPT and 'leapt by 167 degrees' in finding.text


def test_a_joint_that_turns_freely_has_no_range() -> None:
    """wrist_roll may be moved or left alone."""
    assert judge_range('wrist_roll', ROLL, record(0)) is None
    assert judge_range('wrist_roll', ROLL, record(6000)) is None


@pytest.mark.parametrize('position, side, mirrored', [
    (2050, -1, False), (2800, -1, False), (3200, 0, False), (3500, 0, False),
    (3650, 1, True), (4600, 1, True)])
def test_the_side_tells_the_direction(position: int, side: int, mirrored: bool) -> None:
    """Turned left, an arm's pan reads low; near the middle nothing can be told."""
    made = record(2600)
    for between in range(made.position, position, -100):
        made.follow(between % 4096)
    made.follow(position % 4096)
    assert side_of(PAN, made) == side
    finding = judge_side('shoulder_pan', PAN, made)
    assert (finding is not None) == mirrored
    if finding is not None:
        assert finding.fault is Fault.MIRRORED
        assert f'it reads {position}, in the upper half of 2047 to 4647' in finding.text


def test_every_joint_of_every_arm_is_known() -> None:
    """The four arms have the same six joints, one of which turns freely."""
    for travels in TRAVELS.values():
        assert [*travels] == ['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex',
                              'wrist_roll', 'gripper']
        assert [name for name, travel in travels.items() if travel.full_turn] == ['wrist_roll']
        for travel in travels.values():
            assert travel.shortest <= travel.degrees <= travel.longest
