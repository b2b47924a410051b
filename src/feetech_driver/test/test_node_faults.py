# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A driven arm whose port, motors or driver fail: it holds, says so and comes back."""
from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import time

from apprentice_sim.faults import Action
from apprentice_sim.taps import TapKind
from driver_harness import JOINTS
from driver_harness import Stage
from driver_harness import stage
from driver_harness import until
import pytest

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Stage]:
    """Give a simulated follower."""
    with stage('follower', tmp_path) as result:
        yield result


def largest_jump(follower: Stage, since_ns: int) -> int:
    """Return the largest step between successive goals of any joint, ticks."""
    steps = [0]
    for name in JOINTS:
        goals = [tap.value for tap in follower.arm.taps.of(TapKind.GOAL, name)
                 if tap.t_ns >= since_ns]
        steps += [abs(after - before) for before, after in zip(goals, goals[1:])]
    return max(steps)


def test_unplugged_and_replugged_arm_is_back_without_a_jump(follower: Stage) -> None:
    """Within 2 s of the replug goals are written again, from where the arm stands."""
    follower.start_active()
    follower.peer.stream({'shoulder_pan': 0.3}, 0.5)
    begin_ns = time.monotonic_ns()
    for _ in range(3):
        follower.arm.unplug()
        until(lambda: follower.peer.level('bus') == 2, 'diagnostics never said so')
        assert 'unplugged' in follower.peer.message('bus')
        follower.arm.replug()
        replugged = time.monotonic()
        count = len(follower.peer.commands)
        until(lambda: len(follower.peer.commands) > count + 5, 'no goals after the replug')
        assert time.monotonic() - replugged < 2.0
    follower.peer.stream({'shoulder_pan': 0.3}, 1.0)
    assert follower.peer.position('shoulder_pan') == pytest.approx(0.3, abs=0.02)
    assert largest_jump(follower, begin_ns) < 20
    until(lambda: follower.peer.level('bus') == 0, 'diagnostics stayed bad')


def test_unplugged_driver_still_ends_on_a_signal(follower: Stage) -> None:
    """Nothing can be released; the driver says so and leaves in time."""
    driver = follower.start_active()
    follower.arm.unplug()
    until(lambda: follower.peer.level('bus') == 2, 'diagnostics never said so')
    begin = time.monotonic()
    driver.signal(signal.SIGINT)
    code, text = driver.end()
    assert time.monotonic() - begin < 4.0
    assert code == 1
    assert 'torque could not be switched off' in text
    assert 'Traceback' not in text


def test_silent_motor_stops_the_arm_until_it_answers(follower: Stage) -> None:
    """A motor lost in motion: the others hold, the state names it, and it is taken back."""
    follower.start_active()
    follower.peer.stream({'shoulder_pan': 0.5, 'wrist_roll': 0.5}, 0.4)
    follower.arm.bus.silence('wrist_roll')
    state = follower.peer.wait_guard(lambda s: s.reason == 'unreachable', 'never noticed')
    assert 'wrist_roll' in state.detail
    until(lambda: follower.peer.commands[-1].velocity[0] == 0.0, 'still moving')
    until(lambda: follower.peer.level('motor wrist_roll') == 2, 'no diagnostics')
    assert 'silent' in follower.peer.message('motor wrist_roll')
    assert 'wrist_roll' not in follower.peer.states[-1].name
    count = len(follower.peer.states)
    time.sleep(0.5)
    assert len(follower.peer.states) - count > 60, 'a silent motor slows the others down'
    follower.arm.bus.restore('wrist_roll')
    follower.peer.wait_guard(lambda s: s.reason == 'rebased', 'never taken back')
    follower.peer.stream({'shoulder_pan': 0.5, 'wrist_roll': 0.5}, 1.5)
    assert follower.peer.position('wrist_roll') == pytest.approx(0.5, abs=0.02)


def test_interrupted_supply_is_taken_back_at_the_present_pose(follower: Stage) -> None:
    """A motor that restarted has neither torque nor settings; both come back, without a jump."""
    follower.start_active()
    follower.peer.stream({'elbow_flex': 0.3}, 1.0)
    begin_ns = time.monotonic_ns()
    follower.arm.power_cycle()
    until(lambda: follower.torque() == {0}, 'the power cycle did nothing')
    until(lambda: follower.torque() == {1}, 'torque never came back')
    until(lambda: set(follower.arm.registers('acceleration').values()) == {254}, 'no settings')
    follower.peer.wait_guard(lambda s: s.reason == 'rebased', 'never rebased')
    assert largest_jump(follower, begin_ns) < 20


def test_bad_packets_do_not_end_a_session(follower: Stage) -> None:
    """Lost and corrupt replies are counted; the arm goes on."""
    follower.start_active()
    for action in (Action.DROP, Action.CORRUPT, Action.NOISE):
        follower.arm.faults.add(action, probability=0.02)
    follower.peer.stream({'gripper': 0.2}, 2.0)
    assert follower.peer.position('gripper') == pytest.approx(0.2, abs=0.02)
    until(lambda: follower.peer.level('bus') >= 1, 'diagnostics never warned')
    values = {item.key: item.value
              for item in follower.peer.health['/arm/feetech_driver: bus'].values}
    assert float(values['packet error rate since start [%]']) > 0.2


@pytest.mark.parametrize('address', [23, 40])
def test_stall_while_starting_does_not_fail_the_start(follower: Stage, address: int) -> None:
    """A motor silent for longer than a transaction, at its settings or torque, is asked again."""
    follower.arm.faults.add(Action.DROP, ids=[3], address=address, count=7)
    driver = follower.start(connect_timeout_s=10.0)
    until(lambda: follower.torque() == {1}, 'the driver did not start', 15.0)
    driver.signal(signal.SIGINT)
    code, text = driver.end()
    assert code == 0, text
    assert 'trying again: motor elbow_flex' in text


def test_alarms_are_state_not_failure(follower: Stage) -> None:
    """A hot or overloaded motor is told; driving and the release go on."""
    driver = follower.start_active()
    follower.arm.faults.add(Action.ALARM, ids=[6], value=0x20)
    follower.arm.faults.add(Action.TEMPERATURE, ids=[2], value=64.0)
    until(lambda: 'overload' in follower.peer.health[
        '/arm/feetech_driver: motor gripper'].message
        if '/arm/feetech_driver: motor gripper' in follower.peer.health else False, 'no alarm')
    assert follower.peer.level('motor gripper') == 2
    driver.signal(signal.SIGINT)
    code, text = driver.end()
    assert code == 0, text
    assert follower.torque() == {0}


def test_killed_driver_is_released_by_its_keeper(follower: Stage) -> None:
    """SIGKILL cannot be handled; the keeper lets the arm go and frees the port."""
    driver = follower.start_active()
    driver.signal(signal.SIGKILL)
    until(lambda: follower.torque() == {0}, 'the keeper did nothing', 4.0)
    follower.peer.commands.clear()
    follower.start_active()
    assert follower.torque() == {1}


def test_inactive_driver_that_is_killed_leaves_torque_off(follower: Stage) -> None:
    """A keeper that was never armed writes nothing."""
    driver = follower.start(autostart=False)
    assert follower.peer.change(1)
    follower.arm.taps.clear()
    driver.signal(signal.SIGKILL)
    driver.end()
    time.sleep(0.5)
    assert not follower.arm.taps.of(TapKind.TORQUE)
    assert not follower.arm.taps.of(TapKind.WRITE)


def test_keeper_that_died_is_replaced(follower: Stage) -> None:
    """The arm is never driven for long without somebody to release it."""
    driver = follower.start_active()
    first = children(driver.process.pid)
    assert len(first) == 1
    os.kill(first[0], signal.SIGKILL)
    until(lambda: len(set(children(driver.process.pid)) - set(first)) == 1, 'no new keeper')
    time.sleep(0.2)
    driver.signal(signal.SIGKILL)
    until(lambda: follower.torque() == {0}, 'the new keeper did nothing', 4.0)


def test_arm_that_fell_outside_its_range_stays_limp_and_says_so(follower: Stage) -> None:
    """After an emergency stop with release, torque must not throw a joint back inside."""
    follower.start_active(estop_effect='release')
    assert follower.peer.trigger('estop').success
    until(lambda: follower.torque() == {0}, 'torque stayed on')
    follower.arm.hand('elbow_flex', 600)
    time.sleep(0.1)
    assert follower.peer.trigger('estop_reset').success
    state = follower.peer.wait_guard(lambda s: s.reason == 'unreachable', 'not told')
    assert 'elbow_flex stands' in state.detail
    assert follower.torque() == {0}
    follower.arm.hand('elbow_flex', 1500)
    until(lambda: follower.torque() == {1}, 'torque never came back')


def children(pid: int) -> list[int]:
    """Return the ids of a process's living children."""
    found = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    threads = Path(f'/proc/{pid}/task').iterdir()
    for thread in threads:
        found += (thread / 'children').read_text().split()
    return sorted({int(child) for child in found if _is_alive(int(child))})


def _is_alive(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False
