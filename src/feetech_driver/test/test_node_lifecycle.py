# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The follower's driver through its lifecycle, judged at the servos' registers."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import signal
import time

from apprentice_sim.taps import TapKind
from driver_harness import JOINTS
from driver_harness import Stage
from driver_harness import stage
from driver_harness import until
from lifecycle_msgs.msg import Transition
import pytest

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Stage]:
    """Give a simulated follower."""
    with stage('follower', tmp_path) as result:
        yield result


def test_states_come_while_inactive_and_torque_stays_off(follower: Stage) -> None:
    """Configured is not active: the arm can be read, nothing is written to its motion."""
    follower.start(autostart=False)
    assert follower.peer.change(Transition.TRANSITION_CONFIGURE)
    until(lambda: len(follower.peer.states) > 50, 'no joint states while inactive')
    assert follower.torque() == {0}
    assert not follower.arm.taps.of(TapKind.GOAL)
    assert not follower.peer.commands
    state = follower.peer.states[-1]
    assert tuple(state.name) == JOINTS
    assert state.position.tolist() == pytest.approx([0.0] * 6, abs=0.002)


def test_goal_is_the_measured_pose_before_torque_comes_on(follower: Stage) -> None:
    """A stale goal register must not make the arm jump."""
    for name in JOINTS:
        follower.arm.set(name, 'goal_position', 1500)
    follower.arm.hand('shoulder_pan', 2400)
    follower.start_active()
    for name in JOINTS:
        present = 2400 if name == 'shoulder_pan' else follower.arm.register(
            name, 'present_position')
        torque_ns = follower.arm.taps.of(TapKind.TORQUE, name)[0].t_ns
        before = [tap.value for tap in follower.arm.taps.of(TapKind.GOAL, name)
                  if tap.t_ns < torque_ns]
        assert before and abs(before[-1] - present) <= 1
        assert abs(follower.arm.register(name, 'present_position') - present) <= 2


def test_deactivate_holds_and_cleanup_releases(follower: Stage) -> None:
    """Torque stays through inactive and goes with cleanup; the arm can be taken up again."""
    follower.start_active()
    assert follower.peer.change(Transition.TRANSITION_DEACTIVATE)
    count = len(follower.peer.commands)
    assert follower.torque() == {1}
    states = len(follower.peer.states)
    until(lambda: len(follower.peer.states) > states + 20, 'states stopped with deactivate')
    assert len(follower.peer.commands) <= count + 2
    assert follower.peer.change(Transition.TRANSITION_CLEANUP)
    assert follower.torque() == {0}
    assert follower.peer.change(Transition.TRANSITION_CONFIGURE)
    assert follower.peer.change(Transition.TRANSITION_ACTIVATE)
    assert follower.torque() == {1}
    assert set(follower.arm.registers('torque_limit').values()) == {1000, 500}


def test_torque_fades_before_it_goes(follower: Stage) -> None:
    """A release lowers the torque limit over a second instead of dropping the arm."""
    driver = follower.start_active()
    follower.arm.taps.clear()
    driver.signal(signal.SIGINT)
    code, text = driver.end()
    assert code == 0, text
    limits = [tap for tap in follower.arm.taps.of(TapKind.WRITE, 'elbow_flex')
              if tap.value < 1000 and tap.address == 48]
    off = follower.arm.taps.of(TapKind.TORQUE, 'elbow_flex')
    assert 0.7e9 < off[0].t_ns - limits[0].t_ns < 1.5e9
    values = [tap.value for tap in limits if tap.t_ns < off[0].t_ns]
    assert len(values) > 10 and values == sorted(values, reverse=True) and values[-1] == 0
    assert follower.torque() == {0}


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_repeated_signals_leave_the_release_whole(
    follower: Stage, number: signal.Signals,
) -> None:
    """Whoever presses Ctrl-C twice still gets torque off on every motor, in time."""
    driver = follower.start_active()
    begin = time.monotonic()
    driver.signal(number)
    time.sleep(0.3)
    for _ in range(3):
        driver.signal(signal.SIGINT)
        time.sleep(0.05)
    code, text = driver.end()
    assert code == 0, text
    assert time.monotonic() - begin < 4.0
    assert follower.torque() == {0}
    assert 'Traceback' not in text


def test_rest_pose_comes_before_the_release(follower: Stage) -> None:
    """The arm goes to its rest pose, then lets go, all within 4 s."""
    driver = follower.start_active(rest_pose=[0.5, -0.3, 0.2, 0.0, 0.0, 0.0])
    begin = time.monotonic()
    driver.signal(signal.SIGTERM)
    code, text = driver.end()
    assert code == 0, text
    assert time.monotonic() - begin < 4.0
    assert follower.peer.position('shoulder_pan') == pytest.approx(0.5, abs=0.02)
    assert follower.peer.position('shoulder_lift') == pytest.approx(-0.3, abs=0.02)
    assert follower.torque() == {0}


def test_settings_are_lerobots_and_written_only_where_they_differ(follower: Stage) -> None:
    """A second start on the same servos wears no EEPROM."""
    follower.arm.set('elbow_flex', 'position_p', 32)
    follower.arm.set('gripper', 'overload_torque', 80)
    driver = follower.start_active()
    assert follower.arm.register('elbow_flex', 'position_p') == 16
    assert follower.arm.register('gripper', 'overload_torque') == 25
    assert set(follower.arm.registers('acceleration').values()) == {254}
    driver.signal(signal.SIGINT)
    assert driver.end()[0] == 0
    follower.arm.taps.clear()
    follower.peer.commands.clear()
    follower.start_active()
    assert not [tap for tap in follower.arm.taps.of(TapKind.WRITE) if tap.address < 40]


def test_impossible_transition_leaves_the_arm_alone(follower: Stage) -> None:
    """Activating twice is refused, and the arm goes on being driven."""
    follower.start_active()
    assert not follower.peer.change(Transition.TRANSITION_ACTIVATE)
    assert follower.peer.lifecycle() == 'active'
    count = len(follower.peer.commands)
    until(lambda: len(follower.peer.commands) > count + 20, 'goals stopped')


def test_signal_ends_the_wait_for_an_arm(follower: Stage) -> None:
    """Nobody has to sit out the connect timeout."""
    driver = follower.start(port='/dev/ttyNOWHERE', connect_timeout_s=60.0)
    said = ''
    while 'waiting for the port' not in said:
        line = driver.process.stderr.readline()
        assert line, f'it ended: {said}'
        said += line
    begin = time.monotonic()
    driver.signal(signal.SIGINT)
    code, text = driver.end()
    assert code == 0, text
    assert time.monotonic() - begin < 1.5
    assert 'ERROR' not in said + text and 'Traceback' not in said + text


def test_late_arm_is_waited_for(follower: Stage) -> None:
    """A port that appears while the driver waits is taken."""
    follower.arm.unplug()
    follower.start(connect_timeout_s=20.0)
    time.sleep(1.0)
    follower.arm.replug()
    until(lambda: follower.torque() == {1}, 'the arm was not taken', 10.0)
