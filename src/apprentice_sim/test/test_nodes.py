# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""World, cameras and demonstrator as processes on the graph."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from apprentice_msgs.msg import WorldState
from apprentice_msgs.srv import ResetWorld
from apprentice_sim.frames import with_checksum
from diagnostic_msgs.msg import DiagnosticArray
import domain_coordinator
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from sensor_msgs.msg import JointState
import serial
import simplejpeg

pytestmark = pytest.mark.timeout(120)
START_S = 40.0
END_S = 15.0


class Graph:
    """A node of the test's own on a domain of its own."""

    def __init__(self, domain: int) -> None:
        self.environment = {**os.environ, 'ROS_DOMAIN_ID': str(domain)}
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = Node('test', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def listen(self, message_type: type, topic: str) -> list:
        """Subscribe and return the list that fills with messages."""
        heard: list = []
        self.node.create_subscription(message_type, topic, heard.append, 10)
        return heard

    def until(self, condition: Callable[[], object], timeout_s: float = START_S) -> bool:
        """Spin until a condition holds."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                return False
            self._executor.spin_once(timeout_sec=0.05)
        return True

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)


@pytest.fixture
def graph() -> Iterator[Graph]:
    """Take a domain that no other test uses."""
    with domain_coordinator.domain_id() as domain:
        graph = Graph(domain)
        yield graph
        graph.close()


def start(graph: Graph, name: str, **parameters: object) -> subprocess.Popen[str]:
    """Start a node of the package as `ros2 run` would."""
    arguments = [
        word for key, value in parameters.items() for word in ('-p', f'{key}:={value}')]
    if arguments:
        arguments.insert(0, '--ros-args')
    code = f'import sys; from apprentice_sim.entry import {name}; sys.exit({name}())'
    return subprocess.Popen(
        [sys.executable, '-c', code, *arguments], env=graph.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@contextmanager
def node(graph: Graph, name: str, **parameters: object) -> Iterator[subprocess.Popen[str]]:
    """Run a node while the context lasts; it must then end cleanly on SIGINT."""
    process = start(graph, name, **parameters)
    try:
        yield process
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=END_S)
        assert process.returncode == 0, output
    finally:
        process.kill()
        process.communicate()


def world(graph: Graph, folder: Path) -> object:
    """Run a world with its ports in a folder."""
    return node(
        graph, 'world', leader_link=folder / 'leader', follower_link=folder / 'follower', seed=4)


def test_world_shows_its_state_moves_the_leader_and_resets(graph: Graph, tmp_path: Path) -> None:
    """State at 60 Hz with both arms, the hand moves the leader, a reset places the cube anew."""
    states = graph.listen(WorldState, '/sim/world_state')
    diagnostics = graph.listen(DiagnosticArray, '/diagnostics')
    hand = graph.node.create_publisher(JointState, '/sim/leader_hand', 1)
    with world(graph, tmp_path):
        assert graph.until(lambda: states)
        state = states[0]
        assert state.seed == 4 and state.header.frame_id == 'base_link'
        assert list(state.joint_names)[0] == 'shoulder_pan' and len(state.follower) == 6
        assert len(state.qpos) == 13

        message = JointState(name=['shoulder_pan', 'gripper'], position=[0.3, 0.2])
        assert graph.until(lambda: hand.get_subscription_count() > 0)
        hand.publish(message)
        assert graph.until(lambda: abs(states[-1].leader[0] - 0.3) < 1e-6)
        assert states[-1].leader[5] == pytest.approx(0.2)
        hand.publish(JointState(name=['knee'], position=[0.3]))

        client = graph.node.create_client(ResetWorld, '/sim/reset')
        assert client.wait_for_service(10.0)
        future = client.call_async(ResetWorld.Request(seed=9))
        assert graph.until(future.done)
        response = future.result()
        assert response.success and response.cube.position.x > 0.1
        assert graph.until(lambda: states[-1].seed == 9)
        assert states[-1].cube.position.x == pytest.approx(response.cube.position.x, abs=1e-3)
        assert states[-1].bin.y == pytest.approx(response.bin.y)
        assert graph.until(lambda: any(
            status.name == '/sim/world: real time' for d in diagnostics for status in d.status))
    assert not (tmp_path / 'leader').is_symlink()


def test_cameras_stamp_frames_with_the_state_they_show(
        graph: Graph, tmp_path: Path, opengl: str) -> None:
    """Both cameras publish JPEG, raw pictures and matching calibration with a state's stamp."""
    states = graph.listen(WorldState, '/sim/world_state')
    infos = graph.listen(CameraInfo, '/wrist/camera_info')
    with world(graph, tmp_path), node(graph, 'cameras') as _:
        # Calibration comes without anyone looking at pictures.
        assert graph.until(lambda: len(infos) > 3)
        front = graph.listen(CompressedImage, '/front/image_raw/compressed')
        wrist = graph.listen(Image, '/wrist/image_raw')
        assert graph.until(lambda: len(front) > 30 and len(wrist) > 5)
        stamps = {(s.header.stamp.sec, s.header.stamp.nanosec) for s in states}
        frames = [(f.header.stamp.sec, f.header.stamp.nanosec) for f in front]
        assert sum(frame in stamps for frame in frames) >= len(frames) - 2
        picture = simplejpeg.decode_jpeg(bytes(front[-1].data))
        assert picture.shape == (480, 640, 3)
        assert front[0].header.frame_id == 'front_optical_frame'
        raw = wrist[-1]
        assert (raw.width, raw.height, raw.encoding, raw.step) == (640, 480, 'rgb8', 1920)
        assert len(raw.data) == 480 * 1920
        info = infos[-1]
        assert (info.width, info.height, info.header.frame_id) == (
            640, 480, 'wrist_optical_frame')
        assert info.k[0] == info.k[4] > 100 and info.k[2] == 319.5


def test_world_stays_until_torque_is_off(graph: Graph, tmp_path: Path) -> None:
    """Interrupted together with a driver, the world answers until the driver has released."""
    states = graph.listen(WorldState, '/sim/world_state')
    with world(graph, tmp_path) as process:
        assert graph.until(lambda: states)
        with serial.Serial(str(tmp_path / 'follower'), 1_000_000, timeout=1.0) as port:
            for torque in (1, 0):
                port.write(with_checksum(bytes((0xFF, 0xFF, 2, 4, 3, 40, torque, 0))))
                assert len(port.read(6)) == 6
                if torque:
                    process.send_signal(signal.SIGINT)
                    time.sleep(0.5)
                    assert process.poll() is None
        assert process.wait(2.0) == 0


def test_a_namespace_moves_every_topic(graph: Graph, tmp_path: Path) -> None:
    """A world in robot1/sim speaks below robot1."""
    states = graph.listen(WorldState, '/robot1/sim/world_state')
    process = subprocess.Popen(
        [sys.executable, '-c', 'from apprentice_sim.entry import world; world()', '--ros-args',
         '-r', '__ns:=/robot1/sim', '-p', f'leader_link:={tmp_path}/leader', '-p',
         f'follower_link:={tmp_path}/follower'], env=graph.environment)
    try:
        assert graph.until(lambda: states)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(END_S)


@pytest.mark.parametrize(('name', 'parameters', 'code', 'message'), [
    ('world', {'sed': 1}, 2, "did you mean 'seed'"),
    ('world', {'arm': 'so102'}, 2, 'so100, so101'),
    ('world', {'leader_calibration': '/nowhere.json'}, 1, '/nowhere.json: cannot be read'),
    ('world', {'leader_link': '/nowhere/leader'}, 1, '/nowhere/leader'),
    ('demonstrator', {'episodes': 0}, 2, 'from 1 to 100000'),
    ('demonstrator', {'start_timeout_s': 0.5}, 1, 'is the simulated world running'),
])
def test_bad_input_ends_with_one_clear_error(
        graph: Graph, name: str, parameters: dict[str, object], code: int, message: str) -> None:
    """A wrong parameter, file or path ends the process with the code and a hint."""
    process = start(graph, name, **parameters)
    output, _ = process.communicate(timeout=START_S)
    assert process.returncode == code, output
    assert message in output
    assert 'Traceback' not in output
