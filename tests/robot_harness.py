# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A robot started by `ros2 launch` for a test, and everything that must be gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import time
import uuid

from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import WorldState
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

MARK = 'APPRENTICE_TEST_MARK'
READY_S = 30.0
GONE_S = 15.0


class Launch:
    """One `ros2 launch`; every process it starts carries a mark in its environment."""

    def __init__(self, arguments: Sequence[str], domain: str, folder: Path) -> None:
        """Start it, its output in `folder`, its simulated ports below `folder`."""
        self.mark = f'{MARK}={uuid.uuid4().hex}'
        self.runtime = folder / 'run'
        self.runtime.mkdir()
        self.log = folder / 'launch.log'
        name, value = self.mark.split('=')
        environment = {
            **os.environ, 'ROS_DOMAIN_ID': domain, 'XDG_RUNTIME_DIR': str(self.runtime),
            'ROS_LOG_DIR': str(folder / 'log'), name: value}
        self.begin = time.monotonic()
        with self.log.open('wb') as output:
            self.process = subprocess.Popen(
                ['ros2', 'launch', *arguments], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env=environment, start_new_session=True)

    def output(self) -> str:
        """Return what it has printed."""
        return self.log.read_text(errors='replace')

    def processes(self) -> dict[int, str]:
        """Return the living processes that it started, itself included: command by pid."""
        return marked_processes(self.mark)

    def find(self, *words: str) -> int:
        """Return the pid of the only process whose command has all these words."""
        pids = [pid for pid, command in self.processes().items()
                if all(word in command for word in words)]
        assert len(pids) == 1, (words, self.processes())
        return pids[0]

    def end(self, number: signal.Signals, timeout_s: float = GONE_S) -> int:
        """Send a signal to the launch alone and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout_s)

    def assert_gone(self) -> None:
        """Fail unless all processes and simulated ports vanish soon."""
        assert wait(lambda: not self.processes(), 5.0), (self.processes(), self.output())
        assert not list(self.runtime.iterdir()), list(self.runtime.iterdir())

    def kill(self) -> None:
        """Remove whatever a failed test left."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


class Watcher:
    """Sees a robot from outside, and holds its leader."""

    def __init__(self, domain: str, namespace: str = '') -> None:
        """Subscribe below the namespace."""
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=int(domain))
        self.node = Node('watcher', namespace=namespace or None, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.states: dict[str, dict[str, float]] = {}
        self.guard: GuardState | None = None
        self.world: WorldState | None = None
        for topic in ('leader/joint_states', 'follower/joint_states', 'follower/joint_commands'):
            self.node.create_subscription(
                JointState, topic, lambda message, topic=topic: self._on_joints(topic, message),
                1)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(
            GuardState, 'follower/guard_state',
            lambda message: setattr(self, 'guard', message), latched)
        self.node.create_subscription(
            WorldState, 'sim/world_state', lambda message: setattr(self, 'world', message), 1)
        self._hand = self.node.create_publisher(JointState, 'sim/leader_hand', 1)

    def hold_leader(self, **positions: float) -> None:
        """Move the simulated leader by hand; rad."""
        self._hand.publish(JointState(
            name=list(positions), position=list(positions.values())))

    def wait(self, condition: Callable[[], bool], timeout_s: float = READY_S) -> bool:
        """Spin until the condition holds; return whether it does."""
        end = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.05)
        return condition()

    def is_tracking(self) -> bool:
        """Tell whether teleoperation drives the follower."""
        return self.guard is not None and self.guard.owner == 'teleop' \
            and self.guard.state in (GuardState.RAMPING, GuardState.TRACKING)

    def follower(self, joint: str) -> float:
        """Return the follower's measured position, rad."""
        return self.states.get('follower/joint_states', {}).get(joint, float('nan'))

    def close(self) -> None:
        """Leave the graph."""
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def _on_joints(self, topic: str, message: JointState) -> None:
        self.states[topic] = dict(zip(message.name, message.position))


@contextmanager
def launched(
    *arguments: str, domain: str, folder: Path, namespace: str = '',
) -> Iterator[tuple[Launch, Watcher]]:
    """Start a launch file and watch it; nothing of it survives the block."""
    launch = Launch(arguments, domain, folder)
    watcher = Watcher(domain, namespace)
    try:
        yield launch, watcher
    finally:
        watcher.close()
        launch.kill()


def wait(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Return whether the condition came true in time."""
    end = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def marked_processes(mark: str) -> dict[int, str]:
    """Return the command of every living process with `NAME=value` in its environment, by pid."""
    found = {}
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / 'environ').read_bytes().split(b'\0'):
                    command = (entry / 'cmdline').read_bytes().replace(b'\0', b' ')
                    found[int(entry.name)] = command.decode(errors='replace')
            except OSError:
                continue
    return found
