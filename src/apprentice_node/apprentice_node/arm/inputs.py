# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A driven arm's topics and services, polled by the bus thread and handed to the guard."""
from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from apprentice_control.guard import Command
from apprentice_control.guard import CommandGuard
from apprentice_control.guard import TrajectoryPoint
from apprentice_msgs.srv import Acquire
from apprentice_node.arm.messages import raw_points
from apprentice_node.arm.messages import stamp_ns
from apprentice_node.clock import ClockBridge
from apprentice_node.polling import PolledService
from apprentice_node.polling import PolledSubscription
from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

DEFAULT_SOURCE = 'default'
PUBLISHER_CHECK_NS = 100_000_000


class Inputs:
    """Everything by which others act on the arm."""

    def __init__(
        self, node: Node, guard: CommandGuard, sources: tuple[str, ...], clock: ClockBridge,
        say: Callable[[str], None],
    ) -> None:
        """Subscribe and offer the services; nothing is answered before `poll`."""
        self._node = node
        self._guard = guard
        self._clock = clock
        self._say = say
        self._now_ns = 0
        self._check_ns = 0
        self._doubled: set[str] = set()
        self._sources = {
            name: PolledSubscription(node, JointTrajectory, topic_of(name), 1)
            for name in sources}
        self._estop_topic = PolledSubscription(node, Bool, '/estop', 1)
        self._services = (
            PolledService(node, Trigger, 'estop', self._estop),
            PolledService(node, Trigger, 'estop_reset', self._estop_reset),
            PolledService(node, Acquire, 'acquire', self._acquire),
        )

    def poll(self, now_ns: int) -> None:
        """Hand everything that came in since the last poll to the guard."""
        self._now_ns = now_ns
        while (stop := self._estop_topic.take()) is not None:
            if stop.data:
                self._guard.estop('topic /estop', now_ns)
        for service in self._services:
            while service.poll():
                pass
        for name, subscription in self._sources.items():
            while (message := subscription.take()) is not None:
                self._submit(name, message)
        if now_ns >= self._check_ns:
            self._check_ns = now_ns + PUBLISHER_CHECK_NS
            self._check_publishers()

    def destroy(self) -> None:
        """End subscriptions and services; the bus thread must have ended."""
        for entity in (*self._sources.values(), self._estop_topic, *self._services):
            entity.destroy()

    def _submit(self, source: str, message: JointTrajectory) -> None:
        # Due times count from the arrival, which is now: a poll may have begun earlier.
        now_ns = time.monotonic_ns()
        stamp = stamp_ns(message)
        begin_ns = self._clock.to_monotonic(stamp) if stamp else now_ns
        points = tuple(
            TrajectoryPoint(begin_ns + point.offset_ns, point.positions, point.velocities)
            for point in raw_points(message))
        self._guard.submit(
            Command(source, message.joint_names, points, begin_ns if stamp else None), now_ns)

    def _check_publishers(self) -> None:
        for name, subscription in self._sources.items():
            several = self._node.count_publishers(subscription.topic) > 1
            if several == (name in self._doubled):
                continue
            if several:
                self._doubled.add(name)
                reason = self._complaint(subscription.topic)
                self._guard.set_refused(name, reason)
                self._say(f'source {name} is refused: {reason}')
            else:
                self._doubled.discard(name)
                self._guard.set_refused(name, None)
                self._say(f'source {name} has one publisher again and is accepted')

    def _complaint(self, topic: str) -> str:
        infos = self._node.get_publishers_info_by_topic(topic)
        names = sorted(f'{info.node_namespace.rstrip("/")}/{info.node_name}' for info in infos)
        return (
            f"{topic} has {len(names)} publishers ({', '.join(names)}), expected one; end the "
            'others or give them a source of their own (one that was killed lingers for 20 s)')

    def _estop(self, _request: Any, response: Any) -> Any:
        self._guard.estop('service estop', self._now_ns)
        response.success, response.message = True, 'emergency stop latched; leave by estop_reset'
        return response

    def _estop_reset(self, _request: Any, response: Any) -> Any:
        response.success, response.message = self._guard.reset_estop(self._now_ns)
        return response

    def _acquire(self, request: Any, response: Any) -> Any:
        act = self._guard.release if request.release else self._guard.acquire
        response.success, response.message = act(request.source, self._now_ns)
        response.owner = self._guard.status.owner
        return response


def topic_of(source: str) -> str:
    """Return the topic, relative to the arm, by which a source commands."""
    if source == DEFAULT_SOURCE:
        return 'joint_trajectory'
    return f'sources/{source}/joint_trajectory'
