# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Leader positions become follower positions."""

from __future__ import annotations

import math

from apprentice_teleop.mapping import JointMapper
from apprentice_teleop.mapping import JointRange
from apprentice_teleop.mapping import JointRule
from apprentice_teleop.mapping import make_rules
from apprentice_teleop.mapping import MappingError
from apprentice_teleop.mapping import Mode
import pytest

LEADER = JointRange(-1.0, 3.0)
FOLLOWER = JointRange(-0.5, 0.5)


def gripper_mapper(**changes: object) -> JointMapper:
    """Return a mapper of one joint in range mode with both ranges known."""
    mapper = JointMapper([JointRule('gripper', 'trigger', mode=Mode.RANGE, **changes)])
    mapper.set_leader_ranges({'trigger': LEADER})
    mapper.set_follower_ranges({'gripper': FOLLOWER})
    return mapper


def test_direct_mode_keeps_the_angle() -> None:
    """Sign 1 and offset 0 change nothing."""
    mapper = JointMapper([JointRule('pan', 'pan')])
    assert mapper.apply(['pan'], [0.7]) == [0.7]


def test_direct_mode_mirrors_then_adds_the_offset() -> None:
    """The sign applies before the offset."""
    mapper = JointMapper([JointRule('pan', 'pan', sign=-1.0, offset_rad=0.1)])
    assert mapper.apply(['pan'], [0.7]) == pytest.approx([-0.6])


@pytest.mark.parametrize('leader, follower', [(-1.0, -0.5), (1.0, 0.0), (3.0, 0.5), (2.0, 0.25)])
def test_range_mode_keeps_the_percentage(leader: float, follower: float) -> None:
    """Ends map to ends, the middle to the middle."""
    assert gripper_mapper().apply(['trigger'], [leader]) == pytest.approx([follower])


def test_mirrored_range_mode_swaps_the_ends() -> None:
    """With sign -1 a closed leader opens the follower."""
    mapper = gripper_mapper(sign=-1.0)
    assert mapper.apply(['trigger'], [-1.0]) == pytest.approx([0.5])
    assert mapper.apply(['trigger'], [2.0]) == pytest.approx([-0.25])


@pytest.mark.parametrize('leader, follower', [(-9.0, -0.5), (9.0, 0.5)])
def test_range_mode_never_leaves_the_followers_range(leader: float, follower: float) -> None:
    """A leader outside its calibration stays at 0 or 100 percent."""
    assert gripper_mapper().apply(['trigger'], [leader]) == pytest.approx([follower])


def test_joints_are_found_by_name_whatever_their_order() -> None:
    """A reordered leader message gives the same command."""
    mapper = JointMapper([JointRule('a', 'a'), JointRule('b', 'b')])
    assert mapper.apply(['a', 'x', 'b'], [1.0, 5.0, 2.0]) == [1.0, 2.0]
    assert mapper.apply(['b', 'a'], [2.0, 1.0]) == [1.0, 2.0]


def test_new_ranges_take_effect() -> None:
    """A recalibrated arm changes the mapping at once."""
    mapper = gripper_mapper()
    assert mapper.apply(['trigger'], [3.0]) == pytest.approx([0.5])
    mapper.set_follower_ranges({'gripper': JointRange(-2.0, 2.0)})
    assert mapper.apply(['trigger'], [3.0]) == pytest.approx([2.0])


def test_unknown_ranges_are_named() -> None:
    """Range mode without ranges is refused and says whose are missing."""
    mapper = JointMapper([JointRule('gripper', 'trigger', mode=Mode.RANGE)])
    assert mapper.missing_ranges() == (('trigger',), ('gripper',))
    with pytest.raises(MappingError, match='range of trigger, gripper'):
        mapper.apply(['trigger'], [0.0])


def test_a_missing_leader_joint_is_named_with_what_there_is() -> None:
    """The error shows the leader's own names."""
    mapper = JointMapper([JointRule('pan', 'shoulder')])
    with pytest.raises(MappingError, match='lacks shoulder; it has a, b'):
        mapper.apply(['a', 'b'], [0.0, 0.0])


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused(value: float) -> None:
    """Clamping must not turn an infinity into an end of the range."""
    with pytest.raises(MappingError, match='trigger'):
        gripper_mapper().apply(['trigger'], [value])


def test_a_wrong_length_is_refused() -> None:
    """Positions and names belong together."""
    with pytest.raises(MappingError, match='1 positions for 2 names'):
        JointMapper([JointRule('a', 'a')]).apply(['a', 'b'], [0.0])


@pytest.mark.parametrize('lower, upper', [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0)])
def test_an_impossible_range_is_refused(lower: float, upper: float) -> None:
    """No division by zero later."""
    with pytest.raises(MappingError, match='lower < upper'):
        JointRange(lower, upper)


def test_lists_of_unequal_length_are_refused_by_name() -> None:
    """The parameter to correct is named."""
    with pytest.raises(MappingError, match='signs has 1 entries, expected 2'):
        make_rules(['a', 'b'], ['a', 'b'], [1.0], [0.0, 0.0], ['direct', 'direct'])


def test_a_repeated_joint_is_refused() -> None:
    """One follower joint cannot follow two."""
    with pytest.raises(MappingError, match='a twice'):
        make_rules(['a', 'a'], ['a', 'b'], [1.0] * 2, [0.0] * 2, ['direct'] * 2)


def test_a_scaling_sign_is_refused() -> None:
    """A sign is not a gain."""
    with pytest.raises(MappingError, match='sign is 0.5'):
        JointRule('a', 'a', sign=0.5)
