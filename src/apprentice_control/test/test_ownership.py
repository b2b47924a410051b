# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One source owns the arm at a time: by acquisition, or after the owner's silence."""

from __future__ import annotations

from apprentice_control.guard import GuardState
from apprentice_control.guard import Reason
from apprentice_control.guard import TrajectoryPoint
from guarded_arm import Arm
from guarded_arm import MS
import pytest

ZERO = (0.0, 0.0, 0.0)


def test_the_first_message_owns_a_free_arm() -> None:
    """Nobody owns a fresh arm; the first good message does."""
    arm = Arm()
    assert arm.guard.status.owner == ''
    arm.send(ZERO, source='policy')
    assert arm.guard.status.owner == 'policy'


def test_a_message_never_takes_the_arm_from_a_live_owner() -> None:
    """Not even a source of higher priority takes the arm without acquiring it."""
    arm = Arm()
    arm.send(ZERO, source='policy')
    refusal = arm.send(ZERO, source='teleop')
    assert refusal.reason is Reason.NOT_OWNER
    assert 'policy' in refusal.detail
    assert arm.guard.status.owner == 'policy'


def test_an_owner_that_stays_silent_can_be_followed_by_another() -> None:
    """Before the owner timeout another source is refused, after it the source owns and ramps."""
    arm = Arm()
    arm.send(ZERO, source='teleop')
    arm.run(490)
    assert arm.send(ZERO, source='policy').reason is Reason.NOT_OWNER
    arm.run(20)
    assert arm.guard.status.owner == ''
    assert arm.guard.status.reason == 'owner_silent'
    assert arm.send(ZERO, source='policy') is None
    assert arm.state is GuardState.RAMPING


def test_a_running_trajectory_is_not_silence() -> None:
    """While a trajectory runs its owner keeps the arm, and loses it only after its end."""
    arm = Arm()
    arm.send((0.3, 0.0, 0.0), in_ms=2000, source='policy')
    arm.run(1990)
    assert arm.guard.status.owner == 'policy'
    assert arm.send(ZERO).reason is Reason.NOT_OWNER
    arm.run(560)
    assert arm.guard.status.owner == ''


def test_acquire_takes_the_arm_by_priority() -> None:
    """A higher or equal priority takes the arm over; a lower one is told who has it."""
    arm = Arm(sources={'a': 1, 'b': 1, 'c': 0})
    arm.send(ZERO, source='a')
    done, text = arm.guard.acquire('c', arm.now_ns)
    assert not done and 'a owns the arm with priority 1' in text
    assert arm.guard.acquire('b', arm.now_ns) == (True, 'b owns the arm')
    assert arm.send(ZERO, source='a').reason is Reason.NOT_OWNER


def test_a_lower_priority_acquires_a_free_arm() -> None:
    """Priority counts only against a live owner."""
    arm = Arm()
    arm.send(ZERO, source='teleop')
    arm.run(600)
    assert arm.guard.acquire('policy', arm.now_ns)[0]


def test_acquire_stops_the_arm_and_the_new_owner_ramps() -> None:
    """A takeover in motion decelerates first and is followed by the ramp."""
    arm = Arm()
    arm.stream(ZERO, 100, source='policy')
    for step in range(30):
        arm.send((0.03 * step, 0.0, 0.0), source='policy')
        arm.step(10)
    assert arm.guard.acquire('teleop', arm.now_ns)[0]
    assert arm.state is GuardState.STOPPING
    assert arm.send((-1.0, 0.0, 0.0)) is None
    assert arm.state is GuardState.RAMPING
    arm.stream((-1.0, 0.0, 0.0), 300)
    assert arm.state is GuardState.RAMPING


def test_an_acquisition_that_is_not_used_lapses() -> None:
    """An acquirer that sends nothing loses the arm after the owner timeout."""
    arm = Arm()
    arm.guard.acquire('teleop', arm.now_ns)
    arm.run(510)
    assert arm.guard.status.owner == ''


def test_release_frees_the_arm_at_once() -> None:
    """After a release another source owns; only the owner can release."""
    arm = Arm()
    arm.send(ZERO, source='teleop')
    done, text = arm.guard.release('policy', arm.now_ns)
    assert not done and 'teleop' in text
    assert arm.guard.release('teleop', arm.now_ns)[0]
    assert arm.send(ZERO, source='policy') is None


def test_nobody_cannot_release() -> None:
    """An empty name is not the owner of an arm without owner."""
    arm = Arm()
    assert not arm.guard.release('', arm.now_ns)[0]


def test_a_source_with_two_publishers_is_shut_out() -> None:
    """It loses the arm, which stops; its messages and acquisitions are refused until let in."""
    arm = Arm()
    arm.stream(ZERO, 100)
    arm.guard.set_refused('teleop', 'two publishers on sources/teleop: /a and /b')
    assert arm.guard.status.owner == ''
    assert arm.guard.status.reason == 'two_publishers'
    refusal = arm.send(ZERO)
    assert refusal.reason is Reason.SOURCE_REFUSED and '/a and /b' in refusal.detail
    done, text = arm.guard.acquire('teleop', arm.now_ns)
    assert not done and '/a and /b' in text
    arm.guard.set_refused('teleop', None)
    assert arm.send(ZERO) is None


def test_shutting_out_a_bystander_leaves_the_owner_alone() -> None:
    """Two publishers on another source do not stop the owner."""
    arm = Arm()
    arm.stream(ZERO, 100)
    arm.guard.set_refused('policy', 'two publishers')
    assert arm.guard.status.owner == 'teleop'
    assert arm.state is GuardState.TRACKING


def test_an_unknown_source_cannot_acquire_nor_be_shut_out() -> None:
    """Names outside the configuration are refused."""
    arm = Arm()
    assert 'ghost' in arm.guard.acquire('ghost', arm.now_ns)[1]
    with pytest.raises(KeyError, match='ghost'):
        arm.guard.set_refused('ghost', 'why')


def test_refused_messages_of_a_bystander_do_not_keep_it_alive() -> None:
    """Only accepted messages count against silence."""
    arm = Arm()
    arm.send(ZERO, source='policy')
    for _ in range(110):
        arm.send_points([TrajectoryPoint(arm.now_ns - MS, ZERO)], source='policy')
        arm.step()
    assert arm.guard.status.owner == ''
