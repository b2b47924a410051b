# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Joint positions of a leader arm turned into positions of a follower arm."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
import math


class MappingError(ValueError):
    """The mapping, the ranges or the leader's joints do not fit together."""


class Mode(Enum):
    """How a joint follows."""

    DIRECT = 'direct'  # the same angle
    RANGE = 'range'    # the same percentage of the calibrated ranges, as LeRobot does grippers


@dataclass(frozen=True)
class JointRule:
    """
    How one follower joint follows one leader joint.

    `sign` -1 mirrors: the angle about zero, or the percentage about the middle. `offset_rad` is
    added last.
    """

    joint: str
    leader_joint: str
    sign: float = 1.0
    offset_rad: float = 0.0
    mode: Mode = Mode.DIRECT

    def __post_init__(self) -> None:
        """Refuse a sign that would scale."""
        if self.sign not in (1.0, -1.0):
            raise MappingError(f'{self.joint}: sign is {self.sign}, expected 1.0 or -1.0')


@dataclass(frozen=True)
class JointRange:
    """Calibrated range of a joint, rad."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        """Refuse an empty or unordered range."""
        if not (math.isfinite(self.lower) and math.isfinite(self.upper)
                and self.lower < self.upper):
            raise MappingError(
                f'range {self.lower} .. {self.upper} rad: expected lower < upper, both finite')


def make_rules(
    joints: Sequence[str],
    leader_joints: Sequence[str],
    signs: Sequence[float],
    offsets: Sequence[float],
    modes: Sequence[str],
) -> tuple[JointRule, ...]:
    """
    Build the rules from parallel lists, one entry a follower joint.

    Raises MappingError naming the list that is too short or too long, or a repeated joint.
    """
    lists = {
        'leader_joints': leader_joints, 'signs': signs, 'offsets': offsets, 'modes': modes}
    for name, values in lists.items():
        if len(values) != len(joints):
            raise MappingError(
                f'{name} has {len(values)} entries, expected {len(joints)}, one for each of '
                f'joints: {", ".join(joints)}')
    repeated = sorted({joint for joint in joints if list(joints).count(joint) > 1})
    if repeated:
        raise MappingError(f'joints names {", ".join(repeated)} twice')
    return tuple(
        JointRule(joint, leader_joint, sign, offset, Mode(mode))
        for joint, leader_joint, sign, offset, mode
        in zip(joints, leader_joints, signs, offsets, modes))


class JointMapper:
    """
    Applies rules to leader states.

    Each rule becomes q = lower..upper-clamped(gain * q_leader + bias), fixed once the ranges of
    both arms and the order of the leader's joints are known, so that a call is a few products.
    """

    def __init__(self, rules: Iterable[JointRule]) -> None:
        """Take the rules in the order of the follower's joints."""
        self._rules = tuple(rules)
        self._leader: dict[str, JointRange] = {}
        self._follower: dict[str, JointRange] = {}
        self._names: list[str] | None = None
        self._terms: list[tuple[int, float, float, float, float]] = []

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the follower's joints, in the order of the result."""
        return tuple(rule.joint for rule in self._rules)

    def set_leader_ranges(self, ranges: dict[str, JointRange]) -> None:
        """Take the leader's calibrated ranges."""
        self._leader, self._names = dict(ranges), None

    def set_follower_ranges(self, ranges: dict[str, JointRange]) -> None:
        """Take the follower's calibrated ranges."""
        self._follower, self._names = dict(ranges), None

    def missing_ranges(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the leader's and the follower's joints whose range is still needed."""
        by_range = [rule for rule in self._rules if rule.mode is Mode.RANGE]
        return (
            tuple(r.leader_joint for r in by_range if r.leader_joint not in self._leader),
            tuple(r.joint for r in by_range if r.joint not in self._follower),
        )

    def apply(self, names: list[str], positions: Sequence[float]) -> list[float]:
        """
        Map the leader's positions (rad, in the order of `names`) to the follower's.

        Raises MappingError for a missing joint or range, a wrong length or a value not finite.
        """
        if names != self._names:
            self._bind(names)
        if len(positions) != len(names):
            raise MappingError(
                f'leader state has {len(positions)} positions for {len(names)} names')
        result = []
        for index, gain, bias, lower, upper in self._terms:
            value = gain * positions[index] + bias
            # Also false for NaN.
            if not -math.inf < value < math.inf:
                raise MappingError(
                    f'leader joint {names[index]} is at {positions[index]}, expected a finite '
                    'angle')
            result.append(min(max(value, lower), upper))
        return result

    def _bind(self, names: list[str]) -> None:
        absent = [r.leader_joint for r in self._rules if r.leader_joint not in names]
        if absent:
            raise MappingError(
                f'leader state lacks {", ".join(absent)}; it has {", ".join(names)}: correct '
                'leader_joints')
        lacking = [joint for joints in self.missing_ranges() for joint in joints]
        if lacking:
            raise MappingError(f'calibrated range of {", ".join(lacking)} is not known yet')
        self._terms = [
            (names.index(rule.leader_joint), *self._term(rule)) for rule in self._rules]
        self._names = list(names)

    def _term(self, rule: JointRule) -> tuple[float, float, float, float]:
        if rule.mode is Mode.DIRECT:
            return rule.sign, rule.offset_rad, -math.inf, math.inf
        leader, follower = self._leader[rule.leader_joint], self._follower[rule.joint]
        scale = (follower.upper - follower.lower) / (leader.upper - leader.lower)
        gain = rule.sign * scale
        start = leader.lower if rule.sign > 0 else leader.upper
        bias = follower.lower - gain * start + rule.offset_rad
        return (
            gain, bias, follower.lower + rule.offset_rad, follower.upper + rule.offset_rad)
