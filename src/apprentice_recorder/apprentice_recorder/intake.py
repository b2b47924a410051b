# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions that fit their publishers, polled, and their messages in the order of receipt."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import heapq
import importlib
from itertools import count
from typing import Any
from typing import NamedTuple

from apprentice_node.polling import PolledSubscription
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

IMAGES = {'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'}
IMAGE_DEPTH = 30
DEPTH = 100
# A message may be taken from its queue a little after one that came later on another topic.
HOLD_BACK_NS = 10_000_000
# The packages that a contract's message types come from.
PACKAGES = {'apprentice_msgs', 'geometry_msgs', 'sensor_msgs', 'std_msgs', 'trajectory_msgs'}


class Arrival(NamedTuple):
    """One message; ordered by when it was received, ns of the system's clock."""

    received_ns: int
    order: int
    stream: str
    number: int
    message: Any


def message_class(name: str) -> type:
    """Return the class of `package/msg/Name`; ValueError for one that no contract can name."""
    package, _, kind = name.split('/')
    if package not in PACKAGES:
        raise ValueError(f'message type {name}: found package {package}, expected one of '
                         f'{", ".join(sorted(PACKAGES))}')
    return getattr(importlib.import_module(f'{package}.msg'), kind)


def fitting_qos(publishers: list[TopicEndpointInfo], depth: int) -> QoSProfile:
    """
    Return the strictest profile that every publisher of a topic can serve.

    Best effort where one publisher is; transient local, so that a latched message comes, where
    all are.
    """
    reliable = all(p.qos_profile.reliability == ReliabilityPolicy.RELIABLE for p in publishers)
    latched = bool(publishers) and all(
        p.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in publishers)
    return QoSProfile(
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE)


class Intake:
    """Everything that a contract listens to. One thread polls; `follow` belongs to it too."""

    def __init__(
        self, node: Node, topics: Mapping[str, tuple[str, str]], say: Callable[[str], None],
    ) -> None:
        """Listen to (topic, message type) by stream; nothing is subscribed before `follow`."""
        self._node = node
        self._topics = dict(topics)
        self._say = say
        self._subscriptions: dict[str, tuple[QoSProfile, PolledSubscription]] = {}
        self._heap: list[Arrival] = []
        self._order = count()
        self.troubles: dict[str, str] = {}

    def topic(self, stream: str) -> str:
        """Return the full name of a stream's topic."""
        return self._node.resolve_topic_name(self._topics[stream][0])

    def follow(self, is_recording: bool = False) -> None:
        """
        Subscribe to what is published now, anew where the publishers' QoS has changed.

        Not anew during an episode: what is under way to the old subscription would be lost.
        """
        for stream, (topic, kind) in self._topics.items():
            publishers = self._node.get_publishers_info_by_topic(self.topic(stream))
            self.troubles.pop(stream, None)
            if not publishers:
                continue
            others = sorted({p.topic_type for p in publishers} - {kind})
            if others:
                self.troubles[stream] = (
                    f'{stream} ({self.topic(stream)}): found messages of type {", ".join(others)}'
                    f', expected {kind}. Mend the topic or the type in the contract')
                continue
            qos = fitting_qos(publishers, IMAGE_DEPTH if kind in IMAGES else DEPTH)
            if not is_recording or stream not in self._subscriptions:
                self._subscribe(stream, topic, kind, qos)

    def poll(self) -> None:
        """Take every message that waits."""
        for stream, (_, subscription) in self._subscriptions.items():
            while (taken := subscription.take_with_info()) is not None:
                message, info = taken
                heapq.heappush(self._heap, Arrival(
                    info['received_timestamp'], next(self._order), stream,
                    info['publication_sequence_number'], message))

    def ready(self, until_ns: int) -> Iterator[Arrival]:
        """Hand out what was received by an instant, in the order of receipt."""
        while self._heap and self._heap[0].received_ns <= until_ns:
            yield heapq.heappop(self._heap)

    def destroy(self) -> None:
        """End the subscriptions; the polling thread must have ended."""
        for _, subscription in self._subscriptions.values():
            subscription.destroy()
        self._subscriptions = {}
        self._heap = []

    def _subscribe(self, stream: str, topic: str, kind: str, qos: QoSProfile) -> None:
        existing = self._subscriptions.get(stream)
        if existing is not None:
            if existing[0] == qos:
                return
            self._say(f'{stream}: subscribing anew, for the publishers of {topic} now offer '
                      f'{qos.reliability.name.lower()}, {qos.durability.name.lower()}')
            existing[1].destroy()
        self._subscriptions[stream] = qos, PolledSubscription(
            self._node, message_class(kind), topic, qos)
