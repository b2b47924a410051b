# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The scripted operator: in the physics, and against followers that do not follow."""
from __future__ import annotations

from math import cos
from math import pi
from math import sin

from apprentice_sim.demonstrator import Demonstrator
from apprentice_sim.demonstrator import MEETING_PATIENCE_S
from apprentice_sim.demonstrator import NoGraspError
from apprentice_sim.demonstrator import NotFollowingError
from apprentice_sim.demonstrator import Sight
from apprentice_sim.demonstrator import yaw_of
from apprentice_sim.kinematics import REST_POSE
from apprentice_sim.rehearsal import Chain
from apprentice_sim.rehearsal import Rehearsal
import pytest
from so_arm_description import ARMS

PERIOD_S = 0.01
SIGHT = Sight((0.22, 0.02, 0.014), 0.3, (0.14, 0.17, 0.0), False, REST_POSE)


@pytest.mark.parametrize('arm', ARMS)
def test_puts_the_cube_into_the_bin(arm: str) -> None:
    """Three worlds, three cubes in the bin, at moderate speed, without straining the gripper."""
    rehearsal = Rehearsal(arm)
    for seed in (100, 101, 102):
        outcome = rehearsal.run(seed)
        assert outcome.cube_in_bin
        assert outcome.duration_s < 20.0
        assert outcome.peak_velocity < 2.0
        assert outcome.peak_load < 0.25


def test_copes_with_a_slow_chain() -> None:
    """Twice the usual delay between hand and follower does not spoil the grasp."""
    assert Rehearsal('so101', Chain(delay_s=0.08)).run(7).cube_in_bin


def test_tries_again_when_the_cube_slips() -> None:
    """A cube that is taken away from the fingers is grasped at its new place."""
    rehearsal = Rehearsal('so101')
    physics, moved = rehearsal.physics, []
    step = physics.step

    def step_and_slip() -> None:
        step()
        high = physics.cube().position[2] > 0.03
        if high and not moved:
            moved.append(True)
            physics.data.joint('cube').qpos[:3] = (0.20, -0.05, 0.02)

    physics.step = step_and_slip
    outcome = rehearsal.run(5)
    assert moved and outcome.attempts == 2
    assert outcome.cube_in_bin


def follow(demonstrator: Demonstrator, sight: Sight, seconds: float) -> None:
    """Let a perfect follower be where the hand is, for a time or until the end."""
    for _ in range(round(seconds / PERIOD_S)):
        if demonstrator.done:
            return
        hand = demonstrator.step(PERIOD_S, sight)
        sight = sight._replace(follower=hand)


def test_gives_up_on_a_follower_that_stays_away() -> None:
    """A follower that never comes is an error that says what to look at, not a blind script."""
    demonstrator = Demonstrator('so101', REST_POSE)
    demonstrator.begin()
    with pytest.raises(NotFollowingError, match='teleoperation engaged'):
        for _ in range(round((MEETING_PATIENCE_S + 10) / PERIOD_S)):
            demonstrator.step(PERIOD_S, SIGHT)


def test_waiting_for_the_follower_does_not_wind_the_hand_up() -> None:
    """While the follower stays away the hand rests; it does not lean further and further."""
    demonstrator = Demonstrator('so101', REST_POSE)
    demonstrator.begin()
    for _ in range(round(8.0 / PERIOD_S)):
        first = demonstrator.step(PERIOD_S, SIGHT)
    for _ in range(round(8.0 / PERIOD_S)):
        last = demonstrator.step(PERIOD_S, SIGHT)
    assert last == first


def test_unreachable_cube_is_an_error() -> None:
    """A cube out of reach ends the episode with its place in the message."""
    demonstrator = Demonstrator('so101', REST_POSE)
    demonstrator.begin()
    with pytest.raises(NoGraspError, match='x 0.600'):
        follow(demonstrator, SIGHT._replace(cube=(0.6, 0.0, 0.014)), 20.0)


def test_hand_never_leaps() -> None:
    """From one call to the next the hand moves no faster than a person would."""
    demonstrator = Demonstrator('so101', REST_POSE)
    demonstrator.begin()
    sight, last = SIGHT, None
    while not demonstrator.done:
        hand = demonstrator.step(PERIOD_S, sight)
        if last is not None:
            assert max(abs(a - b) for a, b in zip(hand, last, strict=True)) < 0.03
        last = hand
        sight = sight._replace(follower=hand)


def test_parks_at_rest() -> None:
    """After park the hand is at the rest pose but for what it leans against sag."""
    demonstrator = Demonstrator('so101', (0.5, 0.0, 0.0, 0.5, 0.2, 0.1))
    demonstrator.park()
    follow(demonstrator, SIGHT, 20.0)
    assert demonstrator.done
    hand = demonstrator.step(PERIOD_S, SIGHT._replace(follower=REST_POSE))
    assert max(abs(a - b) for a, b in zip(hand, REST_POSE, strict=True)) < 0.1


@pytest.mark.parametrize('yaw', [-3.0, -0.5, 0.0, 1.2, 3.1])
def test_yaw_of_a_quaternion(yaw: float) -> None:
    """The yaw of a turn about z comes back."""
    assert yaw_of((cos(yaw / 2), 0.0, 0.0, sin(yaw / 2))) == pytest.approx(yaw)
    assert abs(yaw) < pi
