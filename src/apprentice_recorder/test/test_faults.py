# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in the middle: in a stream, on the disk, in a save, at the end of a process."""
from __future__ import annotations

from array import array
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from contextlib import suppress
from fractions import Fraction
import os
from pathlib import Path
import pty
import resource
import signal
import subprocess
import sys
import termios
import threading
import time
from types import SimpleNamespace
from typing import Any

from apprentice_contract.features import dataset_spec
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
from apprentice_msgs.action import RecordEpisode
from apprentice_msgs.msg import RecorderStatus
from apprentice_msgs.srv import SaveEpisode
from apprentice_msgs.srv import StartEpisode
from apprentice_recorder.recorder_node import RecorderNode
from apprentice_recorder.recording import Recording
from apprentice_recorder.session import Answer
from apprentice_recorder.session import Session
from apprentice_recorder.session import State
import av
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from lifecycle_msgs.srv import GetState
import pytest
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from rclpy.task import Future
from rclpy.timer import Timer
from robot_node import Robot
from robot_node import running_robot
from robot_node import until
from sensor_msgs.msg import Image
from sensor_msgs.msg import JointState
from small_robot import CAMERA
from small_robot import CONTRACT
from small_robot import contract
from small_robot import FRAME_NS
from small_robot import image
from small_robot import joints
from small_robot import MS
from small_robot import pixels
from std_srvs.srv import Trigger
import test_recorder_node
from test_recorder_node import Launch
from test_recorder_node import record_of
from test_session import play
from test_session import save
from test_session import START_NS

pytestmark = pytest.mark.timeout(60)
JPEGS = CONTRACT.replace('front/image_raw, type: sensor_msgs/msg/Image',
                         'front/image_raw/compressed, type: sensor_msgs/msg/CompressedImage')
# A recorder whose every step of saving takes a while.
SLOW = ('import sys, time; from functools import partial; '
        'from apprentice_dataset.writer import DatasetWriter as W; '
        'W.open_or_create = partial(W.open_or_create, step=lambda _: time.sleep(0.1)); '
        'from apprentice_recorder.main import recorder; sys.exit(recorder())')
CONSOLE = 'import sys; from apprentice_recorder.main import console; sys.exit(console())'
AT_ONCE = {'preflight': False}

domain, launch = test_recorder_node.domain, test_recorder_node.launch


def jpeg(number: int, is_damaged: bool) -> bytes:
    """Draw a picture; of a damaged one the header alone is whole, so that its size can be read."""
    frame = av.VideoFrame.from_ndarray(pixels(number), 'rgb24').reformat(format='yuvj420p')
    codec = av.CodecContext.create('mjpeg', 'w')
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, 'yuvj420p'
    codec.time_base = Fraction(1, 30)
    whole = bytes(codec.encode(frame)[0])
    return whole[:whole.index(b'\xff\xda') + 16] if is_damaged else whole


class FaultyRobot(Robot):
    """A robot whose camera can be slow or frozen."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.every = 1
        self.is_still = False
        self._front_ns = 0
        self._calls['change'] = self.create_client(ChangeState, 'recorder/change_state')
        self._calls['state'] = self.create_client(GetState, 'recorder/get_state')

    def change(self, transition: int) -> str:
        answer = self.call('change', ChangeState.Request(transition=Transition(id=transition)))
        assert answer.success
        time.sleep(0.05)
        return self.lifecycle_state()

    def lifecycle_state(self) -> str:
        return self.call('state', GetState.Request()).current_state.label

    def begin(self, rows: int = 10) -> None:
        """Start an episode without pre-flight and wait for its first rows."""
        self.status = None
        assert until(lambda: self.status and all(
            stream.samples > 5 for stream in self.status.streams)), self.status
        assert self.call('start', StartEpisode.Request(task='wave')).success
        self.await_rows(rows)

    def _stamp(self, message: Any) -> Any:
        super()._stamp(message)
        if isinstance(message, Image):
            stamp = message.header.stamp
            if not self.is_still:
                self._front_ns = stamp.sec * 10**9 + stamp.nanosec
            stamp.sec, stamp.nanosec = divmod(self._front_ns, 10**9)
        return message

    def _see(self) -> None:
        if self._number % self.every:
            self._number += 1
        else:
            super()._see()


@pytest.fixture
def robot(domain: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyRobot]:
    """Spin a robot in a thread."""
    monkeypatch.setattr('robot_node.Robot', FaultyRobot)
    with running_robot(domain) as found:
        yield found


@contextmanager
def recorded(root: Path, bad: int | None = None) -> Iterator[Session]:
    """Give a session whose open episode has 20 pictures; JPEGs with `bad`, that one damaged."""
    robot = contract(CONTRACT if bad is None else JPEGS)
    with DatasetWriter.open_or_create(root, dataset_spec(robot)) as writer:
        session = Session(robot, writer)
        session.start('wave', START_NS)
        (play if bad is None else play_jpegs)(session, 20, *(() if bad is None else (bad,)))
        yield session


def play_jpegs(session: Session, frames: int, bad: int = -1) -> None:
    numbers = iter(range(frames))

    def take(stream: str, stamp_ns: int, received_ns: int, message: Any) -> None:
        if stream == 'front':
            number = next(numbers)
            message = SimpleNamespace(
                format='jpeg', data=array('B', jpeg(number, number == bad)))
        session.take(stream, stamp_ns, received_ns, message)
    play(SimpleNamespace(take=take), frames)


def test_a_damaged_picture_ends_its_episode_alone(tmp_path: Path) -> None:
    """The encoder fails between two rows, then in a save; status, label and next episode live."""
    with recorded(tmp_path / 'data', bad=15) as session:
        assert until(lambda: session.backlog is None or 'frame 15' in session.trouble, 3.0)
        session.label(None, 'wave twice')
        answer = save(session, force=True)
        assert not answer.success and f'{CAMERA}, frame 15' in answer.message
        assert session.discard().success
        session.start('wave', START_NS)
        play_jpegs(session, 20, bad=19)
        answer = save(session, force=True)
        assert not answer.success and f'{CAMERA}, frame 19' in answer.message
        assert session.state is State.REVIEW
        assert isinstance(session.backlog, dict)
        assert session.discard().success
        session.start('wave', START_NS)
        play_jpegs(session, 12)
        assert save(session, force=True).rows == 12


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    """Discarding an episode whose publication began; labelling one whose record was damaged."""
    with recorded(tmp_path / 'data') as session:
        folder = session.writer.root / 'data'
        folder.mkdir()
        (folder / 'chunk-000').write_text('in the way')
        assert not save(session).success
        answer = session.discard()
        assert not answer.success and 'save again' in answer.message
        (folder / 'chunk-000').unlink()
        assert save(session, force=True).success
        assert not validate(session.writer.root)
        path = session.writer.root / 'meta/apprentice/episodes/episode-000000.json'
        path.write_text('{')
        answer = session.label(True, '')
        assert not answer.success and path.name in answer.message


def test_a_value_that_is_no_number_keeps_the_rows_before(tmp_path: Path) -> None:
    """A joint's NaN ends the rows, as another size of a picture does; it destroys none."""
    with recorded(tmp_path / 'data') as session:
        rows = session.rows
        stamp = START_NS + 20 * FRAME_NS + 300 * MS
        for stream, message in (('arm', joints(float('nan'))), ('front', image(0)),
                                ('goals', joints(0.0))):
            session.take(stream, stamp, stamp + 5 * MS, message)
        session.advance(stamp + 1_000_000_000)
        assert 'finite' in session.trouble
        assert not session.end(False).success
        answer = save(session, force=True)
        assert answer.success and answer.rows >= rows, answer


class Bench:
    """A recording on a graph, and a step of saving that can be held or can fail."""

    def __init__(self, robot: FaultyRobot, root: Path) -> None:
        self.go = threading.Event()
        self.go.set()
        self.error: Exception | None = None
        self.node = rclpy.create_node('recorder', context=robot.context, enable_rosout=False)
        self.writer = DatasetWriter.create(root, dataset_spec(contract()), step=self._step)
        self.activate()

    def activate(self) -> None:
        self.recording = Recording(self.node, contract(), self.writer, 'wave', False)
        self.recording.start()

    def _step(self, _name: str) -> None:
        self.go.wait(20.0)
        error, self.error = self.error, None
        if error is not None:
            raise error

    def ask(self, function: Callable[..., Any], *arguments: object) -> Any:
        future = self.recording.worker.ask(lambda: function(*arguments))
        assert until(future.done, 5.0), 'the recorder does not answer'
        return future.result()

    def begin(self, rows: int = 10) -> None:
        assert until(lambda: self.recording.status and all(
            stream.samples > 5 for stream in self.recording.status.streams))
        answer = self.ask(self.recording.begin, '', False)
        assert answer.success, answer
        assert until(lambda: self.recording.status.rows >= rows, 10.0), self.recording.status

    def save(self, force: bool = False) -> Answer:
        answer = self.ask(self.recording.save, None, force)
        if isinstance(answer, Future):
            assert until(answer.done, 5.0), 'the save did not end'
            answer = answer.result()
        return answer

    def sees(self, words: str) -> bool:
        return bool(until(lambda: any(
            words in text for text in self.recording.status.blocks), 5.0))

    def close(self) -> None:
        self.go.set()
        self.recording.close()
        self.writer.close()
        self.node.destroy_node()


@pytest.fixture
def bench(robot: FaultyRobot, tmp_path: Path) -> Iterator[Bench]:
    """Give a recording of the robot."""
    with closing(Bench(robot, tmp_path / 'data')) as found:
        yield found


def test_a_save_under_way_refuses_everything_else(bench: Bench, tmp_path: Path) -> None:
    """Start, save and discard are refused, the status goes on, and the episode is accepted."""
    bench.begin()
    bench.go.clear()
    recording = bench.recording
    saving = bench.ask(recording.save, None, True)
    for what, *how in ((recording.begin, '', False), (recording.discard,),
                       (recording.save, None, True)):
        assert not bench.ask(what, *how).success
    assert until(lambda: recording.status.state == RecorderStatus.SAVING)
    bench.go.set()
    assert until(saving.done) and saving.result().success
    assert not validate(tmp_path / 'data', deep=True)


@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_an_unforeseen_error_of_a_save_is_told(bench: Bench, tmp_path: Path) -> None:
    """Not a full disk but a fault: the caller hears of it, and the episode can be saved again."""
    bench.begin()
    bench.error = RuntimeError("can't start new thread")
    answer = bench.save(True)
    assert not answer.success and "can't start new thread" in answer.message
    assert bench.save(True).success
    assert not validate(tmp_path / 'data', deep=True)


@pytest.mark.parametrize(('error', 'words'), [
    (None, 'is on disk'), (DatasetError('no space left'), 'no space left')])
def test_the_outcome_of_a_save_is_known_after_the_end(
    bench: Bench, error: DatasetError | None, words: str,
) -> None:
    """The recorder is ended during a save: it waits, and success or failure is not swallowed."""
    bench.begin()
    bench.go.clear()
    saving = bench.ask(bench.recording.save, None, True)
    bench.error = error
    threading.Timer(0.3, bench.go.set).start()
    bench.recording.close()
    assert saving.done()
    assert saving.result().success is (error is None) and words in saving.result().message


def test_activation_after_a_refused_episode(
    bench: Bench, robot: FaultyRobot, tmp_path: Path,
) -> None:
    """Deactivated in review: it is kept with its marks, and the next start works."""
    bench.begin()
    robot.fields = {'width': 32}
    assert bench.sees('32x48')
    assert not bench.save().success
    robot.fields = {}
    bench.recording.close()
    bench.activate()
    bench.begin()
    assert bench.ask(bench.recording.discard).success
    marks = record_of(tmp_path / 'data')['marks']
    assert any('32x48' in mark for mark in marks)


@pytest.mark.parametrize(('fault', 'words'), [
    ({'every': 2}, 'rows repeat an older sample'),
    ({'skew_ns': 5_000_000_000}, 'its clock was set'),
    ({'skew_ns': -5_000_000_000}, 'its clock was set'),
    ({'is_still': True}, 'in a row repeat an older sample'),
    ({'goals_on': False}, 'goals'),
], ids=['slow', 'ahead', 'back', 'frozen', 'no goals'])
def test_a_stream_that_changes_is_refused(
    bench: Bench, robot: FaultyRobot, fault: dict[str, Any], words: str,
) -> None:
    """In the middle of an episode; the reason is named, and the next episode begins."""
    before = {name: getattr(robot, name) for name in fault}
    bench.begin()
    robot.__dict__.update(fault)
    time.sleep(0.6)
    robot.__dict__.update(before)
    time.sleep(0.3)
    answer = bench.save()
    assert not answer.success
    assert words in answer.message
    assert bench.ask(bench.recording.discard).success
    bench.begin(1)


def test_a_doubled_stream_is_marked(bench: Bench, robot: FaultyRobot, tmp_path: Path) -> None:
    """A second publisher of the goals: told while it lasts and in the record; nothing is lost."""
    bench.begin()
    second = robot.create_publisher(JointState, 'arm/goals', 10)
    timer = robot.create_timer(0.01, lambda: second.publish(robot._stamp(
        JointState(name=['a', 'b'], position=array('d', [9.0, 9.0])))))
    assert bench.sees('goals')
    robot.destroy_timer(timer)
    assert bench.save(True).success
    record = record_of(tmp_path / 'data')
    assert any('goals' in mark for mark in record['marks']), record['marks']
    assert record['streams']['goals']['sequence_gaps'] == 0


def test_lifecycle_back_and_forth(robot: FaultyRobot, launch: Launch, tmp_path: Path) -> None:
    """Deactivated while a start is patient and while one records; then all of it again."""
    recorder = launch(preflight=True, patience_s=0.8)
    robot.camera_on = False
    assert until(lambda: robot.status and robot.status.blocks)
    robot._calls['start'].call_async(StartEpisode.Request(task='wave'))
    time.sleep(0.3)
    robot.change(Transition.TRANSITION_DEACTIVATE)
    time.sleep(0.8)
    assert robot.lifecycle_state() == 'inactive', recorder.output()
    robot.camera_on = True
    assert robot.change(Transition.TRANSITION_ACTIVATE) == 'active'
    assert robot.start().success
    robot.await_rows(10)
    assert robot.change(Transition.TRANSITION_DEACTIVATE) == 'inactive'
    assert any('interrupted' in mark for mark in record_of(tmp_path / 'data')['marks'])
    assert robot.change(Transition.TRANSITION_CLEANUP) == 'unconfigured'
    assert robot.change(Transition.TRANSITION_CONFIGURE) == 'inactive'
    assert robot.change(Transition.TRANSITION_ACTIVATE) == 'active'
    assert robot.start().episode_index == 1
    robot.await_rows(10)
    assert robot.call('save', SaveEpisode.Request(force=True)).success
    assert not validate(tmp_path / 'data')
    assert 'Traceback' not in recorder.output()


class SlowNode(RecorderNode):
    """A recorder whose middleware takes its time to take things down."""

    def destroy_timer(self, timer: Timer) -> bool:
        time.sleep(0.3)
        return super().destroy_timer(timer)


def test_a_status_due_while_services_end(domain: int, tmp_path: Path) -> None:
    """The recorder's thread never uses a publisher that is gone."""
    (tmp_path / 'contract.yaml').write_text(CONTRACT)
    rclpy.init(args=['--ros-args', '-p', f'contract:={tmp_path / "contract.yaml"}', '-p',
                     f'dataset:={tmp_path / "data"}'], domain_id=domain)
    node = SlowNode()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.trigger_configure()
    node.trigger_activate()
    node.trigger_deactivate()
    executor.spin_once(0.02)
    executor.spin_once(0.02)
    found = node.state, node.last_error
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown()
    assert found == ('inactive', '')


def send(client: ActionClient) -> Future:
    assert client.wait_for_server(10.0)
    sent = client.send_goal_async(RecordEpisode.Goal(task='wave'))
    assert until(sent.done)
    return sent.result().get_result_async()


def test_actions_and_services_at_once(robot: FaultyRobot, launch: Launch) -> None:
    """One episode at a time: busy, in review too; a discard by service ends its own goal alone."""
    recorder = launch(**AT_ONCE)
    client = ActionClient(robot, RecordEpisode, 'record_episode')
    codes = RecordEpisode.Result
    robot.begin(5)
    busy = send(client)
    assert until(busy.done) and busy.result().result.error_code == codes.BUSY
    robot.fields = {'width': 32}
    assert until(lambda: any('32x48' in text for text in robot.status.blocks))
    robot.fields = {}
    assert not robot.call('save', SaveEpisode.Request()).success
    busy = send(client)
    assert until(busy.done) and busy.result().result.error_code == codes.BUSY
    assert robot.call('discard', Trigger.Request()).success
    ended = send(client)
    robot.await_rows(5)
    assert robot.call('discard', Trigger.Request()).success
    # Another operator's, of the same number.
    assert robot.call('start', StartEpisode.Request(task='wave')).success
    assert until(ended.done, 3.0), 'the goal went over to the next episode'
    assert ended.result().result.error_code == codes.DISCARDED
    assert robot.call('discard', Trigger.Request()).success
    send(client)
    robot.await_rows(5)
    assert robot.change(Transition.TRANSITION_DEACTIVATE) == 'inactive'
    time.sleep(0.5)
    assert robot.lifecycle_state() == 'inactive'
    assert 'Traceback' not in recorder.output()


def test_a_start_is_answered_though_no_clock_runs(robot: FaultyRobot, launch: Launch) -> None:
    """Simulated time that nobody tells: patience runs by the clock on the wall."""
    launch(use_sim_time=True, preflight=True, patience_s=0.5)
    assert until(lambda: robot.status)
    future = robot._calls['start'].call_async(StartEpisode.Request(task='wave'))
    assert until(future.done, 4.0), 'recorder/start did not answer'
    assert not future.result().success


def test_a_stray_publisher_costs_no_message(
    robot: FaultyRobot, launch: Launch, tmp_path: Path,
) -> None:
    """Somebody offers a topic best effort, and says nothing there, while an episode is open."""
    launch(**AT_ONCE)
    robot.begin(5)
    stray = robot.create_publisher(JointState, 'arm/joint_states', QoSProfile(
        depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    time.sleep(1.2)
    robot.destroy_publisher(stray)
    time.sleep(1.2)
    assert robot.call('save', SaveEpisode.Request(force=True)).success
    assert record_of(tmp_path / 'data')['streams']['arm']['sequence_gaps'] == 0


def test_a_full_disk(robot: FaultyRobot, launch: Launch, tmp_path: Path) -> None:
    """While recording, then while saving: a clear error, and the recorder goes on."""
    recorder = launch(**AT_ONCE)
    _, hard = resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (size, hard))
    robot.begin(20)
    limit(40_000)
    assert until(lambda: any('File too large' in text for text in robot.status.blocks)), \
        recorder.output()
    answer = robot.call('save', SaveEpisode.Request(force=True))
    assert not answer.success and 'File too large' in answer.message
    assert robot.call('discard', Trigger.Request()).success
    limit(hard)
    robot.begin()
    robot.camera_on = False
    time.sleep(0.4)
    limit(2_000)
    answer = robot.call('save', SaveEpisode.Request(force=True))
    limit(hard)
    assert not answer.success and 'File too large' in answer.message
    robot.camera_on = True
    time.sleep(0.6)
    assert robot.lifecycle_state() == 'active', recorder.output()
    assert robot.call('discard', Trigger.Request()).success
    robot.begin()
    assert robot.call('save', SaveEpisode.Request(force=True)).success
    recorder.send(signal.SIGTERM)
    assert recorder.wait() == 0
    assert not validate(tmp_path / 'data', deep=True)
    assert not (tmp_path / 'data' / '.apprentice').exists()


RANGED = CONTRACT.replace('unit: radians', 'unit: percent').replace(
    'rate_hz: 100,', 'rate_hz: 100, ranges_topic: arm/joint_ranges,')


@pytest.mark.parametrize(('text', 'parameters', 'words'), [
    # Nobody makes files there, not even root.
    (CONTRACT, {'dataset': '/sys/kernel/dataset'}, '/sys/kernel/dataset'),
    (RANGED, {'ranges_timeout_s': 0.5}, '/arm/joint_ranges: nothing came within 0.5 s'),
], ids=['read-only', 'no ranges'])
def test_a_recorder_that_cannot_begin(
    launch: Launch, text: str, parameters: dict[str, Any], words: str,
) -> None:
    """It ends in time and names what is missing, without a traceback."""
    recorder = launch(text, **parameters)
    assert recorder.wait() == 1
    assert words in recorder.output()
    assert 'Traceback' not in recorder.output()


def test_ctrl_c_twice_during_a_save(
    robot: FaultyRobot, launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The save is finished, the process says so and ends well."""
    monkeypatch.setattr('robot_node.PROGRAM', SLOW)
    recorder = launch(**AT_ONCE)
    robot.begin()
    robot._calls['save'].call_async(SaveEpisode.Request(force=True))
    assert until(lambda: robot.status.state == RecorderStatus.SAVING)
    recorder.send(signal.SIGINT)
    time.sleep(0.2)
    recorder.send(signal.SIGINT)
    assert recorder.wait() == 0, recorder.output()
    assert not validate(tmp_path / 'data', deep=True)
    assert not record_of(tmp_path / 'data')['recovered']
    assert 'episode 0 is on disk' in recorder.output()


class Terminal:
    """A console under a terminal of its own."""

    def __init__(self, domain: int) -> None:
        self._master, self._slave = pty.openpty()
        self._before = termios.tcgetattr(self._slave)
        self.shown = b''
        self.process = subprocess.Popen(
            [sys.executable, '-c', CONSOLE], stdin=self._slave, stdout=self._slave,
            stderr=self._slave, env={**os.environ, 'ROS_DOMAIN_ID': str(domain)},
            start_new_session=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError):
            while data := os.read(self._master, 65536):
                self.shown += data

    def press(self, keys: str) -> None:
        self.shown = b''
        os.write(self._master, keys.encode())

    def shows(self, text: str) -> bool:
        return bool(until(lambda: text.encode() in self.shown, 10.0))

    def is_as_before(self) -> bool:
        return termios.tcgetattr(self._slave) == self._before

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._slave)
        os.close(self._master)


@pytest.fixture
def terminal(domain: int) -> Iterator[Terminal]:
    """Give a terminal with a console."""
    with closing(Terminal(domain)) as found:
        yield found


def test_the_console_needs_a_terminal() -> None:
    """It says what to use instead."""
    result = subprocess.run([sys.executable, '-c', CONSOLE], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=20)
    assert result.returncode == 2
    assert 'recorder/start' in result.stderr


def test_an_evening_with_the_console(
    robot: FaultyRobot, launch: Launch, terminal: Terminal, tmp_path: Path,
) -> None:
    """A task is pasted and corrected, one episode discarded, one saved; the terminal is whole."""
    launch(CONTRACT + 'holds: {in_a_row: 100000, share: 1.0}\n', **AT_ONCE)
    assert terminal.shows('space start')
    assert not terminal.is_as_before()
    terminal.press('t')
    assert terminal.shows('task: ')
    # Pasted at once, letters of two bytes, and the last key held down.
    terminal.press('drei grüne Würfel stapelx\x7f\x7fln\n')
    assert terminal.shows('episode 0 has begun: ')
    robot.await_rows(5)
    terminal.press('d')
    assert terminal.shows('episode 0 is discarded') and terminal.shows('space start')
    terminal.press(' ')
    assert terminal.shows('has begun')
    robot.await_rows(10)
    terminal.press('y')
    assert terminal.shows('episode 0 is on disk')
    terminal.press('q')
    assert terminal.process.wait(10) == 0
    assert terminal.is_as_before()
    record = record_of(tmp_path / 'data')
    assert (record['success'], record['task']) == (True, 'drei grüne Würfel stapeln')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_the_terminal_back(terminal: Terminal, number: signal.Signals) -> None:
    """Ctrl-C and the end of a session alike."""
    assert terminal.shows('waiting for recorder/status')
    terminal.process.send_signal(number)
    assert terminal.process.wait(10) in (0, -number)
    assert terminal.is_as_before()
    assert b'Traceback' not in terminal.shown
