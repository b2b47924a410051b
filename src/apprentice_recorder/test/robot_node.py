# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A small robot on a real graph and a recorder in a process of its own."""
from __future__ import annotations

from array import array
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from apprentice_msgs.msg import RecorderStatus
from apprentice_msgs.srv import LabelEpisode
from apprentice_msgs.srv import SaveEpisode
from apprentice_msgs.srv import StartEpisode
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from sensor_msgs.msg import JointState
from small_robot import image_fields
from std_srvs.srv import Trigger

READY_S = 20.0
PROGRAM = 'import sys; from apprentice_recorder.main import recorder; sys.exit(recorder())'


def until(found: Callable[[], Any], timeout_s: float = READY_S) -> Any:
    """Wait until there is something and return it; None when the time is up."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        result = found()
        if result:
            return result
        time.sleep(0.02)
    return None


class Robot(Node):
    """Publish a camera at 30 Hz and two joints at 100 Hz; the attributes bring faults."""

    def __init__(self, context: Context, camera_qos: QoSProfile | None = None) -> None:
        """Be a good robot at first."""
        super().__init__('robot', context=context)
        self.camera_on = self.goals_on = True
        self.frozen = False
        self.skew_ns = 0
        self.fields: dict[str, Any] = {}
        self.names = ['a', 'b']
        self.status: RecorderStatus | None = None
        self._number = 0
        self._value = 0.0
        self._image = self.create_publisher(Image, 'front/image_raw', camera_qos or 10)
        self._arm = self.create_publisher(JointState, 'arm/joint_states', 10)
        self._goals = self.create_publisher(JointState, 'arm/goals', 10)
        self.create_timer(1 / 30, self._see)
        self.create_timer(1 / 100, self._move)
        self.create_subscription(RecorderStatus, 'recorder/status', self._take, 1)
        self._calls = {
            name: self.create_client(kind, f'recorder/{name}') for name, kind in (
                ('start', StartEpisode), ('save', SaveEpisode), ('discard', Trigger),
                ('label', LabelEpisode))}

    def call(self, name: str, request: Any) -> Any:
        """Call a service of the recorder from the test's thread."""
        client = self._calls[name]
        assert until(client.service_is_ready), f'recorder/{name} is not there'
        future = client.call_async(request)
        assert until(future.done), f'recorder/{name} did not answer'
        return future.result()

    def ready(self) -> bool:
        """Tell whether the recorder sees nothing in the way."""
        return self.status is not None and not self.status.blocks

    def start(self, task: str = 'wave') -> Any:
        """Start an episode once everything is well."""
        self.status = None
        assert until(self.ready), self.status
        answer = self.call('start', StartEpisode.Request(task=task))
        self.status = None
        return answer

    def await_rows(self, count: int) -> None:
        """Wait until the open episode has so many rows."""
        assert until(lambda: self.status and self.status.rows >= count), self.status

    def _take(self, status: RecorderStatus) -> None:
        self.status = status

    def _stamp(self, message: Any) -> Any:
        now_ns = 10**18 if self.frozen else self.get_clock().now().nanoseconds + self.skew_ns
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now_ns, 10**9)
        return message

    def _see(self) -> None:
        if self.camera_on:
            fields = {**image_fields(self._number), **self.fields}
            data = fields.pop('data')
            message = Image(**fields)
            message.data = data
            self._image.publish(self._stamp(message))
        self._number += 1

    def _move(self) -> None:
        self._value += 0.01
        position = array('d', [self._value] * len(self.names))
        self._arm.publish(self._stamp(JointState(name=self.names, position=position)))
        if self.goals_on:
            self._goals.publish(self._stamp(JointState(name=self.names, position=position)))


@contextmanager
def running_robot(domain: int, camera_qos: QoSProfile | None = None) -> Iterator[Robot]:
    """Spin a robot in a thread."""
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    robot = Robot(context, camera_qos)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(robot)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        yield robot
    finally:
        executor.shutdown()
        thread.join(5.0)
        robot.destroy_node()
        rclpy.shutdown(context=context)


class Recorder:
    """A recorder's process."""

    def __init__(self, domain: int, log: Path, **parameters: object) -> None:
        """Start it."""
        self.log = log
        arguments = [part for name, value in parameters.items()
                     for part in ('-p', f'{name}:={json.dumps(value)}')]
        with log.open('ab') as output:
            self._process = subprocess.Popen(
                [sys.executable, '-c', PROGRAM, '--ros-args', *arguments],
                env={**os.environ, 'ROS_DOMAIN_ID': str(domain)}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT)

    @property
    def pid(self) -> int:
        """Return its process."""
        return self._process.pid

    def output(self) -> str:
        """Return what it has printed."""
        return self.log.read_text(errors='replace')

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self, timeout_s: float = READY_S) -> int:
        """Return its exit code."""
        return self._process.wait(timeout_s)

    def end(self) -> int:
        """End it as Ctrl-C does and return the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
