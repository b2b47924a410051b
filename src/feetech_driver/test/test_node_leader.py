# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The leader's driver reads an arm that is moved by hand and never holds it."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import signal
import time

from apprentice_sim.taps import TapKind
from driver_harness import JOINTS
from driver_harness import Stage
from driver_harness import stage
from driver_harness import TICK
from driver_harness import until
import pytest

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def leader(tmp_path: Path) -> Iterator[Stage]:
    """Give a simulated leader."""
    with stage('leader', tmp_path) as result:
        yield result


def test_hand_is_followed_in_joint_states(leader: Stage) -> None:
    """Positions are radians about the middle of the calibrated range."""
    leader.start()
    until(lambda: len(leader.peer.states) > 20, 'no joint states', 15.0)
    middle = (797 + 20 + 3299 + 20) / 2
    for offset in range(0, 320, 10):
        leader.arm.hand('shoulder_pan', middle + offset)
        time.sleep(0.01)
    until(lambda: abs(leader.peer.position('shoulder_pan') - 310 * TICK) < 1e-6, 'not followed')
    ranges = leader.peer.ranges[0]
    assert tuple(ranges.name) == JOINTS
    assert ranges.upper[0] == pytest.approx((3299 - 797) / 2 * TICK)
    assert ranges.lower[0] == -ranges.upper[0]
    speeds = [state.velocity[0] for state in leader.peer.states]
    assert 0.5 < max(speeds) < 5.0


def test_leader_never_has_torque_nor_inputs(leader: Stage) -> None:
    """No goal, no torque, no service that could command it; it ends at once."""
    driver = leader.start()
    until(lambda: len(leader.peer.states) > 20, 'no joint states', 15.0)
    assert not leader.arm.taps.of(TapKind.GOAL)
    assert not leader.arm.taps.of(TapKind.TORQUE)
    names = {name for name, _ in leader.peer.node.get_service_names_and_types()}
    assert not names & {'/arm/estop', '/arm/acquire', '/arm/estop_reset'}
    assert not leader.peer.guard
    begin = time.monotonic()
    driver.signal(signal.SIGINT)
    code, text = driver.end()
    assert code == 0, text
    assert time.monotonic() - begin < 1.5


def test_leader_that_holds_itself_is_let_go(leader: Stage) -> None:
    """Torque that another program left on would fight the hand."""
    for name in JOINTS:
        leader.arm.set(name, 'torque_enable', 1)
    leader.start()
    until(lambda: leader.torque() == {0}, 'the leader still holds itself', 15.0)


def test_leader_comes_back_after_a_replug(leader: Stage) -> None:
    """States continue within 2 s, from the new place."""
    leader.start()
    until(lambda: len(leader.peer.states) > 20, 'no joint states', 15.0)
    leader.arm.unplug()
    time.sleep(0.3)
    leader.arm.hand('gripper', 2300)
    leader.arm.replug()
    replugged = time.monotonic()
    until(lambda: abs(leader.peer.position('gripper') - (2300 - 2068) * TICK) < 1e-6, 'not back')
    assert time.monotonic() - replugged < 2.0
