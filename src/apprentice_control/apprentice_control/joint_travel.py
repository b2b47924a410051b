# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""How far the joints of known arms turn, in what poses they are calibrated, and what is wrong."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from apprentice_control.homing import MIDDLE
from apprentice_control.homing import RangeRecorder
from apprentice_control.joint_calibration import SEAM_FRACTION
from apprentice_control.units import TICKS_PER_TURN

MIDDLE_POSE = (
    'the arm straight ahead, upper arm nearly upright, forearm and gripper level, the moving jaw '
    'on top and half open')
"""The pose of zero radians, which is the middle of every joint's range."""

# A hand that holds a joint trembles by less.
_UNMOVED_TICKS = 46
# Between two readings of a steady recording a hand moves a joint by a tenth of this.
_LEAP_TICKS = 1500
# Nearer to the middle than this share of the range, a joint is on neither side.
_SIDE_SHARE = 0.1
_SHORTEST, _LONGEST = 0.7, 1.3


@dataclass(frozen=True)
class Travel:
    """
    What is known of a joint: its travel in degrees, and one side of it.

    `side` is +1 where the positions of an arm that is built right are above the middle when the
    joint is where `side_words` say; `full_turn` joints are not recorded, as in LeRobot.
    """

    degrees: float
    shortest: float
    longest: float
    side: int
    side_words: str
    full_turn: bool = False


def _travels(pan: float, lift: float, elbow: float, wrist: float, gripper: Travel) -> Mapping[
        str, Travel]:
    def joint(degrees: float, side: int, words: str) -> Travel:
        return Travel(degrees, degrees * _SHORTEST, degrees * _LONGEST, side, words)

    return MappingProxyType({
        'shoulder_pan': joint(pan, -1, 'arm turned to its left'),
        'shoulder_lift': joint(lift, -1, 'upper arm laid back'),
        'elbow_flex': joint(elbow, 1, 'forearm folded down to the upper arm'),
        'wrist_flex': joint(wrist, 1, 'gripper bent down'),
        'wrist_roll': Travel(
            360.0, 0.0, 360.0, 1, 'gripper a quarter turn from the middle pose, '
            'counter-clockwise seen from behind it',
            full_turn=True),
        'gripper': gripper,
    })


def _follower_gripper(degrees: float) -> Travel:
    return Travel(degrees, degrees * _SHORTEST, degrees * _LONGEST, -1, 'jaw closed')


# Triggers of leaders differ from one print to the next.
_TRIGGER = Travel(60.0, 25.0, 140.0, -1, 'trigger pressed')

# Travels of the public SO-100 and SO-101 models.
TRAVELS: Mapping[tuple[str, str], Mapping[str, Travel]] = MappingProxyType({
    ('so100', 'follower'): _travels(229.0, 201.0, 180.0, 212.0, _follower_gripper(126.0)),
    ('so100', 'leader'): _travels(229.0, 201.0, 180.0, 212.0, _TRIGGER),
    ('so101', 'follower'): _travels(220.0, 200.0, 194.0, 190.0, _follower_gripper(110.0)),
    ('so101', 'leader'): _travels(220.0, 200.0, 194.0, 190.0, _TRIGGER),
})
"""Joints by arm and role, in bus order."""


class Fault(Enum):
    """Why a recorded range is refused."""

    UNMOVED = 'not moved'
    SHORT = 'short'
    LONG = 'long'
    TURNED = 'whole turn'
    LEAPT = 'leapt'
    MIRRORED = 'mirrored'


@dataclass(frozen=True)
class Finding:
    """What is wrong with a joint: seen and expected, in words."""

    fault: Fault
    text: str


def degrees(ticks: float) -> float:
    """Convert a distance in ticks to degrees of the shaft."""
    return ticks * 360.0 / TICKS_PER_TURN


def judge_range(joint: str, travel: Travel, record: RangeRecorder) -> Finding | None:
    """Return what is wrong with a recorded range, None where nothing is."""
    seen = degrees(record.span)
    expected = (f'expected about {travel.degrees:.0f} ({travel.shortest:.0f} to '
                f'{travel.longest:.0f})')
    if record.leap > _LEAP_TICKS:
        return Finding(Fault.LEAPT, (
            f'{joint}: its position leapt by {degrees(record.leap):.0f} degrees between two '
            'readings, so its direction is not known; move it slowly, check its cable'))
    if travel.full_turn:
        return None
    if record.span < _UNMOVED_TICKS:
        return Finding(Fault.UNMOVED, (
            f'{joint}: was not moved: it stayed within {seen:.1f} degrees, {expected}; move it '
            'from one end to the other'))
    if record.span > SEAM_FRACTION * TICKS_PER_TURN:
        return Finding(Fault.TURNED, (
            f'{joint}: turned through {seen:.0f} degrees, {expected}; does its horn slip, or is '
            'a stop missing?'))
    if seen < travel.shortest:
        return Finding(Fault.SHORT, (
            f'{joint}: was moved through {seen:.0f} degrees, {expected}; move it until it stops '
            'at both ends'))
    if seen > travel.longest:
        return Finding(Fault.LONG, (
            f'{joint}: was moved through {seen:.0f} degrees, {expected}; is this the arm that '
            'was named, does its horn slip?'))
    return None


def side_of(travel: Travel, record: RangeRecorder) -> int:
    """Return the side of its range on which a joint stands: -1, 1, or 0 near the middle."""
    if travel.full_turn:
        middle, span = float(MIDDLE), TICKS_PER_TURN
    else:
        middle, span = (record.minimum + record.maximum) / 2, record.span
    away = record.position - middle
    return 0 if abs(away) < _SIDE_SHARE * span else (1 if away > 0 else -1)


def judge_side(joint: str, travel: Travel, record: RangeRecorder) -> Finding | None:
    """
    Return a finding where a joint runs against the arm's direction, in the pose of the sides.

    A joint near its middle tells nothing; ask `side_of` before.
    """
    if side_of(travel, record) != -travel.side:
        return None
    found, right = ('upper', 'lower') if travel.side < 0 else ('lower', 'upper')
    return Finding(Fault.MIRRORED, (
        f'{joint}: runs the wrong way: with the {travel.side_words} it reads {record.position}, '
        f'in the {found} half of {record.minimum} to {record.maximum}, expected the {right} '
        'half; its servo or horn is mounted mirrored'))
