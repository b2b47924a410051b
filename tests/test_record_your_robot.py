# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The example contract of docs/contract.md, recorded from the topics of a ros2_control robot."""
from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import re
import signal
import threading
import time
from typing import Any

from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_msgs.msg import RecorderStatus
from apprentice_msgs.srv import SaveEpisode
from apprentice_msgs.srv import StartEpisode
from builtin_interfaces.msg import Time
import domain_coordinator
import numpy as np
from numpy.typing import NDArray
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from robot_harness import Launch
from robot_harness import wait
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import JointState
import simplejpeg
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint

pytestmark = pytest.mark.timeout(120)
DOCS = Path(__file__).resolve().parents[1] / 'docs'
CONTRACT = re.findall(r'```yaml\n(.*?)```', (DOCS / 'contract.md').read_text(), re.DOTALL)[0]
GUIDE = (DOCS / 'record-your-robot.md').read_text()
CAMERA = 'observation.images.front'
WIDTH, HEIGHT, BITS = 640, 480, 12
STEP = 0.001
LEAD_S = 0.1
COMMAND_NS = 20_000_000
ROWS = 75
READY_S = 20.0
# Each changes the contract as somebody may get it wrong; the guide shows what is said then.
MISTAKES = (
    ('width: 640, height: 480', 'width: 1280, height: 720'),
    ('field: effort, joints: [elbow]', 'field: effort, joints: [wrist]'),
    ('topic: joint_trajectory_controller/joint', 'topic: arm_controller/joint'))
OTHER_MISTAKES = (
    ('type: sensor_msgs/msg/CompressedImage', 'type: sensor_msgs/msg/Image'),
    ('rate_hz: 50', 'rate_hz: 100'))


class Robot(Node):
    """Publish what joint_state_broadcaster, a commander of the controller and usb_cam publish."""

    def __init__(self, context: Context) -> None:
        """Each message carries its number, and when it was published is kept by that number."""
        super().__init__('robot', context=context)
        self.status: RecorderStatus | None = None
        self.pictures: list[int] = []
        self.states: list[int] = []
        self.commands: list[int] = []
        self._camera = self.create_publisher(CompressedImage, '/image_raw/compressed', 100)
        self._joints = self.create_publisher(JointState, '/joint_states', 10)
        self._goals = self.create_publisher(
            JointTrajectory, '/joint_trajectory_controller/joint_trajectory', 10)
        for rate_hz, publish in ((30, self._see), (100, self._measure), (50, self._command)):
            self.create_timer(1 / rate_hz, publish)
        self.create_subscription(RecorderStatus, '/recorder/status', self._take, 1)
        self._calls = {'start': self.create_client(StartEpisode, '/recorder/start'),
                       'save': self.create_client(SaveEpisode, '/recorder/save')}

    def call(self, name: str, request: Any) -> Any:
        """Call a service of the recorder."""
        client = self._calls[name]
        assert wait(client.service_is_ready, READY_S), f'recorder/{name} is not there'
        future = client.call_async(request)
        assert wait(future.done, READY_S), f'recorder/{name} did not answer'
        return future.result()

    def blocks(self) -> list[str]:
        """Return what is in the way of a recording, as the newest status tells it."""
        return list(self.status.blocks) if self.status else ['no status']

    def _see(self) -> None:
        header = Header(stamp=self._now(self.pictures), frame_id='default_cam')
        jpeg = simplejpeg.encode_jpeg(draw(len(self.pictures) - 1), quality=90)
        message = CompressedImage(header=header, format='rgb8; jpeg compressed bgr8')
        message.data = array('B', jpeg)
        self._camera.publish(message)

    def _measure(self) -> None:
        header = Header(stamp=self._now(self.states))
        way = STEP * (len(self.states) - 1)
        # The broadcaster has an order of its own, and joints that nobody asked for.
        self._joints.publish(JointState(
            header=header, name=['gripper', 'elbow', 'shoulder'], position=[9.0, -way, way],
            velocity=[0.0] * 3, effort=[9.0, 1.0 + way, 9.0]))

    def _command(self) -> None:
        self._now(self.commands)
        way = STEP * (len(self.commands) - 1)
        # Stamp 0: to be carried out on arrival.
        point = JointTrajectoryPoint(positions=[-2.0 - way, 2.0 + way])
        point.time_from_start.nanosec = 20_000_000
        self._goals.publish(JointTrajectory(joint_names=['elbow', 'shoulder'], points=[point]))

    def _now(self, log: list[int]) -> Time:
        now_ns = time.time_ns()
        log.append(now_ns)
        seconds, nanoseconds = divmod(now_ns, 10**9)
        return Time(sec=seconds, nanosec=nanoseconds)

    def _take(self, status: RecorderStatus) -> None:
        self.status = status


def draw(number: int) -> NDArray[np.uint8]:
    """Draw a number as 4 x 3 black and white blocks."""
    bits = np.array([(number >> bit) & 1 for bit in range(BITS)], np.uint8).reshape(3, 4)
    grey = np.kron(bits * 220, np.ones((HEIGHT // 3, WIDTH // 4), np.uint8))
    return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))


def number_in(picture: NDArray[np.uint8]) -> int:
    """Read the number drawn into a picture."""
    blocks = picture.mean(axis=2).reshape(3, HEIGHT // 3, 4, WIDTH // 4).mean(axis=(1, 3))
    return sum(1 << bit for bit, light in enumerate(blocks.ravel()) if light > 110)


@pytest.fixture(scope='module')
def domain() -> Iterator[int]:
    """Reserve a domain."""
    with domain_coordinator.domain_id() as found:
        yield int(found)


@pytest.fixture(scope='module')
def robot(domain: int) -> Iterator[Robot]:
    """Run the robot in a thread."""
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    found = Robot(context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(found)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield found
    executor.shutdown()
    thread.join(5.0)
    found.destroy_node()
    rclpy.shutdown(context=context)


@contextmanager
def recording(robot: Robot, domain: int, folder: Path, contract: str) -> Iterator[Launch]:
    """Launch the recorder as the guide says, with a contract; it must end cleanly on Ctrl-C."""
    path = folder / 'my_arm.yaml'
    path.write_text(contract)
    robot.status = None
    launch = Launch(
        ['apprentice', 'record.launch.py', f'contract:={path}', f'dataset:={folder / "data"}',
         'task:=wave'], str(domain), folder)
    try:
        yield launch
        assert launch.end(signal.SIGINT) == 0, launch.output()
        launch.assert_gone()
        assert 'Traceback' not in launch.output(), launch.output()
    finally:
        launch.kill()


def test_the_example_is_recorded(robot: Robot, domain: int, tmp_path: Path) -> None:
    """Every row holds what the robot published then, whatever the order of its joints."""
    with recording(robot, domain, tmp_path, CONTRACT) as launch:
        assert wait(lambda: not robot.blocks(), READY_S), (robot.blocks(), launch.output())
        begun = robot.call('start', StartEpisode.Request())
        assert begun.success and begun.episode_index == 0, begun.message
        assert wait(lambda: robot.status.rows >= ROWS, READY_S), robot.status
        # Whether other work on this machine made a row repeat a sample is not asked here.
        saved = robot.call('save', SaveEpisode.Request(label=1, force=True))
        assert saved.success and saved.rows >= ROWS, saved.message
        assert validate(tmp_path / 'data', deep=True) == []

    dataset = Dataset.open(tmp_path / 'data')
    features = dataset.info.features
    assert dataset.info.robot_type == 'my_arm' and dataset.info.fps == 30
    assert list(features['observation.state'].names) == [
        'shoulder.pos', 'elbow.pos', 'elbow.effort']
    assert list(features['action'].names) == ['shoulder.pos', 'elbow.pos']
    assert features[CAMERA].shape == (HEIGHT, WIDTH, 3)
    assert list(dataset.tasks) == ['wave'] and dataset.episodes[0].length == saved.rows
    assert_rows_are_the_robot_s(robot, dataset)


def assert_rows_are_the_robot_s(robot: Robot, dataset: Dataset) -> None:
    """Compare each row with the robot's own log; the number in its picture tells its instant."""
    length = dataset.episodes[0].length
    rows = dataset.rows(0).to_pydict()
    streams = list(dataset.info.features['sync.offset_s'].names)
    seen = [number_in(picture) for picture in dataset.frames(0, CAMERA, range(length))]
    begin_ns = robot.pictures[seen[0]]
    delays_ns = []
    for row in range(length):
        if rows['sync.held'][row]:
            continue
        instant_ns = robot.pictures[seen[row]]
        assert rows['sync.stamp_ns'][row] == instant_ns - begin_ns
        offsets = dict(zip(streams, rows['sync.offset_s'][row]))
        assert offsets['camera'] == 0.0

        shoulder, elbow, effort = rows['observation.state'][row]
        state = round(shoulder / STEP)
        assert (elbow, effort) == pytest.approx((-shoulder, 1.0 + shoulder), abs=1e-5)
        assert state == bisect_right(robot.states, instant_ns) - 1, 'not the newest state'
        assert offsets['arm'] == pytest.approx((robot.states[state] - instant_ns) * 1e-9, abs=1e-7)

        shoulder, elbow = rows['action'][row]
        command = round((shoulder - 2.0) / STEP)
        assert elbow == pytest.approx(-shoulder, abs=1e-5)
        # It has no stamp: its time is that of its receipt, soon after it was published.
        assert 0.0 <= offsets['commands'] <= LEAD_S
        assert robot.commands[command - 1] < instant_ns, 'not the next command'
        delays_ns.append(instant_ns + offsets['commands'] * 1e9 - robot.commands[command])
    taken = [number for number, held in zip(seen, rows['sync.held']) if not held]
    assert taken == sorted(set(taken)) and len(taken) >= 0.8 * length, rows['sync.held']
    assert min(delays_ns) > -1000 and np.median(delays_ns) < COMMAND_NS / 2, delays_ns


def _plain(text: str) -> str:
    """Return an error without the measured rate, which differs each time."""
    return re.sub(r'at [\d.]+ Hz', 'at N Hz', text)


def _sayings(section: str) -> set[str]:
    """Return the lines of the block of errors in a section of the guide."""
    block = re.search(rf'## {section}\n.*?```text\n(.*?)```', GUIDE, re.DOTALL)
    assert block, f'docs/record-your-robot.md has no block of errors below {section}'
    return set(map(_plain, block[1].splitlines()))


@pytest.mark.parametrize('mistakes', [MISTAKES, OTHER_MISTAKES], ids=['names', 'kinds'])
def test_the_guide_says_what_is_said(
    robot: Robot, domain: int, tmp_path: Path, mistakes: tuple[tuple[str, str], ...],
) -> None:
    """A wrong topic, joint, size, type or rate is told in the guide's words; nothing begins."""
    contract = CONTRACT
    for right, wrong in mistakes:
        assert right in contract
        contract = contract.replace(right, wrong)
    expected = _sayings('When a check refuses')

    def told() -> set[str]:
        return expected.intersection(map(_plain, robot.blocks()))

    with recording(robot, domain, tmp_path, contract):
        assert wait(lambda: len(told()) == len(mistakes), READY_S), '\n'.join(robot.blocks())
        answer = robot.call('start', StartEpisode.Request())
        assert not answer.success and answer.episode_index == -1
        assert told() <= set(map(_plain, answer.message.splitlines()))
