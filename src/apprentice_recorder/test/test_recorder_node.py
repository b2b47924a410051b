# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The recorder's process on a real graph: what it records, refuses and survives."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import json
from pathlib import Path
import signal
from threading import Timer

from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_msgs.action import RecordEpisode
from apprentice_msgs.srv import LabelEpisode
from apprentice_msgs.srv import SaveEpisode
from apprentice_msgs.srv import StartEpisode
import domain_coordinator
import pytest
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from robot_node import Recorder
from robot_node import Robot
from robot_node import running_robot
from robot_node import until
from small_robot import CAMERA
from small_robot import CONTRACT
from small_robot import number_in
from std_srvs.srv import Trigger

pytestmark = pytest.mark.timeout(90)
Launch = Callable[..., Recorder]


@pytest.fixture(scope='module')
def domain() -> Iterator[int]:
    """Reserve a domain."""
    with domain_coordinator.domain_id() as found:
        yield int(found)


@pytest.fixture
def robot(domain: int) -> Iterator[Robot]:
    """Run a good robot."""
    with running_robot(domain) as found:
        yield found


@pytest.fixture
def launch(domain: int, tmp_path: Path) -> Iterator[Launch]:
    """Start recorders that end with the test."""
    started: list[Recorder] = []

    def start(contract: str = CONTRACT, dataset: str = 'data', **more: object) -> Recorder:
        path = tmp_path / 'contract.yaml'
        path.write_text(contract)
        started.append(Recorder(
            domain, tmp_path / f'recorder{len(started)}.log', contract=str(path),
            dataset=str(tmp_path / dataset), **more))
        return started[-1]
    yield start
    for recorder in started:
        recorder.end()


def numbers(root: Path, episode: int = 0) -> list[int]:
    """Return the numbers in an episode's pictures."""
    dataset = Dataset.open(root)
    length = dataset.episodes[episode].length
    return [number_in(picture) for picture in dataset.frames(episode, CAMERA, range(length))]


def assert_whole(root: Path) -> None:
    """Fail unless each picture of the first episode stands there, twice only where held."""
    shown = numbers(root)
    held = Dataset.open(root).rows(0).to_pydict()['sync.held']
    fresh = [number for number, is_held in zip(shown, held) if not is_held]
    assert fresh == list(range(shown[0], shown[0] + len(fresh)))
    assert all(shown[row] == shown[row - 1] for row, is_held in enumerate(held) if is_held)


def record_of(root: Path, episode: int = 0) -> dict:
    """Return the record beside an episode."""
    return json.loads((root / f'meta/apprentice/episodes/episode-{episode:06d}.json').read_text())


def test_an_episode_by_services(robot: Robot, launch: Launch, tmp_path: Path) -> None:
    """No picture is lost or doubled, and the dataset is whole while the recorder still runs."""
    launch()
    begun = robot.start()
    assert begun.success and begun.episode_index == 0
    robot.await_rows(60)
    saved = robot.call('save', SaveEpisode.Request(label=SaveEpisode.Request.SUCCESS, force=True))
    assert saved.success, saved.message
    root = tmp_path / 'data'
    assert not validate(root, deep=True)
    assert saved.rows >= 60
    assert_whole(root)
    record = record_of(root)
    assert record['success'] is True
    assert record['streams']['front']['sequence_gaps'] == 0
    answer = robot.call('label', LabelEpisode.Request(label=LabelEpisode.Request().label))
    assert not answer.success
    answer = robot.call('label', LabelEpisode.Request(label=0))
    assert answer.success and record_of(root)['success'] is False


def test_discard_and_again(robot: Robot, launch: Launch, tmp_path: Path) -> None:
    """A take that is recorded again leaves no trace."""
    launch(task='wave')
    robot.start('')
    robot.await_rows(10)
    assert robot.call('discard', Trigger.Request()).success
    assert not robot.call('discard', Trigger.Request()).success
    assert robot.start('').episode_index == 0
    robot.await_rows(10)
    assert robot.call('save', SaveEpisode.Request(force=True)).success
    assert Dataset.open(tmp_path / 'data').info.total_episodes == 1


def test_an_episode_by_action(robot: Robot, launch: Launch, tmp_path: Path) -> None:
    """The action ends by itself, feeds back, and discards when it is canceled."""
    launch(contract=CONTRACT + 'holds: {in_a_row: 100, share: 1.0}\n')
    assert until(robot.ready), robot.status
    client = ActionClient(robot, RecordEpisode, 'record_episode')
    assert client.wait_for_server(10.0)
    seen = []
    goal = RecordEpisode.Goal(task='wave', duration_s=1.5, label=1)
    sent = client.send_goal_async(goal, feedback_callback=lambda m: seen.append(m.feedback.rows))
    assert until(sent.done)
    ended = sent.result().get_result_async()
    assert until(ended.done)
    result = ended.result().result
    assert (result.error_code, result.episode_index) == (RecordEpisode.Result.NONE, 0), result
    assert result.rows >= 40
    assert seen and seen == sorted(seen)
    assert record_of(tmp_path / 'data')['success'] is True

    sent = client.send_goal_async(RecordEpisode.Goal(task='wave'))
    assert until(sent.done)
    robot.await_rows(5)
    assert until(sent.result().cancel_goal_async().done)
    ended = sent.result().get_result_async()
    assert until(ended.done)
    assert ended.result().result.error_code == RecordEpisode.Result.DISCARDED

    sent = client.send_goal_async(RecordEpisode.Goal(task='wave'))
    assert until(sent.done)
    robot.await_rows(5)
    second = client.send_goal_async(RecordEpisode.Goal(task='wave'))
    assert until(second.done)
    ended = second.result().get_result_async()
    assert until(ended.done)
    assert ended.result().result.error_code == RecordEpisode.Result.BUSY
    assert robot.call('discard', Trigger.Request()).success
    ended = sent.result().get_result_async()
    assert until(ended.done)
    assert ended.result().result.error_code == RecordEpisode.Result.DISCARDED
    assert Dataset.open(tmp_path / 'data').info.total_episodes == 1
    client.destroy()


def _no_camera(robot: Robot) -> None:
    robot.camera_on = False


def _small_camera(robot: Robot) -> None:
    robot.fields = {'width': 32}


def _joint_missing(robot: Robot) -> None:
    robot.names = ['a', 'c']


def _frozen(robot: Robot) -> None:
    robot.frozen = True


def _ahead(robot: Robot) -> None:
    robot.skew_ns = 200_000_000


@pytest.mark.parametrize(('fault', 'words'), [
    (_no_camera, 'front (/front/image_raw): nothing has come'),
    (_small_camera, 'found 32x48, expected 64x48'),
    (_joint_missing, 'expected joint b too'),
    (_frozen, 'stamps stand still'),
    (_ahead, "ahead of this host's clock"),
])
def test_pre_flight_refuses(
    robot: Robot, launch: Launch, fault: Callable[[Robot], None], words: str,
) -> None:
    """What is wrong before the start is named, and nothing begins."""
    fault(robot)
    launch(patience_s=0.0)
    assert until(lambda: robot.status and any(words in text for text in robot.status.blocks)), \
        robot.status
    assert any(words in stream.trouble for stream in robot.status.streams)
    answer = robot.call('start', StartEpisode.Request(task='wave'))
    assert not answer.success
    assert words in answer.message
    assert robot.status.episode_index == -1


def test_a_start_is_patient(robot: Robot, launch: Launch) -> None:
    """A camera that comes up a little later begins the episode; without patience it does not."""
    robot.camera_on = False
    launch(patience_s=15.0)
    assert until(lambda: robot.status and robot.status.blocks)
    timer = Timer(1.0, lambda: setattr(robot, 'camera_on', True))
    timer.start()
    assert robot.call('start', StartEpisode.Request(task='wave')).success
    timer.join()


def test_pre_flight_refuses_a_wrong_rate_and_type(robot: Robot, launch: Launch) -> None:
    """The contract says 50 Hz, and another type of joints than the robot has."""
    launch(contract=CONTRACT.replace('rate_hz: 100, max_lead', 'rate_hz: 50, max_lead').replace(
        'arm: {topic: arm/joint_states, type: sensor_msgs/msg/JointState',
        'arm: {topic: arm/joint_states, type: sensor_msgs/msg/Imu').replace(
        '{stream: arm, joints: [a, b], unit: radians, field: position}',
        '{stream: arm, field: angular_velocity}'))
    for words in ('expected 50 Hz', 'found messages of type sensor_msgs/msg/JointState'):
        assert until(lambda: robot.status and any(
            words in text for text in robot.status.blocks)), (words, robot.status)


def test_a_camera_that_stops_is_refused(robot: Robot, launch: Launch, tmp_path: Path) -> None:
    """Half a second without pictures is more than three held rows."""
    launch()
    robot.start()
    robot.await_rows(30)
    robot.camera_on = False
    assert until(lambda: any('silent' in text for text in robot.status.blocks))
    robot.camera_on = True
    rows = robot.status.rows
    robot.await_rows(rows + 30)
    answer = robot.call('save', SaveEpisode.Request())
    assert not answer.success
    assert 'rows in a row repeat an older sample' in answer.message
    assert robot.call('save', SaveEpisode.Request(force=True)).success
    assert record_of(tmp_path / 'data')['forced'] is True


@pytest.mark.parametrize('qos', [
    QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT),
    QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL),
], ids=['best_effort', 'transient_local'])
def test_qos_fits_the_publisher(
    domain: int, launch: Launch, tmp_path: Path, qos: QoSProfile,
) -> None:
    """A driver that offers less than the recorder would like is recorded all the same."""
    with running_robot(domain, qos) as robot:
        launch()
        assert robot.start().success
        robot.await_rows(20)
        assert robot.call('save', SaveEpisode.Request(force=True)).success
    assert len(numbers(tmp_path / 'data')) >= 20


def test_ctrl_c_keeps_what_was_recorded(robot: Robot, launch: Launch, tmp_path: Path) -> None:
    """Twice even: the open episode is saved and says that it was interrupted."""
    recorder = launch()
    robot.start()
    robot.await_rows(30)
    recorder.send(signal.SIGINT)
    recorder.send(signal.SIGINT)
    assert recorder.wait() == 0, recorder.output()
    root = tmp_path / 'data'
    assert not validate(root, deep=True)
    assert len(numbers(root)) >= 30
    assert any('interrupted' in mark for mark in record_of(root)['marks'])


def test_kill_9_costs_at_most_a_group(robot: Robot, launch: Launch, tmp_path: Path) -> None:
    """The next start brings the open episode back, says so, and goes on after it."""
    recorder = launch()
    robot.start()
    robot.await_rows(45)
    rows = robot.status.rows
    recorder.send(signal.SIGKILL)
    recorder.wait()
    robot.status = None
    again = launch()
    assert robot.start().episode_index == 1
    assert 'repaired: ' in again.output()
    root = tmp_path / 'data'
    assert record_of(root)['recovered'] is True
    assert Dataset.open(root).episodes[0].length >= rows - 15
    assert_whole(root)


def test_two_recorders_on_one_folder(robot: Robot, launch: Launch) -> None:
    """The second one ends and names the first."""
    first = launch()
    assert until(robot.ready)
    second = launch()
    assert second.wait() == 1
    assert f'process {first.pid} is writing this dataset' in second.output()


@pytest.mark.parametrize(('contract', 'words'), [
    (CONTRACT.replace('version: 1\n', ''), 'version: missing'),
    (CONTRACT + 'fsp: 30\n', 'did you mean fps?'),
    (CONTRACT.replace('fps: 30', 'fps: 0'), 'fps: found 0'),
])
def test_a_bad_contract_ends_the_recorder(
    launch: Launch, contract: str, words: str,
) -> None:
    """With the file, the key, what was found and what was expected, and a non-zero exit."""
    recorder = launch(contract)
    assert recorder.wait() == 1
    assert words in recorder.output()
    assert 'contract.yaml' in recorder.output()


def test_a_dataset_of_another_robot_is_refused(
    robot: Robot, launch: Launch, tmp_path: Path,
) -> None:
    """Every field that differs is named, and nothing in the folder changes."""
    recorder = launch()
    robot.start()
    robot.await_rows(10)
    robot.call('save', SaveEpisode.Request(force=True))
    recorder.end()
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / 'data').rglob('*'))
    other = launch(CONTRACT.replace('robot_type: small', 'robot_type: large').replace(
        'sent: [{stream: goals, joints: [a, b]', 'sent: [{stream: goals, joints: [b]'))
    assert other.wait() == 1
    for words in ('robot_type', 'large', 'action', 'b.pos'):
        assert words in other.output(), other.output()
    after = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / 'data').rglob('*'))
    assert [path for path, _ in before] == [path for path, _ in after]
