# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands, sources and the emergency stop of a driven arm, end to end."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import time

from apprentice_msgs.msg import GuardState
from apprentice_sim.taps import TapKind
from driver_harness import JOINTS
from driver_harness import Stage
from driver_harness import stage
from driver_harness import TICK
from driver_harness import trajectory
from driver_harness import until
import pytest

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope='module')
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Give a simulated follower that is driven."""
    with stage('follower', tmp_path_factory.mktemp('driven')) as result:
        result.start_active()
        yield result


@pytest.fixture
def follower(driven: Stage) -> Stage:
    """Give the driven follower at rest, without an owner."""
    driven.peer.settle()
    driven.arm.taps.clear()
    return driven


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stage]:
    """Give a simulated follower without a driver."""
    with stage('follower', tmp_path) as result:
        yield result


def refused(follower: Stage, reason: str) -> GuardState:
    """Wait until the guard says that it refused something for this reason."""
    return follower.peer.wait_guard(lambda state: state.reason == reason, f'no {reason}')


def test_published_commands_are_the_goal_registers(follower: Stage) -> None:
    """joint_commands carry what was written, in radians, stamped at the write."""
    follower.peer.stream({'shoulder_pan': 0.2}, 0.8)
    goals = follower.arm.taps.of(TapKind.GOAL, 'shoulder_pan')
    written = {(tap.value - (797 + 3299) / 2) * TICK for tap in goals}
    seen = [message.position[0] for message in follower.peer.commands]
    assert len(set(seen)) > 20
    assert all(min(abs(value - other) for other in written) < 1e-9 for value in seen[-100:])
    offset = time.time_ns() - time.monotonic_ns()
    by_time = sorted(tap.t_ns + offset for tap in goals)
    for message in follower.peer.commands[-50:]:
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        assert min(abs(stamp - instant) for instant in by_time) < 5_000_000


def test_first_motion_is_slow_and_within_caps(follower: Stage) -> None:
    """A leader far off is approached at the engage velocity, then followed."""
    follower.peer.stream({'elbow_flex': 0.6}, 1.6)
    goals = [message.position[2] for message in follower.peer.commands]
    stamps = [message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
              for message in follower.peer.commands]
    for first in range(0, len(goals) - 20, 20):
        speed = (goals[first + 20] - goals[first]) / (stamps[first + 20] - stamps[first])
        assert abs(speed) < 0.5 * 1.1
    assert follower.peer.position('elbow_flex') == pytest.approx(0.6, abs=0.01)
    states = {state.state for state in follower.peer.guard}
    assert {GuardState.RAMPING, GuardState.TRACKING} <= states


def test_silent_commander_leaves_the_arm_holding(follower: Stage) -> None:
    """A stream that ends stops the arm within its timeout; torque stays."""
    follower.peer.stream({'shoulder_lift': 0.5}, 0.5)
    silence = refused(follower, 'stream_silent')
    assert 'teleop sent nothing' in silence.detail
    until(lambda: follower.peer.commands[-1].velocity[1] == 0.0, 'the arm never stopped')
    here = follower.peer.commands[-1].position[1]
    count = len(follower.peer.commands)
    until(lambda: len(follower.peer.commands) > count + 20, 'goals stopped')
    assert follower.peer.commands[-1].position[1] == here
    assert follower.torque() == {1}


def test_trajectory_of_the_default_source_runs_to_its_end(follower: Stage) -> None:
    """One message with many timed points needs no repetition."""
    message = trajectory({'wrist_flex': 0.0}, 0.3)
    second = trajectory({'wrist_flex': 0.4}, 1.2).points[0]
    message.points.append(second)
    follower.peer.publish('joint_trajectory', message)
    refused(follower, 'trajectory_done')
    assert follower.peer.position('wrist_flex') == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize(('positions', 'reason', 'word'), [
    ({'knee': 0.1}, 'unknown_joint', "no joint 'knee'"),
    ({'gripper': float('nan')}, 'not_finite', 'gripper'),
    ({'gripper': 90.0}, 'out_of_reach', 'are these degrees?'),
])
def test_malformed_command_is_refused_and_counted(
    follower: Stage, positions: dict[str, float], reason: str, word: str,
) -> None:
    """The reason is published; the arm stays where it is."""
    follower.peer.command(positions)
    state = refused(follower, reason)
    assert word in state.detail
    assert dict(zip(state.counter_names, state.counter_values))[reason] >= 1
    assert len({message.position[5] for message in follower.peer.commands}) == 1


def test_time_that_goes_back_is_refused(follower: Stage) -> None:
    """Neither points out of order nor an older message move the arm."""
    message = trajectory({'gripper': 0.1}, 0.5)
    message.points.append(trajectory({'gripper': 0.2}, 0.4).points[0])
    follower.peer.publish('sources/teleop/joint_trajectory', message)
    refused(follower, 'time_going_back')
    now_ns = time.time_ns()
    follower.peer.command({'gripper': 0.1}, in_s=0.1, stamp_ns=now_ns)
    until(lambda: follower.peer.guard_now.owner == 'teleop', 'the first message was not taken')
    follower.peer.command({'gripper': 0.1}, in_s=0.1, stamp_ns=now_ns - 20_000_000)
    refused(follower, 'old_stamp')


def test_wholly_due_message_is_refused(follower: Stage) -> None:
    """A message that took too long is not executed late."""
    follower.peer.command({'gripper': 0.1}, in_s=0.02, stamp_ns=time.time_ns() - 10**9)
    refused(follower, 'all_due')


def test_two_publishers_on_one_source_are_refused(follower: Stage) -> None:
    """The arm stops for both, names them, and accepts again when one has left."""
    follower.peer.stream({'gripper': 0.1}, 0.3)
    second = follower.peer.node.create_publisher(
        type(trajectory({}, 0.0)), 'sources/teleop/joint_trajectory', 1)
    state = refused(follower, 'two_publishers')
    assert 'joint_trajectory has 2 publishers (/arm/peer, /arm/peer)' in state.detail
    follower.peer.command({'gripper': 0.2})
    refused(follower, 'source_refused')
    follower.peer.node.destroy_publisher(second)
    follower.peer.guard.clear()
    end = time.monotonic() + 5.0
    while not any(state.state == GuardState.RAMPING for state in follower.peer.guard):
        assert time.monotonic() < end, 'never accepted again'
        follower.peer.command({'gripper': 0.2})
        time.sleep(0.02)


def test_ownership_goes_by_priority(follower: Stage) -> None:
    """A source that owns the arm keeps it against a lower one."""
    assert follower.peer.acquire('teleop').success
    answer = follower.peer.acquire('default')
    assert not answer.success and answer.owner == 'teleop'
    assert 'priority 10' in answer.message
    assert follower.peer.acquire('teleop', release=True).success
    assert follower.peer.acquire('default').owner == 'default'
    unknown = follower.peer.acquire('ghost')
    assert not unknown.success and 'expected one of default, teleop' in unknown.message


@pytest.mark.parametrize('way', ['service', 'topic'])
def test_estop_is_latched_until_reset_and_acquire(follower: Stage, way: str) -> None:
    """Holding with torque on, deaf to commands, until both steps are done."""
    follower.peer.stream({'gripper': 0.1}, 0.2)
    if way == 'service':
        assert follower.peer.trigger('estop').success
    else:
        follower.peer.estop_topic()
    follower.peer.wait_guard(lambda state: state.state == GuardState.ESTOPPED, 'no e-stop')
    follower.peer.command({'gripper': 0.3})
    until(lambda: follower.peer.commands[-1].velocity[5] == 0.0, 'still moving')
    assert follower.torque() == {1}
    assert follower.peer.trigger('estop_reset').success
    follower.peer.command({'gripper': 0.3})
    refused(follower, 'acquire_needed')
    assert follower.peer.acquire('teleop').success
    follower.peer.stream({'gripper': 0.3}, 1.2)
    assert follower.peer.position('gripper') == pytest.approx(0.3, abs=0.02)


def test_estop_that_releases_fades_torque_and_takes_it_back(own: Stage) -> None:
    """With effect release the arm goes limp; after the reset it holds where it fell to."""
    own.start_active(estop_effect='release')
    assert own.peer.trigger('estop').success
    until(lambda: own.torque() == {0}, 'torque stayed on')
    assert own.arm.hand('shoulder_pan', 2300)
    count = len(own.peer.states)
    until(lambda: len(own.peer.states) > count + 10, 'states stopped')
    assert own.peer.trigger('estop_reset').success
    until(lambda: own.torque() == {1}, 'torque never came back')
    assert abs(own.arm.register('shoulder_pan', 'present_position') - 2300) <= 2
    assert set(own.arm.registers('torque_limit').values()) == {1000, 500}
    for name in JOINTS:
        goal = own.arm.register(name, 'goal_position')
        assert abs(goal - own.arm.register(name, 'present_position')) <= 2
