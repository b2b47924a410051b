# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The node on a real graph: what a leader's states make it send to a follower."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import threading
import time

from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import JointRanges
from apprentice_msgs.srv import Acquire
from apprentice_teleop.teleop_node import LATCHED
from apprentice_teleop.teleop_node import TeleopNode
from apprentice_teleop.teleop_parameters import ARM_JOINTS
import domain_coordinator
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory

pytestmark = pytest.mark.timeout(30)


class Arms(Node):
    """Publishes a leader, and grants or refuses the follower as its driver would."""

    def __init__(self) -> None:
        """Publish both ranges at once; leader states only while `leading`."""
        super().__init__('arms')
        self.grant = True
        self.leading = True
        self.stamp_offset_ns = 0
        self.position = 0.1
        self.asked: list[tuple[str, bool]] = []
        self.commands: list[JointTrajectory] = []
        self.create_service(Acquire, 'follower/acquire', self._on_acquire)
        self.create_subscription(
            JointTrajectory, 'follower/sources/teleop/joint_trajectory', self.commands.append, 10)
        self.guard = self.create_publisher(GuardState, 'follower/guard_state', LATCHED)
        self._ranges = [
            self.create_publisher(JointRanges, f'{arm}/joint_ranges', LATCHED)
            for arm in ('leader', 'follower')]
        for publisher, upper in zip(self._ranges, (1.0, 2.0)):
            publisher.publish(JointRanges(
                name=list(ARM_JOINTS), lower=[-1.0] * 6, upper=[upper] * 6))
        self._states = self.create_publisher(JointState, 'leader/joint_states', 10)
        self.create_timer(0.01, self._lead)
        self._engage = self.create_client(SetBool, 'teleop/engage')

    def _lead(self) -> None:
        if not self.leading:
            return
        message = JointState(name=list(ARM_JOINTS), position=[self.position] * 6)
        stamp_ns = self.get_clock().now().nanoseconds + self.stamp_offset_ns
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        self._states.publish(message)

    def _on_acquire(
        self, request: Acquire.Request, response: Acquire.Response,
    ) -> Acquire.Response:
        self.asked.append((request.source, request.release))
        response.success = self.grant
        response.message = '' if self.grant else 'the driver is busy'
        return response

    def engage(self, wanted: bool) -> SetBool.Response:
        """Call the service from the test's thread."""
        done = threading.Event()
        assert self._engage.wait_for_service(5.0)
        future = self._engage.call_async(SetBool.Request(data=wanted))
        future.add_done_callback(lambda _: done.set())
        assert done.wait(5.0)
        return future.result()


@pytest.fixture(scope='module', autouse=True)
def graph() -> Iterator[None]:
    """Use a domain of our own."""
    with domain_coordinator.domain_id() as domain:
        rclpy.init(domain_id=int(domain))
        yield
        rclpy.shutdown()


@pytest.fixture
def arms() -> Iterator[Arms]:
    """Spin the stand-in of both drivers in a thread."""
    yield from spin(Arms())


@pytest.fixture
def teleop(arms: Arms) -> Iterator[TeleopNode]:
    """Spin an active teleoperation node in a thread."""
    node = TeleopNode()
    node.trigger_configure()
    node.trigger_activate()
    yield from spin(node)


def spin(node: Node) -> Iterator[Node]:
    """Spin the node until the test ends."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield node
    executor.shutdown()
    thread.join()
    node.destroy_node()


def wait(condition: Callable[[], bool], timeout_s: float = 5.0) -> bool:
    """Return whether the condition became true in time."""
    end = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def goes_quiet(arms: Arms) -> bool:
    """Return whether commands stop and stay away for a quarter of a second."""
    def quiet() -> bool:
        arms.commands.clear()
        time.sleep(0.25)
        return not arms.commands
    return wait(quiet)


def test_a_command_carries_the_leaders_stamp_and_the_lead(
    arms: Arms, teleop: TeleopNode,
) -> None:
    """One point, due 20 ms after the leader was measured, gripper by percentage."""
    assert wait(lambda: len(arms.commands) > 3)
    command = arms.commands[-1]
    assert command.joint_names == list(ARM_JOINTS)
    assert len(command.points) == 1
    point = command.points[0]
    assert (point.time_from_start.sec, point.time_from_start.nanosec) == (0, 20_000_000)
    assert list(point.positions) == pytest.approx([0.1] * 5 + [0.65])
    stamp_ns = command.header.stamp.sec * 10**9 + command.header.stamp.nanosec
    assert 0 <= arms.get_clock().now().nanoseconds - stamp_ns < 10**9
    assert arms.asked[0] == ('teleop', False)


def test_engage_and_disengage_by_service(arms: Arms, teleop: TeleopNode) -> None:
    """Disengaged it is silent and has released; engaged it has asked again."""
    assert wait(lambda: arms.commands)
    assert arms.engage(False).success
    assert goes_quiet(arms)
    assert arms.asked[-1] == ('teleop', True)
    response = arms.engage(True)
    assert (response.success, response.message) == (True, 'engaged: the follower was granted')
    assert arms.asked[-1] == ('teleop', False)
    assert wait(lambda: arms.commands)


def test_a_refused_engage_says_why(arms: Arms, teleop: TeleopNode) -> None:
    """The driver's own words reach the operator, and nothing is sent."""
    assert wait(lambda: arms.commands)
    arms.engage(False)
    arms.grant = False
    response = arms.engage(True)
    assert not response.success
    assert 'the driver is busy' in response.message
    assert goes_quiet(arms)


def test_a_silent_leader_is_acquired_again_when_it_returns(
    arms: Arms, teleop: TeleopNode,
) -> None:
    """No command repeats an old state, and the return ramps."""
    assert wait(lambda: arms.commands)
    arms.leading = False
    assert goes_quiet(arms)
    asked = arms.asked.count(('teleop', False))
    arms.leading = True
    assert wait(lambda: arms.commands)
    assert arms.asked.count(('teleop', False)) == asked + 1


@pytest.mark.parametrize('offset_ns', [-200_000_000, 200_000_000])
def test_states_with_a_wrong_stamp_make_no_command(
    arms: Arms, teleop: TeleopNode, offset_ns: int,
) -> None:
    """Stale and future stamps both stop teleoperation and are counted."""
    assert wait(lambda: arms.commands)
    arms.stamp_offset_ns = offset_ns
    assert goes_quiet(arms)
    health = next(iter(teleop.health()))
    assert 'stamped more than 0.1 s' in health.message
    assert health.values['stale leader states'] > 0
    arms.stamp_offset_ns = 0
    assert wait(lambda: arms.commands)


def test_an_emergency_stop_needs_a_new_engage(arms: Arms, teleop: TeleopNode) -> None:
    """After the reset nothing moves before the operator asks for it."""
    assert wait(lambda: arms.commands)
    arms.guard.publish(GuardState(state=GuardState.ESTOPPED, owner=''))
    assert goes_quiet(arms)
    arms.guard.publish(GuardState(state=GuardState.HOLDING, owner=''))
    assert goes_quiet(arms)
    assert arms.engage(True).success
    assert wait(lambda: arms.commands)


def test_a_source_that_takes_the_arm_ends_teleoperation(
    arms: Arms, teleop: TeleopNode,
) -> None:
    """It does not fight for the arm."""
    assert wait(lambda: arms.commands)
    arms.guard.publish(GuardState(state=GuardState.TRACKING, owner='policy'))
    assert goes_quiet(arms)
    assert 'policy took the follower' in next(iter(teleop.health())).message


def test_deactivation_silences_and_activation_acquires_anew(
    arms: Arms, teleop: TeleopNode,
) -> None:
    """The follower's guard does the stopping; the new start ramps."""
    assert wait(lambda: arms.commands)
    teleop.trigger_deactivate()
    assert goes_quiet(arms)
    asked = len(arms.asked)
    teleop.trigger_activate()
    assert wait(lambda: arms.commands)
    assert arms.asked[asked:] == [('teleop', False)]
