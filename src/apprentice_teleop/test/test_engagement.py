# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands flow only after a granted acquire, and stop when they must."""

from __future__ import annotations

from apprentice_teleop.engagement import Engagement
from apprentice_teleop.engagement import EngagementConfig
from apprentice_teleop.engagement import Phase
from apprentice_teleop.engagement import Request
from hypothesis import given
from hypothesis import strategies as st

MS = 1_000_000


def engaged(now_ns: int = 0, **config: object) -> Engagement:
    """Return an engagement that has been granted the follower at `now_ns`."""
    engagement = Engagement(EngagementConfig(**config), engaged=True)
    engagement.set_obstacle('')
    engagement.set_deadman(True, now_ns)
    engagement.leader_seen(now_ns)
    assert engagement.poll(now_ns) is Request.ACQUIRE
    engagement.answered(True, '')
    assert engagement.phase is Phase.ENGAGED
    return engagement


def test_nothing_is_sent_before_the_follower_is_granted() -> None:
    """Asking is not enough."""
    engagement = Engagement(EngagementConfig(), engaged=True)
    engagement.set_obstacle('')
    assert not engagement.leader_seen(0)
    assert engagement.poll(0) is Request.ACQUIRE
    assert not engagement.leader_seen(5 * MS)
    engagement.answered(True, '')
    assert engagement.leader_seen(10 * MS)


def test_nothing_is_asked_for_while_disengaged() -> None:
    """The operator decides."""
    engagement = Engagement(EngagementConfig(), engaged=False)
    engagement.set_obstacle('')
    engagement.leader_seen(0)
    assert engagement.poll(0) is Request.NONE
    engagement.set_wanted(True, 'asked')
    assert engagement.poll(0) is Request.ACQUIRE


def test_disengaging_stops_at_once_and_releases_once() -> None:
    """The follower is given back exactly once."""
    engagement = engaged()
    engagement.set_wanted(False, 'asked')
    assert not engagement.leader_seen(1 * MS)
    assert engagement.poll(1 * MS) is Request.RELEASE
    assert engagement.poll(2 * MS) is Request.NONE


def test_a_leader_that_was_silent_must_acquire_again() -> None:
    """The first state after a silence is not sent: the follower may be far away."""
    engagement = engaged()
    assert engagement.leader_seen(100 * MS)
    assert not engagement.leader_seen(201 * MS)
    assert engagement.poll(201 * MS) is Request.ACQUIRE
    engagement.answered(True, '')
    assert engagement.leader_seen(206 * MS)


def test_a_silent_leader_gives_the_follower_up() -> None:
    """Another source may have it meanwhile."""
    engagement = engaged()
    assert engagement.poll(101 * MS) is Request.RELEASE
    assert engagement.phase is Phase.WAITING
    assert engagement.reason == 'leader is silent'


def test_an_obstacle_stops_and_says_why() -> None:
    """What the leader lacks is the reason shown."""
    engagement = engaged()
    engagement.set_obstacle('leader state lacks gripper')
    assert engagement.poll(1 * MS) is Request.RELEASE
    assert engagement.reason == 'leader state lacks gripper'


def test_a_refusal_is_retried_after_a_while() -> None:
    """The driver may still be starting."""
    engagement = Engagement(EngagementConfig(retry_ns=500 * MS), engaged=True)
    engagement.set_obstacle('')
    engagement.leader_seen(0)
    assert engagement.poll(0) is Request.ACQUIRE
    engagement.answered(False, 'driver is not active')
    assert (engagement.phase, engagement.reason) == (Phase.WAITING, 'driver is not active')
    engagement.leader_seen(499 * MS)
    assert engagement.poll(499 * MS) is Request.NONE
    engagement.leader_seen(500 * MS)
    assert engagement.poll(500 * MS) is Request.ACQUIRE


def test_an_answer_that_never_comes_is_given_up() -> None:
    """A driver that dies between question and answer does not block for ever."""
    engagement = Engagement(EngagementConfig(answer_ns=1000 * MS, retry_ns=500 * MS), True)
    engagement.set_obstacle('')
    engagement.leader_seen(0)
    assert engagement.poll(0) is Request.ACQUIRE
    engagement.leader_seen(1499 * MS)
    assert engagement.poll(1499 * MS) is Request.NONE
    assert engagement.poll(1500 * MS) is Request.ACQUIRE


def test_a_late_grant_after_disengaging_is_given_back() -> None:
    """Nothing is kept that nobody wants."""
    engagement = Engagement(EngagementConfig(), engaged=True)
    engagement.set_obstacle('')
    engagement.leader_seen(0)
    engagement.poll(0)
    engagement.set_wanted(False, 'asked')
    engagement.answered(True, '')
    assert engagement.phase is Phase.DISENGAGED
    assert engagement.poll(1 * MS) is Request.RELEASE


def test_the_deadman_switch_stops_by_release_and_by_silence() -> None:
    """Letting go and a lost connection are the same."""
    timing = {'deadman_required': True, 'deadman_timeout_ns': 300 * MS, 'stale_after_ns': 10**12}
    let_go = engaged(**timing)
    let_go.set_deadman(False, 10 * MS)
    let_go.set_deadman(True, 11 * MS)
    assert not let_go.leader_seen(11 * MS)
    let_go.set_deadman(False, 12 * MS)
    assert let_go.poll(12 * MS) is Request.RELEASE
    assert let_go.waits_for_deadman
    silent = engaged(**timing)
    assert silent.leader_seen(300 * MS)
    assert not silent.leader_seen(301 * MS)


def test_pressing_the_deadman_switch_again_acquires_again() -> None:
    """Each press starts with the guard's ramp."""
    engagement = engaged(deadman_required=True, stale_after_ns=10**12)
    engagement.set_deadman(False, 10 * MS)
    engagement.poll(10 * MS)
    engagement.set_deadman(True, 600 * MS)
    assert not engagement.leader_seen(600 * MS)
    assert engagement.poll(600 * MS) is Request.ACQUIRE


def test_losing_the_follower_needs_a_new_engage() -> None:
    """After an emergency stop nothing moves by itself."""
    engagement = engaged()
    engagement.lose('emergency stop')
    assert not engagement.leader_seen(1 * MS)
    assert engagement.poll(1 * MS) is Request.NONE
    assert engagement.phase is Phase.DISENGAGED


EVENTS = st.lists(st.tuples(
    st.sampled_from(['leader', 'poll', 'grant', 'refuse', 'want', 'unwant', 'press', 'let go',
                     'obstacle', 'clear', 'interrupt', 'lose']),
    st.integers(0, 400)), max_size=60)


@given(EVENTS)
def test_whatever_happens_a_command_follows_a_grant(events: list[tuple[str, int]]) -> None:
    """No order of events sends without a grant since the last reason to stop."""
    engagement = Engagement(EngagementConfig(deadman_required=True), engaged=False)
    now_ns, granted, last_leader_ns = 0, False, None
    actions = {
        'want': lambda: engagement.set_wanted(True, ''),
        'unwant': lambda: engagement.set_wanted(False, ''),
        'press': lambda: engagement.set_deadman(True, now_ns),
        'let go': lambda: engagement.set_deadman(False, now_ns),
        'obstacle': lambda: engagement.set_obstacle('broken'),
        'clear': lambda: engagement.set_obstacle(''),
        'interrupt': lambda: engagement.interrupt(''),
        'lose': lambda: engagement.lose(''),
        'refuse': lambda: engagement.answered(False, ''),
        'poll': lambda: engagement.poll(now_ns),
    }
    for name, delay_ms in events:
        now_ns += delay_ms * MS
        if name == 'grant':
            granted = granted or engagement.phase is Phase.ACQUIRING
            engagement.answered(True, '')
        elif name == 'leader':
            silent = last_leader_ns is None or now_ns - last_leader_ns > 100 * MS
            granted = granted and not silent
            last_leader_ns = now_ns
            if engagement.leader_seen(now_ns):
                assert granted
        else:
            actions[name]()
            if name in ('unwant', 'let go', 'interrupt', 'lose'):
                granted = False
