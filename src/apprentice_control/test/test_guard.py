# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The guard's life: activate, follow, fall silent, stop, emergency stop, reconnect."""

from __future__ import annotations

from math import cos
from math import nan
from math import pi
from random import Random

from apprentice_control.guard import GuardConfig
from apprentice_control.guard import GuardState
from apprentice_control.guard import JointLimit
from apprentice_control.guard import Reason
from apprentice_control.guard import TrajectoryPoint
from apprentice_control.units import RAD_PER_TICK
from guarded_arm import Arm
from guarded_arm import BEGIN_NS
from guarded_arm import LIMITS
from guarded_arm import MS
import pytest

ZERO = (0.0, 0.0, 0.0)


def test_activation_holds_the_measured_pose() -> None:
    """The first goal is what was measured, and it stays."""
    arm = Arm(start=(0.5, -0.2, 0.1))
    assert arm.state is GuardState.HOLDING
    assert arm.run(200).position == (0.5, -0.2, 0.1)
    assert arm.guard.status.interventions == 0


@pytest.mark.parametrize('measured', [(0.0, 0.0), (0.0, 0.0, nan)])
def test_no_pose_no_activation(measured: tuple[float, ...]) -> None:
    """An incomplete or undefined pose cannot be held."""
    with pytest.raises(ValueError, match='expected 3 finite'):
        Arm(start=measured)


def test_an_inactive_guard_writes_nothing() -> None:
    """Before activation messages are refused and the goal says not to write."""
    arm = Arm()
    arm.guard.deactivate(arm.now_ns)
    goal = arm.step()
    arm.guard.step(arm.now_ns)
    assert arm.state is GuardState.INACTIVE
    assert not arm.step().active
    assert goal.active
    assert arm.send(ZERO).reason is Reason.NOT_ACTIVE
    assert not arm.guard.acquire('teleop', arm.now_ns)[0]


@pytest.mark.parametrize('off', [pi / 2, -pi / 2, 1.9])
def test_the_first_motion_is_the_ramp(off: float) -> None:
    """A leader far away is approached at 0.5 rad/s at most, then followed within full caps."""
    arm = Arm()
    while arm.state is not GuardState.TRACKING:
        before = arm.guard.step(arm.now_ns).position[0]
        arm.send((off, 0.0, 0.0))
        after = arm.step().position[0]
        assert abs(after - before) <= 0.5 * 0.005 + 1e-9
        assert abs(after) <= abs(off) + 1e-9
    assert arm.count('ramp') == 1
    assert arm.guard.status.reason == 'caught_up'
    assert arm.stream((off, 0.0, 0.0), 100).position[0] == pytest.approx(off, abs=1e-3)


def test_a_ramp_with_nothing_to_catch_up_is_no_intervention() -> None:
    """A leader that stands where the follower stands is tracked within 50 ms."""
    arm = Arm()
    arm.stream((0.005, 0.0, 0.0), 50)
    assert arm.state is GuardState.TRACKING
    assert arm.guard.status.interventions == 0


def test_a_leader_that_sweeps_past_is_not_caught_up() -> None:
    """Meeting a fast leader for an instant does not end the ramp."""
    arm = Arm()
    for step in range(40):
        arm.send((-1.0 + 0.05 * step, 0.0, 0.0))
        arm.step(10)
    assert arm.state is GuardState.RAMPING


@pytest.mark.parametrize('bus_ms, stream_ms', [(4, 4), (5, 10), (10, 10), (10, 4), (5, 16)])
def test_a_quantised_leader_is_followed_without_intervention(
    bus_ms: int, stream_ms: int,
) -> None:
    """Ticks of a leader in fast motion are no interventions, and the lag is the lead."""
    arm = Arm(limits=LIMITS[:1])
    worst = 0.0

    def leader(t_ms: float) -> float:
        angle = 0.5 * (1 - cos(2 * pi * 0.8 * t_ms * 1e-3))
        return round(angle / RAD_PER_TICK) * RAD_PER_TICK

    for t_ms in range(1, 3000):
        arm.now_ns += MS
        if t_ms % stream_ms == 0:
            point = TrajectoryPoint(arm.now_ns + 20 * MS, (leader(t_ms),))
            assert arm.send_points([point], stamp_ns=arm.now_ns) is None
        if t_ms % bus_ms == 0:
            goal = arm.step(0)
            if t_ms > 100:
                worst = max(worst, abs(goal.position[0] - leader(t_ms - 20)))
    assert arm.state is GuardState.TRACKING
    assert arm.guard.status.interventions == 0
    assert worst < 0.005


def test_a_leader_that_trembles_by_a_tick_is_no_intervention() -> None:
    """Noise of one tick at 250 Hz neither counts nor drives the ramp."""
    arm = Arm()
    for step in range(400):
        tick = RAD_PER_TICK if step % 3 else 0.0
        assert arm.send((tick, -tick, tick)) is None
        arm.step(4)
    assert arm.guard.status.interventions == 0
    assert arm.state is GuardState.TRACKING


def test_a_jump_of_the_stream_is_capped_once_and_not_overshot() -> None:
    """A leader that teleports is one intervention; the arm arrives without passing it."""
    arm = Arm()
    arm.stream(ZERO, 100)
    for _ in range(150):
        arm.send((1.2, 0.0, 0.0))
        assert arm.step().position[0] <= 1.2 + 1e-3
    assert arm.guard.status.interventions == 1
    assert arm.count('velocity_cap') == 1
    assert arm.guard.status.joints == ('pan',)
    assert arm.step().position[0] == pytest.approx(1.2, abs=1e-3)


@pytest.mark.parametrize('jump', [0.004, 0.008, 0.015, 0.03])
def test_a_small_jump_due_at_once_is_not_overshot(jump: float) -> None:
    """Jogs due on arrival, repeated at bus rate, end where they point."""
    arm = Arm()
    arm.stream(ZERO, 100)
    for _ in range(60):
        assert arm.send((jump, 0.0, 0.0), in_ms=0) is None
        assert arm.step().position[0] <= jump + 0.0005
    assert arm.step().position[0] == pytest.approx(jump, abs=1e-6)


def test_a_leader_beyond_the_caps_is_followed_as_well_as_can_be() -> None:
    """A leader whose peak speed is 10 % above the cap does not throw the follower out of step."""
    arm = Arm(limits=(JointLimit('pan', -3.0, 3.0, 4.0, 30.0),))
    worst = 0.0
    for t_ms in range(0, 8000, 5):
        angle = 0.7 * (1 - cos(2 * pi * t_ms * 1e-3))
        if t_ms % 10 == 0:
            assert arm.send((angle,)) is None
        goal = arm.step()
        worst = max(worst, abs(goal.position[0] - angle))
    assert worst < 0.6
    assert arm.count('velocity_cap') >= 1


def test_a_trembling_leader_is_approached_steadily() -> None:
    """A tick of noise in the leader does not make the approach go to and fro."""
    arm = Arm()
    before = 0.0
    for step in range(300):
        arm.send((0.3 + (RAD_PER_TICK if step % 2 else 0.0), 0.0, 0.0))
        position = arm.step(4).position[0]
        assert position >= before - 0.25 * RAD_PER_TICK or position > 0.3 - RAD_PER_TICK
        before = position
    assert arm.state is GuardState.TRACKING


@pytest.mark.parametrize('seed', range(4))
def test_a_jump_of_a_noisy_leader_is_one_intervention(seed: int) -> None:
    """Noise of a tick at 250 Hz does not make the end of the approach a second intervention."""
    dice = Random(seed)
    arm = Arm()
    arm.stream(ZERO, 100)
    for _ in range(500):
        ticks = round((0.4 + dice.gauss(0.0, 0.0007)) / RAD_PER_TICK)
        arm.send((ticks * RAD_PER_TICK, 0.0, 0.0))
        arm.step(4)
    assert arm.guard.status.interventions == 1


def test_a_leader_slightly_too_fast_is_noticed() -> None:
    """A lag that grows slowly is told once it exceeds the tolerance, not later."""
    arm = Arm(limits=(JointLimit('pan', -3.0, 3.0, 4.0, 30.0),))
    arm.stream((0.0,), 100)
    angle = 0.0
    for step in range(70):
        angle += 4.3 * 0.01 * min(step / 30, 1.0)
        arm.send((angle,))
        arm.step()
        arm.step()
    assert arm.count('velocity_cap') == 1
    assert arm.guard.status.interventions == 1


def test_meeting_a_leader_by_chance_after_a_pause_does_not_skip_the_ramp() -> None:
    """The time together counts from the owner's first message, not from before it."""
    arm = Arm()
    arm.run(500)
    arm.send(ZERO)
    arm.step()
    assert arm.state is GuardState.RAMPING


def test_a_fast_leader_through_the_limit_is_one_intervention() -> None:
    """Braking ahead of the limit is told as the limit's doing, not as a cap's."""
    arm = Arm()
    arm.stream(ZERO, 100)
    position = 0.0
    for step in range(140):
        position += min(step, 60) * 0.0005
        arm.send((min(position, 2.8), 0.0, 0.0))
        arm.step(10)
    status = arm.guard.status
    assert {word: count for word, count in status.counters.items() if count} == {
        'position_limit': 1}


def test_an_episode_counts_again_after_it_was_over() -> None:
    """Two jumps with a pause between them are two interventions."""
    arm = Arm()
    arm.stream(ZERO, 100)
    for target in (0.5, 0.0):
        arm.stream((target, 0.0, 0.0), 1000)
    assert arm.count('velocity_cap') == 2


def test_a_position_beyond_a_limit_is_held_at_the_limit() -> None:
    """A leader beyond the limit is one intervention, with joint and numbers in the detail."""
    arm = Arm()
    arm.stream(ZERO, 100)
    for step in range(200):
        arm.send((0.0, 0.85 * (1 - cos(pi * step / 199)), 0.0))
        goal = arm.step(10)
    assert goal.position[1] == pytest.approx(1.5, abs=1e-9)
    status = arm.guard.status
    assert status.reason == 'position_limit'
    assert status.joints == ('lift',)
    assert status.counters['position_limit'] == 1
    assert status.interventions == 1
    generation = status.generation
    arm.stream((0.0, 1.7, 0.0), 900)
    assert arm.guard.generation == generation


def test_a_silent_stream_stops_the_arm_and_resumes_with_a_ramp() -> None:
    """After 100 ms without a point the arm stops, holds, and ramps when the owner is back."""
    arm = Arm()
    arm.stream(ZERO, 100)
    for step in range(20):
        arm.send((0.02 * step, 0.0, 0.0))
        arm.step(10)
    arm.run(85)
    assert arm.state is GuardState.TRACKING
    arm.run(20)
    assert arm.state in (GuardState.STOPPING, GuardState.HOLDING)
    assert arm.guard.status.reason == 'stream_silent'
    held = arm.run(300).position
    assert arm.state is GuardState.HOLDING
    assert arm.run(100).position == held
    assert arm.count('stream_silent') == 1
    arm.send((1.0, 0.0, 0.0))
    assert arm.state is GuardState.RAMPING


def test_silence_in_full_motion_ends_within_the_caps() -> None:
    """A stream that ends at 3 rad/s comes to rest near its last point; every step is judged."""
    arm = Arm()
    arm.stream(ZERO, 100)
    position = 0.0
    for step in range(60):
        position += min(step * 0.002, 0.03)
        arm.send((position, 0.0, 0.0))
        arm.step(10)
    assert arm.guard.step(arm.now_ns).velocity[0] > 2.5
    goal = arm.run(500)
    assert arm.state is GuardState.HOLDING
    assert goal.velocity == ZERO
    assert abs(goal.position[0] - position) < 3.0 ** 2 / 60


def test_a_trajectory_runs_to_its_end_and_holds() -> None:
    """A silent owner's trajectory is followed on time to its end; then the arm holds."""
    arm = Arm()
    points = [TrajectoryPoint(arm.now_ns + t * MS, (p, 0.0, 0.0))
              for t, p in ((500, 0.1), (1500, -0.2), (2500, 0.0))]
    assert arm.send_points(points) is None
    assert arm.run(500).position[0] == pytest.approx(0.1, abs=1e-3)
    assert arm.run(500).position[0] == pytest.approx(-0.05, abs=1e-6)
    assert arm.run(500).position[0] == pytest.approx(-0.2, abs=2e-3)
    assert arm.run(1050).position == pytest.approx(ZERO, abs=1e-9)
    assert arm.state is GuardState.HOLDING
    assert arm.guard.status.reason == 'trajectory_done'
    assert arm.guard.status.interventions == 0


def test_an_owner_that_goes_on_in_time_needs_no_ramp() -> None:
    """The next trajectory within the owner timeout is followed within the full caps."""
    arm = Arm()
    arm.send((0.1, 0.0, 0.0), in_ms=300)
    arm.run(500)
    assert arm.state is GuardState.HOLDING
    arm.send((0.5, 0.0, 0.0), in_ms=250)
    assert arm.state is GuardState.TRACKING
    assert arm.run(300).position[0] == pytest.approx(0.5, abs=1e-6)


def test_a_trajectory_too_fast_ends_late_but_ends() -> None:
    """A trajectory the ramp cannot keep up with still reaches its end, without a jump."""
    arm = Arm()
    arm.send((1.0, 0.0, 0.0), in_ms=500)
    arm.run(1500)
    assert arm.state is GuardState.RAMPING
    assert arm.run(800).position[0] == 1.0
    assert arm.state is GuardState.HOLDING
    assert arm.count('ramp') == 1


def test_the_ramp_is_never_faster_than_the_request() -> None:
    """A slow first trajectory is followed as it was asked for."""
    arm = Arm()
    arm.send((0.2, 0.0, 0.0), in_ms=2000)
    for _ in range(20):
        goal = arm.run(100)
        assert goal.position[0] <= 0.1 * (arm.now_ns - BEGIN_NS) / (1000 * MS) + 1e-9
    assert arm.run(50).position[0] == pytest.approx(0.2, abs=1e-6)


def test_a_slow_trajectory_passes_exactly_while_ramping() -> None:
    """Halfway through the time the arm is halfway, to rounding."""
    arm = Arm()
    arm.send((0.2, 0.0, 0.0), in_ms=2000)
    assert arm.run(1000).position[0] == pytest.approx(0.1, abs=1e-9)


def test_joints_not_named_keep_their_commanded_position() -> None:
    """A message for one joint brakes the others and holds them where they stop."""
    arm = Arm()
    arm.stream((0.1, 0.2, 0.1), 1000)
    goal = arm.stream((0.3,), 500, names=('pan',))
    assert goal.position[1:] == pytest.approx((0.2, 0.1), abs=1e-3)
    held = goal.position[1:]
    assert arm.stream((0.3,), 500, names=('pan',)).position[1:] == held


@pytest.mark.parametrize('start, side', [((2.4, 0.0, 0.0), 1), ((-2.4, 0.0, 0.0), -1)])
def test_outside_the_limits_only_inward_motion_is_allowed(
    start: tuple[float, ...], side: int,
) -> None:
    """An arm activated outside holds, comes in at the engage velocity, and stays in."""
    arm = Arm(start=start)
    assert arm.guard.status.reason == 'outside_limits'
    assert arm.guard.status.joints == ('pan',)
    assert arm.run(200).position == start
    before = abs(start[0])
    for _ in range(500):
        arm.send((2.5 * side, 0.0, 0.0))
        now = abs(arm.step().position[0])
        assert before - now <= 0.5 * 0.005 + 1e-9
        assert now <= before
        before = now
    assert before == pytest.approx(2.0, abs=1e-9)


def test_a_joint_outside_is_slow_even_while_the_arm_is_tracked() -> None:
    """A joint that comes into play outside its limits moves at the engage velocity."""
    arm = Arm(start=(2.4, 0.0, 0.0))
    arm.stream((0.0, 0.0), 100, names=('lift', 'grip'))
    assert arm.state is GuardState.TRACKING
    before = 2.4
    while before > 2.0:
        arm.send((1.0, 0.0, 0.0))
        now = arm.step().position[0]
        assert before - now <= 0.5 * 0.005 + 1e-9
        before = now
    assert arm.state is GuardState.TRACKING


def test_an_arm_outside_may_pull_in_at_full_caps_once_inside() -> None:
    """Only while outside is the joint held to the engage velocity."""
    arm = Arm(start=(2.2, 0.0, 0.0))
    arm.stream((1.9, 0.0, 0.0), 1500)
    assert arm.state is GuardState.TRACKING
    arm.send((0.9, 0.0, 0.0), in_ms=400)
    assert arm.run(500).position[0] == pytest.approx(0.9, abs=1e-6)


def test_a_late_cycle_within_50_ms_goes_on_at_speed() -> None:
    """A cycle of 30 ms moves by what is due, as the caps of its real length allow."""
    arm = Arm()
    arm.stream(ZERO, 100)
    arm.send((1.0, 0.0, 0.0), in_ms=1000)
    before = arm.run(500).position[0]
    assert arm.step(30).position[0] == pytest.approx(before + 0.03, abs=1e-9)
    assert arm.guard.status.interventions == 0


def test_a_stall_is_followed_by_motion_from_rest() -> None:
    """After a second without a cycle the goal does not jump; the arm catches up within caps."""
    arm = Arm()
    arm.stream(ZERO, 100)
    arm.send((1.5, 0.0, 0.0), in_ms=1500)
    before = arm.run(300).position[0]
    after = arm.step(1000).position[0]
    assert abs(after - before) < 0.001
    assert arm.count('late_cycle') == 1
    assert arm.guard.status.joints in ((), ('pan',))
    assert arm.run(600).position[0] == pytest.approx(1.5, abs=1e-6)


def test_deactivation_decelerates_and_holds() -> None:
    """The arm stops within its caps; once it stands the guard is inactive."""
    arm = Arm()
    arm.stream(ZERO, 100)
    arm.send((1.0, 0.0, 0.0), in_ms=500)
    arm.run(200)
    arm.guard.deactivate(arm.now_ns)
    assert arm.state is GuardState.STOPPING
    assert arm.send(ZERO).reason is Reason.NOT_ACTIVE
    while arm.state is GuardState.STOPPING:
        goal = arm.step()
        assert goal.active
    assert arm.state is GuardState.INACTIVE
    assert goal.velocity == ZERO
    assert not arm.step().active


def test_reactivation_begins_without_owner_and_with_the_ramp() -> None:
    """Nothing of the time before survives a deactivation."""
    arm = Arm()
    arm.stream(ZERO, 100)
    arm.guard.deactivate(arm.now_ns)
    arm.run(20)
    arm.activate((0.7, 0.0, 0.0))
    assert arm.guard.status.owner == ''
    arm.send((0.9, 0.0, 0.0))
    assert arm.state is GuardState.RAMPING


def test_estop_holds_within_the_caps_and_stays_latched() -> None:
    """The arm brakes, holds and refuses everything until reset, acquire, and then ramps."""
    arm = Arm()
    arm.stream(ZERO, 100)
    arm.send((1.0, 0.0, 0.0), in_ms=500)
    arm.run(200)
    arm.guard.estop('button on /estop', arm.now_ns)
    arm.guard.estop('again', arm.now_ns)
    assert arm.state is GuardState.ESTOPPED
    assert arm.guard.reset_estop(arm.now_ns)[0] is False
    held = arm.run(200).position
    assert arm.run(100).position == held
    assert arm.send(ZERO).reason is Reason.ESTOPPED
    assert not arm.guard.acquire('teleop', arm.now_ns)[0]
    status = arm.guard.status
    assert (status.reason, status.detail) == ('estop', 'button on /estop')
    assert status.counters['estop'] == 1
    assert arm.guard.reset_estop(arm.now_ns)[0]
    assert arm.state is GuardState.HOLDING
    assert arm.send(ZERO).reason is Reason.ACQUIRE_NEEDED
    assert arm.guard.acquire('policy', arm.now_ns)[0]
    assert arm.send((0.0, 0.0, 0.0), source='policy') is None
    assert arm.state is GuardState.RAMPING


def test_estop_survives_deactivation_and_activation() -> None:
    """A latched stop is left by its reset alone."""
    arm = Arm()
    arm.guard.estop('button', arm.now_ns)
    arm.guard.deactivate(arm.now_ns)
    arm.run(20)
    assert arm.state is GuardState.ESTOPPED
    assert not arm.step().active
    arm.activate(ZERO)
    assert arm.state is GuardState.ESTOPPED
    assert arm.send(ZERO).reason is Reason.ESTOPPED
    assert arm.guard.reset_estop(arm.now_ns)[0]


def test_estop_in_the_inactive_state_latches_too() -> None:
    """A stop pressed before activation holds the arm after it."""
    arm = Arm()
    arm.guard.deactivate(arm.now_ns)
    arm.run(20)
    arm.guard.estop('button', arm.now_ns)
    assert arm.state is GuardState.ESTOPPED
    assert arm.guard.reset_estop(arm.now_ns)[0]
    assert arm.state is GuardState.INACTIVE


def test_estop_with_release_gives_the_torque_up_and_takes_the_pose_found() -> None:
    """While released the goal is what is measured; after the reset that pose is held."""
    arm = Arm(estop_effect='release')
    arm.stream(ZERO, 100)
    arm.guard.estop('button', arm.now_ns)
    arm.now_ns += 5 * MS
    goal = arm.guard.step(arm.now_ns, (0.0, 0.0, 0.0))
    assert goal.released and goal.active
    arm.now_ns += 500 * MS
    goal = arm.guard.step(arm.now_ns, (0.1, -0.7, 0.0))
    assert goal.released and goal.position == (0.1, -0.7, 0.0)
    assert arm.guard.reset_estop(arm.now_ns)[0]
    arm.judge.begin(arm.now_ns, goal.position)
    goal = arm.step()
    assert not goal.released
    assert goal.position == (0.1, -0.7, 0.0)


def test_a_reset_without_a_stop_is_harmless() -> None:
    """Resetting twice is no error and changes no owner."""
    arm = Arm()
    arm.stream(ZERO, 100)
    assert arm.guard.reset_estop(arm.now_ns)[0]
    assert arm.guard.status.owner == 'teleop'
    assert arm.state is GuardState.TRACKING


def test_rebase_holds_the_pose_found_and_ramps() -> None:
    """After a reconnect the goal is the measured pose, and the owner that goes on ramps."""
    arm = Arm()
    arm.stream((0.2, 0.0, 0.0), 1000)
    measured = (-0.6, 0.1, 0.0)
    arm.guard.rebase(arm.now_ns, measured)
    arm.judge.begin(arm.now_ns, measured)
    assert arm.guard.status.reason == 'rebased'
    assert arm.step().position == measured
    arm.send((0.2, 0.0, 0.0))
    assert arm.state is GuardState.RAMPING
    assert arm.guard.status.owner == 'teleop'


def test_rebase_leaves_an_emergency_stop_latched() -> None:
    """A reconnect does not reset a stop."""
    arm = Arm()
    arm.guard.estop('button', arm.now_ns)
    arm.guard.rebase(arm.now_ns, ZERO)
    assert arm.state is GuardState.ESTOPPED
    assert arm.guard.status.reason == 'estop'


def test_every_change_of_state_is_a_new_generation() -> None:
    """The generation grows with every state, owner or reason, and rests while nothing changes."""
    arm = Arm()
    seen = set()

    def note() -> None:
        status = arm.guard.status
        key = (status.state, status.owner, status.reason, status.joints)
        assert (status.generation in generations) == (key in seen), key
        seen.add(key)
        generations.add(status.generation)

    generations: set[int] = set()
    note()
    for target in (0.0, 0.5):
        for _ in range(100):
            arm.send((target, 0.0, 0.0))
            arm.step()
            note()
    arm.run(1000)
    note()
    generation = arm.guard.generation
    arm.run(2000)
    assert arm.guard.generation == generation


def test_refusals_show_once_and_their_counters_once_a_second() -> None:
    """A bystander's stream of refused messages does not flood guard_state."""
    arm = Arm()
    arm.stream(ZERO, 100, source='policy')
    begin = arm.guard.generation
    for _ in range(300):
        arm.send(ZERO, source='policy')
        assert arm.send(ZERO, source='teleop') is not None
        arm.step(10)
    assert arm.count('not_owner') == 300
    assert 3 <= arm.guard.generation - begin <= 5


def test_a_step_that_does_not_advance_changes_nothing() -> None:
    """The same instant and an earlier one give the same goal."""
    arm = Arm()
    arm.stream(ZERO, 100)
    arm.send((1.0, 0.0, 0.0), in_ms=500)
    goal = arm.run(100)
    assert arm.guard.step(arm.now_ns) == goal
    assert arm.guard.step(arm.now_ns - 3 * MS) == goal


@pytest.mark.parametrize('changes, words', [
    ({'joints': ()}, 'joints'),
    ({'joints': (LIMITS[0], LIMITS[0])}, 'each once'),
    ({'sources': {}}, 'at least one source'),
    ({'engage_velocity': 0.0}, 'engage_velocity'),
    ({'engage_velocity': nan}, 'engage_velocity'),
    ({'command_timeout_ns': 0}, 'command_timeout_ns'),
    ({'estop_effect': 'explode'}, 'explode'),
])
def test_a_configuration_that_cannot_guard_is_refused(
    changes: dict[str, object], words: str,
) -> None:
    """Every field is checked by name."""
    fields = {'joints': LIMITS, 'sources': {'teleop': 0}, **changes}
    with pytest.raises(ValueError, match=words):
        GuardConfig(**fields)


@pytest.mark.parametrize('values', [
    (1.0, 1.0, 4.0, 30.0), (-1.0, nan, 4.0, 30.0), (-1.0, 1.0, 0.0, 30.0), (-1.0, 1.0, 4.0, -1.0),
])
def test_a_limit_that_cannot_hold_is_refused(values: tuple[float, ...]) -> None:
    """Empty ranges, NaN and caps of zero are refused by joint name."""
    with pytest.raises(ValueError, match='pan'):
        JointLimit('pan', *values)


def test_every_reason_is_one_word_with_a_meaning() -> None:
    """Words are unique and fit a topic; meanings fit a table."""
    words = [reason.word for reason in Reason]
    assert len(set(words)) == len(words)
    for reason in Reason:
        assert reason.word.replace('_', '').isalpha() and reason.word.islower()
        assert 10 < len(reason.meaning) < 90
