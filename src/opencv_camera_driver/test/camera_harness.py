# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The camera's executable, and a ROS node that watches it."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
import json
import os
from pathlib import Path
import signal
import subprocess
import time
from typing import Any

from ament_index_python.packages import get_package_prefix
from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
import domain_coordinator
from lifecycle_msgs.srv import ChangeState
from lifecycle_msgs.srv import GetState
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

EXECUTABLE = Path(get_package_prefix('opencv_camera_driver'), 'lib/opencv_camera_driver/camera')
WAIT_S = 30.0


class Graph:
    """A node of the test's own on a domain of its own, and what the camera in /front says."""

    def __init__(self, domain: int) -> None:
        """Listen to diagnostics."""
        self.environment = {**os.environ, 'ROS_DOMAIN_ID': str(domain)}
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = Node('test', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.health: dict[str, DiagnosticStatus] = {}
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._diagnosed, 10)
        self._processes: list[subprocess.Popen[str]] = []

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.health[status.name] = status

    def listen(self, message_type: type, topic: str) -> list[Any]:
        """Subscribe and return the list that fills with messages."""
        heard: list[Any] = []
        self.node.create_subscription(message_type, f'/front/{topic}', heard.append, 10)
        return heard

    def pictures(self) -> list[CompressedImage]:
        """Listen to what consumers take by default."""
        return self.listen(CompressedImage, 'image_raw/compressed')

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Spin until the condition holds."""
        end = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end, (what, self.message, self.values)
            self._executor.spin_once(timeout_sec=0.05)

    @property
    def level(self) -> int:
        """Return the camera's level on /diagnostics, -1 before it was told."""
        status = self.health.get('/front/camera: camera')
        return -1 if status is None else status.level[0]

    @property
    def message(self) -> str:
        """Return the camera's message on /diagnostics."""
        status = self.health.get('/front/camera: camera')
        return '' if status is None else status.message

    @property
    def values(self) -> Mapping[str, str]:
        """Return the camera's values on /diagnostics."""
        status = self.health.get('/front/camera: camera')
        return {} if status is None else {item.key: item.value for item in status.values}

    def call(self, service_type: type, name: str, **fields: object) -> Any:
        """Call a service of the camera."""
        client = self.node.create_client(service_type, f'/front/camera/{name}')
        self.until(client.service_is_ready, f'no service {name}')
        future = client.call_async(service_type.Request(**fields))
        self.until(future.done, f'{name} does not answer')
        return future.result()

    def change(self, transition: int) -> bool:
        """Ask for a lifecycle transition."""
        request = ChangeState.Request()
        request.transition.id = transition
        return self.call(ChangeState, 'change_state', transition=request.transition).success

    def state(self) -> str:
        """Return the lifecycle state."""
        return self.call(GetState, 'get_state').current_state.label

    def start(self, environment: Mapping[str, str] = {}, **parameters: object) \
            -> subprocess.Popen[str]:
        """Start a camera in /front."""
        arguments = [word for name, value in parameters.items()
                     for word in ('-p', f'{name}:={_yaml(value)}')]
        self._processes.append(subprocess.Popen(
            [str(EXECUTABLE), '--ros-args', '-r', '__ns:=/front', *arguments],
            env={**self.environment, **environment}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True))
        return self._processes[-1]

    def end(self, process: subprocess.Popen[str]) -> str:
        """End a camera as Ctrl-C does, which must succeed; return what it said."""
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0 and 'Traceback' not in output, output
        return output

    def close(self) -> None:
        """Leave the graph and end what still runs."""
        for process in self._processes:
            process.kill()
            process.communicate()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)


def _yaml(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


def stamp_ns(message: Any) -> int:
    """Return the stamp of a message."""
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


@contextmanager
def graph() -> Iterator[Graph]:
    """Take a domain that no other test uses."""
    with domain_coordinator.domain_id() as domain:
        found = Graph(domain)
        try:
            yield found
        finally:
            found.close()
