# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The driver's executable against a simulated arm, and a ROS node that watches and commands it."""
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
import threading
import time
from typing import Any

from ament_index_python.packages import get_package_prefix
from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import JointRanges
from apprentice_msgs.srv import Acquire
from apprentice_sim.presets import default_joints
from apprentice_sim.testing import SimArm
from apprentice_sim.testing import so_arm_bus
from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from domain_coordinator import domain_id
from lifecycle_msgs.srv import ChangeState
from lifecycle_msgs.srv import GetState
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint

JOINTS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
TICK = 2 * 3.141592653589793 / 4095


def write_calibration(path: Path, role: str, **changes: Mapping[str, int]) -> Path:
    """Write the simulated arm's calibration file, with some joints' fields changed."""
    content = {
        name: {'id': joint.servo_id, 'drive_mode': 0, 'homing_offset': joint.homing_offset,
               'range_min': joint.range_min, 'range_max': joint.range_max,
               **changes.get(name, {})}
        for name, joint in default_joints(role).items()}
    path.write_text(json.dumps(content, indent=4))
    return path


class Driver:
    """A running driver process."""

    def __init__(self, environment: Mapping[str, str], parameters: Mapping[str, object]) -> None:
        """Start it in namespace /arm."""
        executable = Path(get_package_prefix('feetech_driver'), 'lib', 'feetech_driver', 'driver')
        arguments = [part for name, value in parameters.items()
                     for part in ('-p', f'{name}:={_yaml(value)}')]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [str(executable), '--ros-args', '-r', '__ns:=/arm', *arguments],
            env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, timeout_s: float = 10.0) -> tuple[int, str]:
        """Wait for the end; return exit code and everything it said."""
        out, err = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, out + err

    def kill(self) -> None:
        """End it at once if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Peer:
    """A node in this process: what the driver published, and means to act on it."""

    def __init__(self, domain: int) -> None:
        """Listen to everything below /arm."""
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = Node('peer', namespace='/arm', context=self.context)
        self.states: list[JointState] = []
        self.commands: list[JointState] = []
        self.guard: list[GuardState] = []
        self.guard_now = GuardState()
        self.ranges: list[JointRanges] = []
        self.health: dict[str, DiagnosticStatus] = {}
        for message_type, topic, qos, sink in (
                (JointState, 'joint_states', 100, self.states.append),
                (JointState, 'joint_commands', 100, self.commands.append),
                (GuardState, 'guard_state', LATCHED, self._guard_changed),
                (JointRanges, 'joint_ranges', LATCHED, self.ranges.append)):
            self.node.create_subscription(message_type, topic, sink, qos)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._diagnosed, 10)
        self._publishers: dict[str, Any] = {}
        self._clients: dict[str, Any] = {}
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._open = True
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def publish(self, topic: str, message: Any, wait: bool = True) -> None:
        """Publish, the first time after the driver has been found."""
        if topic not in self._publishers:
            self._publishers[topic] = self.node.create_publisher(type(message), topic, 1)
        publisher = self._publishers[topic]
        if wait:
            until(lambda: publisher.get_subscription_count() > 0, f'nobody listens to {topic}')
        publisher.publish(message)

    def command(
        self, positions: Mapping[str, float], in_s: float = 0.02, source: str = 'teleop',
        stamp_ns: int | None = None,
    ) -> None:
        """Send one point due so many seconds after its stamp, which is now."""
        topic = 'joint_trajectory' if source == 'default' else f'sources/{source}/joint_trajectory'
        message = trajectory(positions, in_s)
        stamp_ns = time.time_ns() if stamp_ns is None else stamp_ns
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        self.publish(topic, message)

    def stream(
        self, positions: Mapping[str, float], seconds: float, source: str = 'teleop',
    ) -> None:
        """Repeat one point at 100 Hz."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.command(positions, source=source)
            time.sleep(0.01)

    def call(self, service_type: type, name: str, **fields: object) -> Any:
        """Call a service and return its response."""
        if name not in self._clients:
            self._clients[name] = self.node.create_client(service_type, name)
        client = self._clients[name]
        until(client.service_is_ready, f'no service {name}')
        future = client.call_async(service_type.Request(**fields))
        until(future.done, f'{name} does not answer', 10.0)
        return future.result()

    def trigger(self, name: str) -> Trigger.Response:
        """Call a trigger of the arm."""
        return self.call(Trigger, name)

    def acquire(self, source: str, release: bool = False) -> Acquire.Response:
        """Acquire or release the arm for a source."""
        return self.call(Acquire, 'acquire', source=source, release=release)

    def change(self, transition: int) -> bool:
        """Ask the driver for a lifecycle transition."""
        request = ChangeState.Request()
        request.transition.id = transition
        return self.call(
            ChangeState, 'feetech_driver/change_state', transition=request.transition).success

    def lifecycle(self) -> str:
        """Return the driver's lifecycle state."""
        return self.call(GetState, 'feetech_driver/get_state').current_state.label

    def estop_topic(self) -> None:
        """Press the emergency stop of everything."""
        self.publish('/estop', Bool(data=True))

    def position(self, joint: str) -> float:
        """Return a joint's latest published position, rad."""
        state = self.states[-1]
        return state.position[state.name.index(joint)]

    def wait_guard(self, condition: Callable[[GuardState], bool], what: str) -> GuardState:
        """Wait for a guard state."""
        until(lambda: any(condition(state) for state in list(self.guard)), what)
        return next(state for state in reversed(self.guard) if condition(state))

    def level(self, part: str) -> int:
        """Return the diagnostic level of a part, -1 before it was told."""
        status = self.health.get(f'/arm/feetech_driver: {part}')
        return -1 if status is None else status.level[0]

    def message(self, part: str) -> str:
        """Return the diagnostic message of a part."""
        return self.health[f'/arm/feetech_driver: {part}'].message

    def settle(self) -> None:
        """Wait until the arm holds without an owner, and forget what was heard."""
        if self.guard_now.state == GuardState.ESTOPPED:
            until(lambda: self.trigger('estop_reset').success, 'the e-stop cannot be reset')
        until(lambda: self.guard_now.state == GuardState.HOLDING and not self.guard_now.owner,
              'the arm does not settle')
        self.guard.clear()
        self.commands.clear()
        self.states.clear()

    def close(self) -> None:
        """Leave the graph."""
        self._open = False
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def _spin(self) -> None:
        while self._open:
            self._executor.spin_once(0.05)

    def _guard_changed(self, message: GuardState) -> None:
        self.guard.append(message)
        self.guard_now = message

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.health[status.name] = status


class Stage:
    """A simulated arm, the peer, and drivers started on them."""

    def __init__(self, arm: SimArm, folder: Path, role: str, domain: int) -> None:
        """Prepare; nothing is started yet."""
        self.arm = arm
        self.folder = folder
        self.peer = Peer(domain)
        self.calibration = write_calibration(folder / f'{role}.json', role)
        self._environment = {**os.environ, 'ROS_DOMAIN_ID': str(domain)}
        self._role = role
        self._drivers: list[Driver] = []

    def start(self, **parameters: object) -> Driver:
        """Start a driver on the arm."""
        driver = Driver(self._environment, {
            'port': self.arm.port, 'role': self._role,
            'calibration_file': str(self.calibration), **parameters})
        self._drivers.append(driver)
        return driver

    def start_active(self, **parameters: object) -> Driver:
        """Start a driver and wait until it drives."""
        driver = self.start(**parameters)
        try:
            until(lambda: len(self.peer.commands) > 3 or driver.process.poll() is not None,
                  'no goals', 15.0)
            assert driver.process.poll() is None, 'it ended'
        except AssertionError as error:
            driver.signal(signal.SIGTERM)
            raise AssertionError(f'the driver never drove: {error}; it said {driver.end()}')
        return driver

    def torque(self) -> set[int]:
        """Return the distinct values of the servos' torque registers."""
        return set(self.arm.registers('torque_enable').values())

    def close(self) -> None:
        """End everything that still runs."""
        for driver in self._drivers:
            driver.kill()
        self.peer.close()


@contextmanager
def stage(role: str, folder: Path) -> Iterator[Stage]:
    """Give a simulated arm on a domain of its own."""
    with domain_id() as domain, so_arm_bus(role, folder) as arm:
        _hurry('servo-bus')
        result = Stage(arm, folder, role, domain)
        try:
            yield result
        finally:
            result.close()


def _hurry(name: str) -> None:
    """Let a busy machine delay the simulated servos no more than it would real ones."""
    for thread in threading.enumerate():
        if thread.name == name:
            try:
                os.sched_setscheduler(thread.native_id, os.SCHED_RR, os.sched_param(30))
            except OSError:
                return  # where it is not allowed the tests still hold on a quiet machine


def trajectory(positions: Mapping[str, float], in_s: float) -> JointTrajectory:
    """Return a trajectory of one point without a stamp."""
    message = JointTrajectory(joint_names=list(positions))
    point = JointTrajectoryPoint(positions=list(map(float, positions.values())))
    point.time_from_start.sec, point.time_from_start.nanosec = divmod(int(in_s * 1e9), 10**9)
    message.points = [point]
    return message


def until(condition: Callable[[], bool], what: str, timeout_s: float = 5.0) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def _yaml(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)
