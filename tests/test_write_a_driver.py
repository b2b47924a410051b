# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The example of docs/write-a-driver.md, built in a workspace of its own and driven on a wire."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
import math
import os
from pathlib import Path
import re
import shlex
import signal
import subprocess
import sys
import threading
from typing import Any

from apprentice_msgs.msg import GuardState
from apprentice_msgs.srv import Acquire
from diagnostic_msgs.msg import DiagnosticArray
from documents import fences
from documents import parse_blocks
import domain_coordinator
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from robot_harness import wait
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / 'examples' / 'my_arm_driver'
sys.path.insert(0, str(EXAMPLE))

from my_arm_driver.simulator import SimulatedArm  # noqa: E402,I100  (the path must come first)

pytestmark = pytest.mark.timeout(120)
DRIVER = EXAMPLE / 'my_arm_driver' / 'driver.py'
GUIDE = (ROOT / 'docs' / 'write-a-driver.md').read_text()
LONGEST = 130
JOINTS = ('base', 'shoulder', 'elbow')
ENGAGE, FAST = 1.0, 1.5
DEADLINE_S = 30.0
UNIT = math.radians(0.01)


def until(condition: Callable[[], bool], what: str, seen: Callable[[], object] = str) -> None:
    """Wait for a condition; fail with what was expected and what is seen."""
    assert wait(condition, DEADLINE_S), f'{what}: {seen()}'


class Peer(Node):
    """What others see of the arm, and how they act on it."""

    def __init__(self, context: Context) -> None:
        super().__init__('peer', namespace='/follower', context=context)
        self.states: list[JointState] = []
        self.commands: list[JointState] = []
        self.history: list[GuardState] = []
        self.parts: dict[str, tuple[int, str]] = {}
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(JointState, 'joint_states', self.states.append, 1000)
        self.create_subscription(JointState, 'joint_commands', self.commands.append, 1000)
        self.create_subscription(GuardState, 'guard_state', self.history.append, latched)
        self.create_subscription(DiagnosticArray, '/diagnostics', self._diagnosed, 10)
        self._stop = self.create_publisher(Bool, '/estop', 1)
        self._inputs = {name: self.create_publisher(JointTrajectory, name, 1) for name in (
            'joint_trajectory', 'sources/teleop/joint_trajectory')}

    def command(
        self, positions: Mapping[str, float], in_s: float, topic: str = 'joint_trajectory',
    ) -> None:
        """Send one point, rad, due so many seconds after its arrival."""
        point = JointTrajectoryPoint(positions=[float(angle) for angle in positions.values()])
        point.time_from_start.nanosec = int(in_s * 1e9)
        until(lambda: self.count_subscribers(topic) == 1, f'nobody listens to {topic}')
        publisher = self._inputs[topic]
        until(lambda: publisher.get_subscription_count() == 1, f'{topic} does not connect')
        publisher.publish(JointTrajectory(joint_names=list(positions), points=[point]))

    def press_stop(self) -> None:
        """Press the emergency stop of everything."""
        until(lambda: self._stop.get_subscription_count() == 1, 'nobody listens to /estop')
        self._stop.publish(Bool(data=True))

    def call(self, kind: type, name: str, **fields: object) -> Any:
        """Call a service of the arm and return its response."""
        client = self.create_client(kind, name)
        until(client.service_is_ready, f'no service {name}')
        future = client.call_async(kind.Request(**fields))
        until(future.done, f'{name} does not answer')
        self.destroy_client(client)
        return future.result()

    def guard(self) -> GuardState:
        """Return the latest state of the guard."""
        return self.history[-1] if self.history else GuardState()

    def position(self, joint: str) -> float:
        """Return the latest measured position of a joint, rad."""
        return self.states[-1].position[JOINTS.index(joint)] if self.states else math.nan

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.parts[status.name] = (status.level[0], status.message)


@contextmanager
def peer_on(domain: int) -> Iterator[Peer]:
    """Run the peer in a thread."""
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    peer = Peer(context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(peer)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        executor.shutdown()
        thread.join(5.0)
        peer.destroy_node()
        rclpy.shutdown(context=context)


@contextmanager
def arm_at(link: Path) -> Iterator[SimulatedArm]:
    """Serve a simulated arm in a thread."""
    arm, done = SimulatedArm(link), threading.Event()

    def serve() -> None:
        while not done.is_set():
            arm.serve(0.05)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield arm
    finally:
        done.set()
        thread.join(5.0)
        arm.close()


class Driver:
    """The driver's process, started as the guide says."""

    def __init__(self, home: Path, domain: int, *arguments: str) -> None:
        self._log = home / 'driver.log'
        command = command_of('ros2 run my_arm_driver driver')
        text = f'{setup()} && exec {command} {shlex.join(arguments)}'
        with self._log.open('wb') as out:
            self.process = subprocess.Popen(
                ['bash', '-c', text], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True, env={
                    **os.environ, 'HOME': str(home), 'ROS_DOMAIN_ID': str(domain)})

    def said(self) -> str:
        """Return what it has printed."""
        return self._log.read_text(errors='replace')

    def end(self, number: int | None = None) -> int:
        """Send a signal, if any, and return the exit code."""
        if number is not None:
            # As a terminal does: upstream's `ros2 run` leaves its child to hear it itself.
            os.killpg(self.process.pid, number)
        return self.process.wait(DEADLINE_S)

    def kill(self) -> None:
        """End it at once if it still runs."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def blocks() -> list[str]:
    """Return every command of the guide."""
    return [command for block in parse_blocks(GUIDE, 'write-a-driver.md')
            for command in block.commands]


def command_of(begin: str) -> str:
    """Return the only command of the guide that begins so."""
    found = [command for command in blocks() if command.startswith(begin)]
    assert len(found) == 1, f'the guide has {found} for {begin}'
    return found[0]


def setup() -> str:
    """Return the guide's command that sources the workspace."""
    return command_of('source ')


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the example by the guide's commands, in a home of their own."""
    folder = tmp_path_factory.mktemp('home')
    commands = blocks()
    build = commands[:commands.index(setup())]
    result = subprocess.run(
        ['bash', '-euo', 'pipefail', '-c', '\n'.join(build)], cwd=ROOT, text=True,
        env={**os.environ, 'HOME': str(folder)}, capture_output=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture
def domain() -> Iterator[int]:
    """Reserve a domain."""
    with domain_coordinator.domain_id() as found:
        yield int(found)


@pytest.fixture
def stage(home: Path, domain: int) -> Iterator[tuple[SimulatedArm, Peer, Driver]]:
    """Give a driver that holds the simulated arm."""
    with arm_at(home / 'my_arm') as arm, peer_on(domain) as peer:
        driver = Driver(home, domain, '-p', f'engage_velocity:={ENGAGE}',
                        '-p', f'max_velocity:={FAST}')
        try:
            until(lambda: peer.guard().state == GuardState.HOLDING and len(peer.commands) > 3
                  or driver.process.poll() is not None, 'it does not drive', driver.said)
            assert driver.process.poll() is None, driver.said()
            yield arm, peer, driver
        finally:
            driver.kill()


def test_the_driver_is_short() -> None:
    """What the guide promises: about a hundred lines, all counted."""
    assert len(DRIVER.read_text().splitlines()) < LONGEST


def test_the_guide_shows_the_driver() -> None:
    """The code in the guide is the code that is tested here."""
    shown = ['\n'.join(lines) + '\n' for _, info, lines in fences(GUIDE) if info == 'python']
    assert shown == [DRIVER.read_text()]


def test_a_trajectory_moves_the_arm_within_caps_and_limits(
    stage: tuple[SimulatedArm, Peer, Driver],
) -> None:
    """Too fast is slowed down, too far ends at the limit; what is published was on the wire."""
    arm, peer, _ = stage
    peer.commands.clear()
    begin = len(arm.lines)
    peer.command({'base': 1.0, 'shoulder': 3.0, 'elbow': -0.5}, 0.5)
    until(lambda: peer.position('shoulder') > 1.59 and peer.guard().state == GuardState.HOLDING,
          'the arm stands elsewhere', lambda: peer.states[-1].position)
    assert list(peer.states[-1].name) == list(JOINTS)
    assert list(peer.states[-1].position) == pytest.approx([1.0, 1.6, -0.5], abs=2 * UNIT)
    commands = list(peer.commands)
    speeds = [abs(speed) for message in commands for speed in message.velocity]
    assert 0.9 * ENGAGE < max(speeds) <= ENGAGE + 1e-6
    assert max(message.position[1] for message in commands) <= 1.6 + UNIT
    wire = [tuple(map(int, line.split()[1:])) for _, line in arm.lines[begin:]
            if line.startswith('GOAL')]
    published = [tuple(round(angle / UNIT) for angle in message.position) for message in commands]
    assert set(published) <= set(wire) and len(set(published)) > 20
    counts = {name for message in peer.history for name, count in zip(
        message.counter_names, message.counter_values) if count}
    assert 'limit' in ' '.join(counts), counts


def test_the_emergency_stop_is_latched(stage: tuple[SimulatedArm, Peer, Driver]) -> None:
    """The arm stops in mid-motion, refuses commands, and moves again when it is asked to."""
    arm, peer, _ = stage
    peer.command({'base': 2.0}, 0.5)
    until(lambda: peer.position('base') > 0.2, 'the arm does not move')
    peer.press_stop()
    until(lambda: peer.guard().state == GuardState.ESTOPPED, 'no emergency stop')
    until(lambda: not any(peer.commands[-1].velocity), 'the arm does not stop')
    stopped = peer.position('base')
    assert 0.2 < stopped < 1.9 and arm.torque, 'it holds with torque on'
    until(lambda: peer.parts.get('/follower/my_arm_driver: guard', (0, ''))[0] == 1,
          'diagnostics do not warn', lambda: peer.parts)

    peer.command({'base': -1.0}, 0.5)
    until(lambda: 'estopped' in _refusals(peer), 'the command is not refused', peer.guard)
    assert peer.position('base') == pytest.approx(stopped, abs=0.1)

    assert peer.call(Trigger, 'estop_reset').success
    assert peer.call(Acquire, 'acquire', source='teleop').success
    peer.command({'base': 0.0}, 0.5, 'sources/teleop/joint_trajectory')
    until(lambda: abs(peer.position('base')) < 2 * UNIT, 'the arm does not move again')


def _refusals(peer: Peer) -> str:
    message = peer.guard()
    return ' '.join(name for name, count in zip(message.counter_names, message.counter_values)
                    if count)


def test_ctrl_c_lets_the_arm_go(stage: tuple[SimulatedArm, Peer, Driver]) -> None:
    """In the middle of a motion, torque goes off, and it is the last thing said to the arm."""
    arm, peer, driver = stage
    peer.command({'base': 2.0}, 0.5)
    until(lambda: peer.position('base') > 0.2, 'the arm does not move')
    assert driver.end(signal.SIGINT) == 0, driver.said()
    assert not arm.torque and arm.lines[-1][1] == 'TORQUE 0'
    assert 'Traceback' not in driver.said()


def test_an_arm_that_falls_silent_is_a_fault(stage: tuple[SimulatedArm, Peer, Driver]) -> None:
    """Diagnostics tell it, and the firmware lets go; the driver stays to tell it."""
    arm, peer, driver = stage
    arm.mute = True
    until(lambda: peer.parts.get('/follower/my_arm_driver: lifecycle', (0, ''))[0] == 2,
          'diagnostics tell no error', lambda: peer.parts)
    assert 'expected OK' in peer.parts['/follower/my_arm_driver: lifecycle'][1]
    until(lambda: not arm.torque, 'the firmware does not let go')
    assert driver.process.poll() is None


@pytest.mark.parametrize('arguments, code, words', [
    (('-p', 'max_velocty:=1.0'), 2, "did you mean 'max_velocity'?"),
    (('-p', 'port:=/dev/nowhere'), 1, 'could not open port /dev/nowhere'),
    (('-p', 'source_priorities:=[1]'), 1, "'source_priorities': found 1 values, expected 2"),
])
def test_a_bad_start_is_told_in_a_line(
    home: Path, domain: int, arguments: tuple[str, ...], code: int, words: str,
) -> None:
    """Exit code and one message, no traceback."""
    with arm_at(home / 'my_arm'):
        driver = Driver(home, domain, *arguments)
        assert driver.end() == code, driver.said()
    assert words in driver.said() and 'Traceback' not in driver.said(), driver.said()


def test_the_simulator_runs_as_the_guide_says(home: Path) -> None:
    """Its port is there until Ctrl-C."""
    text = f"{setup()} && exec {command_of('ros2 run my_arm_driver simulator')}"
    process = subprocess.Popen(['bash', '-c', text], env={**os.environ, 'HOME': str(home)},
                               start_new_session=True)
    try:
        until(lambda: (home / 'my_arm').is_char_device(), 'no port')
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0
        assert not (home / 'my_arm').is_symlink()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_the_guide_names_what_it_uses() -> None:
    """Every module of ours that the driver imports is explained."""
    modules = set(re.findall(r'^from (apprentice_[\w.]+) import', DRIVER.read_text(), re.M))
    missing = [name for name in modules if f'`{name}`' not in GUIDE]
    assert not missing, missing
