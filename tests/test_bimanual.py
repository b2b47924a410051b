# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Two simulated pairs below a namespace: each follows its leader, and one recorder has both."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
import math
import os
from pathlib import Path
import signal
import sys
import time
from typing import Any

from ament_index_python.packages import get_package_share_directory
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import JointRanges
from apprentice_sim.testing import so_arm_process
import domain_coordinator
import pytest
import rclpy
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from robot_harness import Launch
from robot_harness import launched
from robot_harness import wait
from robot_harness import Watcher
from std_msgs.msg import Bool
import yaml

sys.path.insert(0, str(Path(__file__).parent / 'benchmarks'))

from _common import JOINTS  # noqa: E402,I100
from _common import own_domain  # noqa: E402
from _recorder import Operator  # noqa: E402

pytestmark = pytest.mark.timeout(150)
ROOT = Path(__file__).resolve().parents[1]
SHARE = Path(get_package_share_directory('so100_bringup'))
SIDES = ('left', 'right')
ROLES = ('leader', 'follower')
NAMESPACE = 'lab'
# What the hand adds to the pose in which the leaders stand at first, rad, in the order of JOINTS.
MOVED = {'left': (0.30, 0.05, -0.05, 0.20, 0.40, 0.40),
         'right': (-0.20, 0.20, -0.20, -0.20, -0.30, 0.05)}
SWING_RAD = 0.25
NEAR_RAD = 0.06
ROWS = 60


class Robot:
    """The launch, and both pairs seen from outside."""

    def __init__(self, folder: Path, domain: str) -> None:
        """Start it at half the rate, to leave something of a small machine."""
        self.dataset = folder / 'data'
        # Whether other work on this machine made a row repeat a sample is not asked here.
        (folder / 'contract.yaml').write_text(
            _halved((ROOT / 'config' / 'bimanual' / 'contract_joints.yaml').read_text())
            + 'holds: {in_a_row: 1000, share: 1.0}\nrate_tolerance: 0.2\n')
        self.launch = Launch(
            ['so100_bringup', 'bimanual.launch.py', 'hardware:=sim', f'namespace:={NAMESPACE}',
             params_file(folder), f'contract:={folder / "contract.yaml"}',
             f'dataset:={self.dataset}', 'task:=fold'], domain, folder)
        self.sides = {side: Watcher(domain, f'{NAMESPACE}/{side}') for side in SIDES}
        self.ranges: dict[str, JointRanges] = {}
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        for side, watcher in self.sides.items():
            watcher.node.create_subscription(
                JointRanges, 'follower/joint_ranges',
                lambda message, side=side: self.ranges.update({side: message}), latched)
        self._estop = self.sides['left'].node.create_publisher(Bool, '/estop', 1)

    def wait(self, condition: Callable[[], bool], timeout_s: float = 40.0) -> bool:
        """Spin both watchers until the condition holds; return whether it does."""
        end = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end:
            for watcher in self.sides.values():
                watcher.executor.spin_once(timeout_sec=0.01)
        return condition()

    def pose(self, side: str, arm: str = 'follower') -> dict[str, float]:
        """Return where an arm stands, rad."""
        return dict(self.sides[side].states[f'{arm}/joint_states'])

    def follows(self, side: str, goal: Mapping[str, float]) -> bool:
        """Hold one leader in a pose and return whether its follower arrives there."""
        def arrived() -> bool:
            self.sides[side].hold_leader(**goal)
            pose = self.pose(side)
            return all(abs(pose[joint] - q) < NEAR_RAD for joint, q in goal.items())
        return self.wait(arrived, 20.0)

    def stop(self) -> None:
        """Press the emergency stop of the whole robot."""
        self._estop.publish(Bool(data=True))

    def states(self) -> dict[str, int | None]:
        """Return the guard's state of each side."""
        return {side: watcher.guard.state if watcher.guard else None
                for side, watcher in self.sides.items()}

    def close(self) -> None:
        """End whatever is left."""
        for watcher in self.sides.values():
            watcher.close()
        self.launch.kill()


def params_file(folder: Path) -> str:
    """Write the parameters with the drivers at half their rate; return the launch argument."""
    params = SHARE / 'config' / 'params.yaml'
    (folder / 'params.yaml').write_text(_halved(params.read_text()))
    return f'params_file:={folder / "params.yaml"}'


def _halved(text: str) -> str:
    assert 'rate_hz: 200' in text
    return text.replace('rate_hz: 200', 'rate_hz: 100')


@pytest.fixture(scope='module')
def robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Robot]:
    """Bring both pairs up, each driven by its own teleoperation."""
    with own_domain() as environment:
        rclpy.init()
        robot = Robot(tmp_path_factory.mktemp('bimanual'), environment['ROS_DOMAIN_ID'])
        try:
            assert robot.wait(
                lambda: all(one.is_tracking() and one.world and 'leader/joint_states' in one.states
                            for one in robot.sides.values()) and len(robot.ranges) == 2), \
                robot.launch.output()
            yield robot
        finally:
            robot.close()
            rclpy.try_shutdown()


def test_each_follower_follows_its_own_leader(robot: Robot) -> None:
    """One side's hand moves that side, in the simulated world itself, and nothing of the other."""
    goals = {side: robot.pose(side, 'leader') for side in SIDES}
    for side in SIDES:
        assert robot.follows(side, goals[side]), (side, goals[side], robot.pose(side))
    for side, other in (SIDES, SIDES[::-1]):
        goals[side] = {joint: goals[side][joint] + moved
                       for joint, moved in zip(JOINTS, MOVED[side])}
        assert robot.follows(side, goals[side]), (side, goals[side], robot.pose(side))
        assert robot.pose(other) == pytest.approx(goals[other], abs=NEAR_RAD)
        world = robot.sides[side].world.follower
        assert world[0] == pytest.approx(goals[side]['shoulder_pan'], abs=NEAR_RAD)
    assert robot.launch.output().count('SIMULATION: asked for') == 2


def test_the_dataset_has_both_arms_in_the_order_of_the_contract(robot: Robot) -> None:
    """
    Left comes first, as in LeRobot; each column has its joint; only the moved one moves.

    Pre-flight finds the diagnostics that it wants, which the namespace has moved.
    """
    goals = {side: robot.pose(side, 'leader') for side in SIDES}
    operator = Operator(robot.dataset, NAMESPACE)
    try:
        operator.spin_until(lambda: operator.status, 40.0, 'the recorder is up')
        operator.await_ready()
        operator.start()
        begin = time.monotonic()

        def recorded() -> bool:
            swing = SWING_RAD * (1.0 - math.cos(2.0 * (time.monotonic() - begin))) / 2.0
            robot.sides['left'].hold_leader(
                shoulder_pan=goals['left']['shoulder_pan'] - swing)
            operator.spin(0.005)
            return operator.status.rows >= ROWS
        assert robot.wait(recorded, 40.0), operator.status
        operator.save()
    finally:
        operator.close()
    names = [f'{side}_{joint}.pos' for side in SIDES for joint in JOINTS]
    assert validate(robot.dataset, deep=True) == []
    dataset = Dataset.open(robot.dataset)
    assert dataset.info.robot_type == 'bi_so_follower' and list(dataset.tasks) == ['fold']
    rows = dataset.rows(0).to_pydict()
    assert dataset.info.features['sync.guard'].names == list(SIDES)
    assert {len(states) for states in rows['sync.guard']} == {2}
    assert {state for states in rows['sync.guard'] for state in states} <= {
        GuardState.RAMPING, GuardState.TRACKING}
    for feature in ('observation.state', 'action'):
        assert list(dataset.info.features[feature].names) == names
        columns = dict(zip(names, zip(*rows[feature])))
        for side in SIDES:
            for joint in JOINTS:
                check_column(robot, side, joint, goals[side][joint], columns)


def check_column(
    robot: Robot, side: str, joint: str, leader: float, columns: Mapping[str, tuple[float, ...]],
) -> None:
    """Compare a column with where the hand held that joint of that side's leader."""
    values = columns[f'{side}_{joint}.pos']
    scale = 180.0 / math.pi
    if joint == 'gripper':
        # Teleoperation maps it by the share of the two calibrated ranges.
        expected, scale = _share(robot.ranges[side], robot.pose(side)[joint]), 100.0
    else:
        expected = leader * scale
    if (side, joint) == ('left', 'shoulder_pan'):
        assert max(values) - min(values) > 0.6 * SWING_RAD * scale
        assert max(values) == pytest.approx(expected, abs=NEAR_RAD * scale)
    else:
        assert values == pytest.approx([expected] * len(values), abs=NEAR_RAD * scale)


def _share(ranges: JointRanges, position: float) -> float:
    index = list(ranges.name).index('gripper')
    low, high = ranges.lower[index], ranges.upper[index]
    return 100.0 * (position - low) / (high - low)


def test_one_emergency_stop_holds_both(robot: Robot) -> None:
    """`/estop` is the robot's, not a side's: no hand moves any follower then."""
    for side in SIDES:
        assert robot.follows(side, robot.pose(side, 'leader'))

    def stopped() -> bool:
        robot.stop()
        return set(robot.states().values()) == {GuardState.ESTOPPED}
    assert robot.wait(stopped, 20.0), robot.states()
    still = {side: robot.pose(side) for side in SIDES}
    end = time.monotonic() + 1.0

    def waved() -> bool:
        for side, watcher in robot.sides.items():
            watcher.hold_leader(shoulder_pan=still[side]['shoulder_pan'] + 0.4)
        return time.monotonic() > end
    assert robot.wait(waved, 20.0)
    for side in SIDES:
        assert robot.pose(side) == pytest.approx(still[side], abs=0.02)
        assert robot.pose(side, 'leader')['shoulder_pan'] > still[side]['shoulder_pan'] + 0.3


def _kill_follower(launch: Launch, side: str) -> None:
    follower = launch.find('feetech_driver/driver', f'__ns:=/{NAMESPACE}/{side}/follower')
    os.kill(follower, signal.SIGKILL)


def test_the_end_of_one_pair_leaves_the_other(robot: Robot) -> None:
    """A follower's driver is killed: its pair ends, the other goes on, and so does the launch."""
    launch, left = robot.launch, robot.sides['left']
    _kill_follower(launch, 'right')
    assert robot.wait(lambda: 'the right pair has ended (exit code 1); the left pair keeps running'
                      in launch.output(), 30.0), launch.output()
    assert not any('/right' in command for command in launch.processes().values())
    left.states.clear()
    assert robot.wait(lambda: 'follower/joint_states' in left.states, 10.0)
    assert launch.process.poll() is None
    _kill_follower(launch, 'left')
    assert launch.process.wait(30.0) == 1
    launch.assert_gone()
    assert 'the left pair has ended (exit code 1), and no other runs' in launch.output()


def test_the_ports_of_the_hardware_file_are_driven(tmp_path: Path) -> None:
    """Four configured arms are four real arms, each at its own port; Ctrl-C releases them all."""
    with ExitStack() as stack:
        document: dict[str, Any] = {'version': 1, **{side: {} for side in SIDES}}
        for side in SIDES:
            (tmp_path / side).mkdir()
            for role in ROLES:
                calibration = str(SHARE / 'config' / 'sim' / f'{role}.json')
                port, _ = stack.enter_context(so_arm_process(
                    role, tmp_path / side, '--calibration', calibration))
                document[side][role] = {'port': port, 'calibration_file': calibration}
        (tmp_path / 'hardware.yaml').write_text(yaml.safe_dump(document))
        domain = str(stack.enter_context(domain_coordinator.domain_id()))
        launch, watcher = stack.enter_context(launched(
            'so100_bringup', 'bimanual.launch.py', f'hardware_file:={tmp_path / "hardware.yaml"}',
            params_file(tmp_path), domain=domain, folder=tmp_path, namespace='right'))
        assert watcher.wait(watcher.is_tracking), launch.output()
        assert wait(lambda: launch.output().count('engaged: the follower was granted') == 2, 30.0)
        assert 'SIMULATION' not in launch.output()
        assert launch.end(signal.SIGINT, 30.0) == 0
        launch.assert_gone()
        assert launch.output().count('torque is off') == 2
