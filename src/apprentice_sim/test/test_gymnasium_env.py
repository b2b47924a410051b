# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The simulation as gymnasium environments."""
from __future__ import annotations

from math import radians
import subprocess
import sys

from apprentice_contract.units import conversion
from apprentice_sim.dataset_units import DatasetUnits
from apprentice_sim.dataset_units import GRIPPER
from apprentice_sim.demonstrator import Demonstrator
from apprentice_sim.kinematics import ToolPose
from apprentice_sim.kinematics import UnreachableError
from apprentice_sim.workcell import Workcell
import numpy as np
import pytest

gymnasium = pytest.importorskip('gymnasium')
# It registers the environments when it is imported.
ours = pytest.importorskip('apprentice_sim.gymnasium_env')

STATE, ENVIRONMENT = 'observation.state', 'observation.environment_state'


def rollout(env: object, seed: int, steps: int) -> list[np.ndarray]:
    """Return states and cube poses under actions that follow from the seed."""
    observation, _ = env.reset(seed=seed)
    random = np.random.default_rng(seed)
    seen = []
    for _ in range(steps):
        action = observation[STATE] + random.uniform(-8, 8, 6)
        observation = env.step(action.astype(np.float32))[0]
        seen += [observation[STATE], observation[ENVIRONMENT]]
    return seen


def test_units_are_those_of_the_contract() -> None:
    """Radians become what the recorder writes over ROS."""
    cell = Workcell('so100')
    units = cell.units
    positions = [0.1, -1.2, 0.7, 0.4, -2.0, 0.3]
    expected = []
    for name, position in zip(cell.physics.joint_names, positions, strict=True):
        joint = units.calibration[name]
        unit = 'percent' if name == GRIPPER else 'degrees'
        found = conversion(unit, (joint.lower_rad, joint.upper_rad))
        expected.append(position * found.scale + found.offset)
    assert units.from_radians(positions) == pytest.approx(expected, rel=1e-6)
    assert units.to_radians(units.from_radians(positions)) == pytest.approx(positions, abs=1e-6)


def test_targets_stay_within_the_guards_limits() -> None:
    """What lies beyond the calibrated range less two degrees is cut off."""
    units = DatasetUnits(Workcell('so100').physics.joint_names)
    high = units.to_radians([1e4] * 6)
    for limit, value in zip(units.limits, high, strict=True):
        joint = units.calibration[limit.name]
        assert value == pytest.approx(joint.upper_rad - radians(2.0), abs=1e-6)


def test_environments_pass_the_checker() -> None:
    """The checker of gymnasium accepts spaces and answers."""
    from gymnasium.utils.env_checker import check_env
    for name in (ours.PICK_PLACE, ours.REACH):
        env = gymnasium.make(name)
        with pytest.warns(UserWarning, match='Box'):
            check_env(env.unwrapped, skip_render_check=True)
        env.close()


def test_a_seed_fixes_everything() -> None:
    """An episode is the same to the last bit in another environment with another past."""
    first, second = gymnasium.make(ours.PICK_PLACE), gymnasium.make(ours.PICK_PLACE)
    rollout(second, 99, 25)
    for one, other in zip(rollout(first, 7, 40), rollout(second, 7, 40), strict=True):
        assert np.array_equal(one, other)
    other = rollout(first, 8, 1)
    assert not np.array_equal(other[1], rollout(second, 7, 1)[1])


def test_the_world_is_that_of_the_ros_simulation() -> None:
    """Seed 5 puts cube and bin where `sim/reset` with seed 5 puts them."""
    from apprentice_sim.physics import Physics
    env = gymnasium.make(ours.PICK_PLACE)
    observation, _ = env.reset(seed=5)
    physics = Physics('so100', 5)
    assert physics.bin() == env.unwrapped.workcell.physics.bin()
    assert observation[ENVIRONMENT][:2] == pytest.approx(physics.variation.cube_xy, abs=1e-6)
    yaw = np.arctan2(*observation[ENVIRONMENT][3:])
    assert yaw == pytest.approx(physics.variation.cube_yaw, abs=1e-5)


@pytest.mark.parametrize('seed', [11, 12, 13])
def test_the_demonstrator_succeeds(seed: int) -> None:
    """The scripted operator puts the cube into the bin through the environment's actions."""
    env = gymnasium.make(ours.PICK_PLACE)
    env.reset(seed=seed)
    cell = env.unwrapped.workcell
    demonstrator = Demonstrator('so100', cell.sight().follower, seed)
    demonstrator.begin()
    ended = False
    while not ended:
        hand = demonstrator.step(1 / 30, cell.sight())
        _, reward, ended, truncated, info = env.step(cell.units.from_radians(hand))
        assert not truncated and info['is_success'] == ended and reward == float(ended)


def test_doing_nothing_is_no_success() -> None:
    """An arm that stays where it is ends by the time limit, without reward."""
    env = gymnasium.make(ours.PICK_PLACE, max_episode_steps=30)
    observation, _ = env.reset(seed=0)
    for _ in range(30):
        now, reward, terminated, truncated, info = env.step(observation[STATE])
    assert truncated and not terminated and not info['is_success'] and reward == 0.0
    assert np.abs(now[STATE] - observation[STATE]).max() < 3.0


def test_a_leap_is_capped_like_the_guard_does() -> None:
    """No joint is commanded faster than 4 rad/s or accelerated beyond 30 rad/s^2."""
    cell = Workcell('so100')
    cell.reset(0)
    speeds = []
    for _ in range(6):
        cell.step([60.0, 0.0, 0.0, 0.0, 60.0, 80.0])
        speeds.append(max(abs(follower.velocity) for follower in cell._followers))
    assert max(speeds) == pytest.approx(4.0)
    assert all(later - speed <= 30.0 / 30 + 0.2
               for speed, later in zip([0.0, *speeds], speeds, strict=False))


def test_the_gripper_protects_itself() -> None:
    """Squeezing the closed jaw for seconds trips the overload protection of its servo."""
    cell = Workcell('so100')
    cell.reset(0)
    gripper = cell._servos.servos[5]
    assert gripper.torque_limit == 0.5
    state = cell.joints()
    cell.physics.model.jnt_range[5] = cell.physics.joints()[5] - 0.01, 2.0
    state[5] = 0.0
    for _ in range(150):
        cell.step(state)
    assert gripper.alarm and gripper.torque_limit < 0.5


@pytest.mark.parametrize('action', [[0.0] * 5, [0.0, 0.0, 0.0, 0.0, 0.0, float('nan')]])
def test_bad_actions_are_refused(action: list[float]) -> None:
    """Another number of joints or NaN is an error that names the joints."""
    cell = Workcell('so100')
    with pytest.raises(ValueError, match='expected 6 finite numbers .shoulder_pan.pos'):
        cell.step(action)


def test_reach_is_solved_by_going_there() -> None:
    """The joints that take the tool to the goal earn success; success is not the first touch."""
    env = gymnasium.make(ours.REACH)
    observation, _ = env.reset(seed=3)
    task = env.unwrapped
    goal = observation[ENVIRONMENT][:3].astype(float)
    joints = None
    for pitch in np.linspace(-1.5, 0.5, 21):
        try:
            found = task._kinematics.inverse(ToolPose(*goal, pitch, 0.0))
        except UnreachableError:
            continue
        if task._kinematics.within_limits(found, 0.1):
            joints = found
            break
    target = task.workcell.units.from_radians([*joints, 0.0])
    results = [env.step(target) for _ in range(ours.REACH_STEPS)]
    touched = [info['distance_m'] < ours.GOAL_TOLERANCE_M for *_, info in results]
    succeeded = [info['is_success'] for *_, info in results]
    assert succeeded[-1] and succeeded.index(True) == touched.index(True) + 9
    assert results[-1][1] > 0.85 > results[0][1]
    assert results[-1][3] and not results[-1][2]


def test_cameras_see_the_world(opengl: str) -> None:
    """Pictures have the size asked for and follow the seed; frames are for people."""
    env = gymnasium.make(
        ours.PICK_PLACE, cameras=('front', 'wrist'), width=64, height=48,
        render_mode='rgb_array')
    first, _ = env.reset(seed=1)
    assert env.observation_space.contains(first)
    front, wrist = (first[f'observation.images.{name}'] for name in ('front', 'wrist'))
    assert front.shape == wrist.shape == (48, 64, 3) and front.std() > 10
    again, _ = env.reset(seed=2)
    assert not np.array_equal(front, again['observation.images.front'])
    assert env.render().shape == (240, 320, 3)
    env.close()


def test_an_unknown_camera_is_refused() -> None:
    """The error lists the cameras that there are."""
    with pytest.raises(ValueError, match="found .'top'., expected some of .'front', 'wrist'."):
        ours.SO100PickPlaceEnv(cameras=('top',))


def test_gymnasium_is_optional() -> None:
    """All but the environments themselves work where gymnasium is not installed."""
    code = ("import sys; sys.modules['gymnasium'] = None\n"
            'import apprentice_sim.demonstration, apprentice_sim.workcell')
    subprocess.run([sys.executable, '-c', code], check=True, timeout=60)
