# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The scripted operator on the ROS graph: it ends by itself when its episodes are done."""
from __future__ import annotations

from pathlib import Path
import sys
import time

from apprentice_msgs.msg import WorldState
from apprentice_msgs.srv import ResetWorld
from apprentice_node.managed_node import ManagedNode
from apprentice_node.parameters import ParameterSpec
from apprentice_node.runner import run
from apprentice_sim.demonstrator import Sight
from apprentice_sim.demonstrator import yaw_of
from apprentice_sim.names import beside
from apprentice_sim.names import NAMESPACE
from apprentice_sim.session import Session
from apprentice_sim.session import write_report
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.qos import QoSProfile
from rclpy.task import Future
from sensor_msgs.msg import JointState
from so_arm_description import ARMS

HAND_RATE_HZ = 100.0
# After a stall the hand goes on from where it was instead of leaping ahead.
LONGEST_STEP_S = 0.03
SILENCE_S = 5.0

PARAMETERS = (
    ParameterSpec('arm', 'so100', "The world's arm.", choices=ARMS),
    ParameterSpec('episodes', 3, 'How many demonstrations.', minimum=1, maximum=100_000),
    ParameterSpec('seed', 0, "Seed of the first demonstration's world; the next take the next."),
    ParameterSpec('report', '', 'File for a summary in JSON; empty: none.'),
    ParameterSpec(
        'start_timeout_s', 60.0, 'How long to wait for the world.', minimum=0.0, maximum=3600.0),
)


class DemonstratorNode(ManagedNode):
    """Look at the world's state and hold the leader where the script says, at 100 Hz."""

    def __init__(self) -> None:
        super().__init__('demonstrator', PARAMETERS, namespace=NAMESPACE)
        self.session: Session | None = None
        self.failure = ''
        self._timer = None

    def activate(self) -> None:
        """Wait for the world, then demonstrate."""
        def name(part: str) -> str:
            return beside(self.get_namespace(), part)

        self._state: WorldState | None = None
        self._reset_call: Future | None = None
        self._heard_s = self._stepped_s = time.monotonic()
        self._hand = self.create_publisher(
            JointState, name('sim/leader_hand'), QoSProfile(depth=1))
        self._states = self.create_subscription(
            WorldState, name('sim/world_state'), self._on_state, QoSProfile(depth=1))
        self._reset = self.create_client(ResetWorld, name('sim/reset'))
        self._timer = self.create_timer(
            1.0 / HAND_RATE_HZ, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        say(f'waiting for the world on {self._states.topic_name}')

    def deactivate(self) -> None:
        """Let the leader go where it is."""
        if self._timer is None:
            return
        self.destroy_timer(self._timer)
        self._timer = None
        self.destroy_subscription(self._states)
        self.destroy_publisher(self._hand)
        self.destroy_client(self._reset)

    def release(self) -> None:
        """Let go, from any state."""
        self.deactivate()

    def finish(self) -> int:
        """Write the report, say how it went and return the exit code."""
        session = self.session
        if session is not None and self.values['report']:
            write_report(Path(self.values['report']).expanduser(), session.report())
        if self.failure:
            say(f'FAILED: {self.failure}')
        if session is None:
            return 1
        report = session.report()
        say(f'{report["cubes_in_bin"]} of {report["episodes"]} cubes in the bin')
        return 0 if session.succeeded else 1

    def _on_state(self, state: WorldState) -> None:
        self._state = state
        self._heard_s = time.monotonic()

    def _tick(self) -> None:
        now = time.monotonic()
        elapsed, self._stepped_s = now - self._stepped_s, now
        allowed = self.values['start_timeout_s'] if self._state is None else SILENCE_S
        if now - self._heard_s > allowed:
            self._fail(
                f'nothing on {self._states.topic_name} for {allowed:.0f} s: is the simulated '
                'world running (ros2 run apprentice_sim world), on the same ROS_DOMAIN_ID?')
        elif self._state is not None:
            self._demonstrate(min(elapsed, LONGEST_STEP_S))

    def _demonstrate(self, dt_s: float) -> None:
        state = self._state
        if self.session is None:
            self.session = Session(
                self.values['arm'], state.leader, self.values['episodes'], self.values['seed'],
                say)
        session = self.session
        if session.reset_wanted is not None:
            self._ask_for_reset(session.reset_wanted)
        message = JointState()
        message.header.stamp = self.get_clock().now().to_msg()
        message.name = state.joint_names
        message.position = session.step(dt_s, _sight(state))
        self._hand.publish(message)
        if session.done:
            self.request_stop()

    def _ask_for_reset(self, seed: int) -> None:
        if self._reset_call is None:
            if self._reset.service_is_ready():
                self._reset_call = self._reset.call_async(ResetWorld.Request(seed=seed))
            return
        if self._reset_call.done():
            response = self._reset_call.result()
            self._reset_call = None
            if response.success:
                self.session.reset_done()
            else:
                self._fail(f'the world could not be reset: {response.message}')

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self.request_stop()


def say(line: str) -> None:
    """Show a line of progress at once."""
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


def _sight(state: WorldState) -> Sight:
    position, orientation = state.cube.position, state.cube.orientation
    return Sight(
        cube=(position.x, position.y, position.z),
        cube_yaw=yaw_of((orientation.w, orientation.x, orientation.y, orientation.z)),
        bin=(state.bin.x, state.bin.y, state.bin.z), cube_in_bin=state.cube_in_bin,
        follower=tuple(state.follower))


def main() -> int:
    """Run the demonstrations; 0 if every cube came into the bin, 1 if not, 2 for bad arguments."""
    nodes: list[DemonstratorNode] = []

    def make() -> DemonstratorNode:
        nodes.append(DemonstratorNode())
        return nodes[0]

    code = run(make)
    return code or nodes[0].finish()
