# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A node of the benchmark: what the follower's guard says, and lifecycles of other nodes."""
from __future__ import annotations

from collections.abc import Mapping
import threading
import time
from typing import Any

from _common import NS
from _common import until
from _writes import Command
from apprentice_msgs.msg import GuardState
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParametersAtomically
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

CONFIGURE = Transition.TRANSITION_CONFIGURE
ACTIVATE = Transition.TRANSITION_ACTIVATE
DEACTIVATE = Transition.TRANSITION_DEACTIVATE
CLEANUP = Transition.TRANSITION_CLEANUP
_SERVICE_S = 15.0
_KEPT = 2000


class Graph:
    """Watch and act on the graph of the domain in ROS_DOMAIN_ID, spun by a thread."""

    def __init__(self) -> None:
        """Connect."""
        self._context = Context()
        rclpy.init(context=self._context)
        self.node = Node('benchmark', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._clients: dict[str, Any] = {}
        self._guard: list[GuardState] = []
        self._states = 0
        self._speed = 0.0
        self._commands: list[Command] = []
        self._open = True
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(
            GuardState, '/follower/guard_state', self._on_guard, latched)
        self.node.create_subscription(
            JointState, '/follower/joint_states', self._on_states, 10)
        self.node.create_subscription(
            JointState, '/follower/joint_commands', self._on_command, _KEPT)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Forget what was seen, before something is started or changed."""
        self._guard.clear()
        self._states = 0

    @property
    def state(self) -> int:
        """Return the guard's latest state, -1 before the first."""
        return self._guard[-1].state if self._guard else -1

    def wait_guard(self, *states: int, timeout_s: float = 20.0) -> GuardState:
        """Return the latest guard state once it is one of these."""
        until(lambda: self._guard and self._guard[-1].state in states,
              f'guard state {states}', timeout_s, self._describe)
        return self._guard[-1]

    def wait_states(self, timeout_s: float = 20.0) -> None:
        """Wait for a joint state of the follower."""
        until(lambda: self._states, 'joint states of the follower', timeout_s)

    def wait_moving(self, velocity: float = 0.3, timeout_s: float = 20.0) -> None:
        """Wait until a goal moves faster than this, rad/s."""
        until(lambda: self._speed > velocity, 'motion of the follower', timeout_s,
              self._describe)

    @property
    def goal(self) -> Mapping[str, float]:
        """Return the latest goal published, rad by joint; empty since `commands` was called."""
        return self._commands[-1].angles if self._commands else {}

    def commands(self) -> list[Command]:
        """Return the goals published since the last call."""
        taken, self._commands = self._commands, []
        return taken

    def change(self, node: str, *transitions: int) -> None:
        """Bring a node through transitions; RuntimeError where it refuses."""
        for transition in transitions:
            request = ChangeState.Request()
            request.transition.id = transition
            if not self._call(ChangeState, f'{node}/change_state', request).success:
                raise RuntimeError(f'{node} refused lifecycle transition {transition}')

    def set_parameters(self, node: str, **values: Any) -> None:
        """Set parameters of a node; RuntimeError where it refuses."""
        request = SetParametersAtomically.Request(parameters=[
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()])
        result = self._call(
            SetParametersAtomically, f'{node}/set_parameters_atomically', request).result
        if not result.successful:
            raise RuntimeError(f'{node}: {result.reason}')

    def close(self) -> None:
        """Leave the graph."""
        self._open = False
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _call(self, service: type, name: str, request: Any) -> Any:
        if name not in self._clients:
            self._clients[name] = self.node.create_client(service, name)
        client = self._clients[name]
        until(client.service_is_ready, f'service {name}', _SERVICE_S)
        future = client.call_async(request)
        until(future.done, f'answer of {name}', _SERVICE_S)
        return future.result()

    def _describe(self) -> str:
        if not self._guard:
            return 'no guard state came'
        guard = self._guard[-1]
        counts = {name: value for name, value
                  in zip(guard.counter_names, guard.counter_values) if value}
        return f'now {guard.state}, owner {guard.owner!r}, {guard.reason}: {guard.detail} {counts}'

    def _on_guard(self, message: GuardState) -> None:
        self._guard.append(message)

    def _on_command(self, message: JointState) -> None:
        stamp = message.header.stamp
        age_ns = time.time_ns() - stamp.sec * 10**9 - stamp.nanosec
        self._speed = max(map(abs, message.velocity), default=0.0)
        self._commands.append(Command(
            (time.monotonic_ns() - age_ns) * NS, dict(zip(message.name, message.position))))

    def _on_states(self, _message: JointState) -> None:
        self._states += 1

    def _spin(self) -> None:
        while self._open:
            self._executor.spin_once(0.05)
