# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Listen to a running graph: nodes, diagnostics and command guards."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from functools import partial
import os
import time

from apprentice_msgs.msg import GuardState
from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions

NAME = 'apprentice_doctor'
_GUARD = 'apprentice_msgs/msg/GuardState'
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@dataclass
class Graph:
    """What was heard: nodes by full name, statuses by name, guards by topic."""

    nodes: Counter[str] = field(default_factory=Counter)
    reporters: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    statuses: dict[str, DiagnosticStatus] = field(default_factory=dict)
    guards: dict[str, GuardState] = field(default_factory=dict)
    guard_topics: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)


@contextmanager
def ros_node(name: str) -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """Give a node in a context of its own, and what spins it."""
    context = rclpy.Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = Node(name, context=context, enable_rosout=False, start_parameter_services=False)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            yield node, executor
        finally:
            executor.shutdown()
            node.destroy_node()
    finally:
        rclpy.shutdown(context=context)


def _discovery_s() -> float:
    """Return how long it may take until every node is known."""
    # Fast DDS announces itself again only after 3 s, and the first time may be too early for the
    # others to hear; our profiles have it do so four times a second.
    return 2.0 if os.environ.get('FASTRTPS_DEFAULT_PROFILES_FILE') else 3.5


def listen(seconds: float) -> Graph:
    """Listen for so many seconds, and some more for discovery."""
    graph = Graph()

    def diagnosed(message: DiagnosticArray) -> None:
        for status in message.status:
            graph.statuses[status.name] = status
            graph.heard.add(status.name.partition(':')[0])

    with ros_node(NAME) as (node, executor):
        node.create_subscription(DiagnosticArray, '/diagnostics', diagnosed, 100)
        ends = time.monotonic() + _discovery_s() + seconds
        while time.monotonic() < ends:
            for topic, types in node.get_topic_names_and_types():
                if _GUARD in types and topic not in graph.guard_topics:
                    graph.guard_topics.add(topic)
                    node.create_subscription(
                        GuardState, topic, partial(graph.guards.__setitem__, topic), LATCHED)
            executor.spin_once(timeout_sec=0.1)
        _names(node, graph)
    return graph


def _names(node: Node, graph: Graph) -> None:
    for name, namespace in node.get_node_names_and_namespaces():
        if name != NAME and not name.startswith('_'):
            graph.nodes[f'{namespace.rstrip("/")}/{name}'] += 1
    graph.reporters = {
        f'{info.node_namespace.rstrip("/")}/{info.node_name}'
        for info in node.get_publishers_info_by_topic('/diagnostics')}
    for topic, _ in node.get_topic_names_and_types():
        if topic.endswith('/joint_trajectory') and node.count_publishers(topic):
            graph.sources.add(topic)
