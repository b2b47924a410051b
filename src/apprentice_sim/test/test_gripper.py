# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The gripper's geometry."""
from __future__ import annotations

from apprentice_sim.gripper import Gripper
import pytest
from so_arm_description import ARMS
from so_arm_description import load_arm


@pytest.mark.parametrize('arm', ARMS)
def test_position_for_undoes_gap(arm: str) -> None:
    """The jaw angle for a gap has that gap, over the useful range."""
    gripper = Gripper.from_description(load_arm(arm))
    for gap in (0.005, 0.028, 0.05, 0.08):
        assert gripper.gap(gripper.position_for(gap)) == pytest.approx(gap, abs=1e-6)


def test_impossible_gap_says_what_is_possible() -> None:
    """A gap wider than the jaw opens is refused with the range."""
    gripper = Gripper.from_description(load_arm('so101'))
    with pytest.raises(ValueError, match='they reach'):
        gripper.position_for(0.5)
