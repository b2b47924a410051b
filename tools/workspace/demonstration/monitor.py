# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Listen to a robot without disturbing it: messages queue up and are fetched in bulk."""

from __future__ import annotations

from collections.abc import Callable
import struct
from typing import Any

from apprentice_msgs.msg import GuardState
from apprentice_msgs.msg import WorldState
from apprentice_node.polling import PolledGroup
from demonstration.records import Arrival
from demonstration.records import CameraStream
from demonstration.records import Frame
from demonstration.records import GuardSample
from demonstration.records import JointStream
from demonstration.records import Recording
from demonstration.records import Stream
from demonstration.records import WorldSample
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

QUEUE = 200
KEEP_FRAME_EVERY_NS = 500_000_000
# Serialised messages begin with four bytes of encapsulation, then the header's stamp.
STAMP = struct.Struct('<iI')
STAMP_OFFSET = 4

Take = Callable[[bytes, Arrival], None]


class Monitor:
    """Subscribes to the demo's topics; call `poll` ten times a second or more."""

    def __init__(self, node: Node, cameras: tuple[str, ...]) -> None:
        """Subscribe to everything that the report needs."""
        self._node = node
        self._sources: list[tuple[Any, Stream | None, Take]] = []
        self.recording = self._empty(cameras)
        record = self.recording
        deep = QoSProfile(depth=QUEUE)
        for stream in (record.leader, record.follower, record.goals):
            self._listen(JointState, stream, deep, _joint_taker(stream))
        self._listen(JointTrajectory, record.commands, deep, _nothing)
        for stream in record.cameras.values():
            self._listen(CompressedImage, stream, QoSProfile(depth=30), _frame_taker(stream))
        latched = QoSProfile(depth=50, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._subscribe(GuardState, 'follower/guard_state', latched, None, self._take_guard)
        self._subscribe(WorldState, 'sim/world_state', deep, None, self._take_world)

    def poll(self) -> None:
        """Fetch everything that has arrived."""
        for subscription, stream, take in self._sources:
            while (taken := subscription.handle.take_message(subscription.msg_type, True)):
                data, info = taken
                seconds, nanoseconds = STAMP.unpack_from(data, STAMP_OFFSET)
                arrival = Arrival(
                    seconds * 10**9 + nanoseconds, info['source_timestamp'],
                    info['received_timestamp'], info['publication_sequence_number'])
                if stream is not None:
                    stream.arrivals.append(arrival)
                take(data, arrival)

    def silent(self) -> list[str]:
        """Return the topics on which nothing has come yet."""
        streams = [s.topic for s in self.recording.streams() if not s.arrivals]
        return streams + ([] if self.recording.world else ['sim/world_state'])

    def restart(self) -> None:
        """Forget the past, as a run begins; guard states are latched and stay."""
        for stream in self.recording.streams():
            stream.arrivals.clear()
            if isinstance(stream, JointStream):
                stream.positions.clear()
            elif isinstance(stream, CameraStream):
                stream.frames.clear()
        self.recording.world.clear()
        del self.recording.guard[:-1]

    @staticmethod
    def _empty(cameras: tuple[str, ...]) -> Recording:
        return Recording(
            leader=JointStream('leader/joint_states'),
            follower=JointStream('follower/joint_states'),
            goals=JointStream('follower/joint_commands'),
            commands=Stream('follower/sources/teleop/joint_trajectory'),
            cameras={name: CameraStream(f'{name}/image_raw/compressed') for name in cameras})

    def _listen(self, kind: type, stream: Stream, qos: QoSProfile, take: Take) -> None:
        self._subscribe(kind, stream.topic, qos, stream, take)

    def _subscribe(
        self, kind: type, topic: str, qos: QoSProfile, stream: Stream | None, take: Take,
    ) -> None:
        subscription = self._node.create_subscription(
            kind, topic, _nothing, qos, callback_group=PolledGroup(), raw=True)
        self._sources.append((subscription, stream, take))

    def _take_guard(self, data: bytes, arrival: Arrival) -> None:
        message = deserialize_message(data, GuardState)
        self.recording.guard.append(GuardSample(
            arrival.stamp_ns, message.state, message.reason, message.detail,
            dict(zip(message.counter_names, message.counter_values))))

    def _take_world(self, data: bytes, arrival: Arrival) -> None:
        message = deserialize_message(data, WorldState)
        self.recording.world.append(WorldSample(
            arrival.stamp_ns, message.seed, message.cube_in_bin))


def _joint_taker(stream: JointStream) -> Take:
    def take(data: bytes, _: Arrival) -> None:
        message = deserialize_message(data, JointState)
        stream.names = tuple(message.name)
        stream.positions.append(tuple(message.position))
    return take


def _frame_taker(stream: CameraStream) -> Take:
    def take(data: bytes, arrival: Arrival) -> None:
        last_ns = stream.frames[-1].stamp_ns if stream.frames else 0
        if arrival.stamp_ns - last_ns >= KEEP_FRAME_EVERY_NS:
            image = deserialize_message(data, CompressedImage)
            stream.frames.append(Frame(arrival.stamp_ns, bytes(image.data)))
    return take


def _nothing(*_: object) -> None:
    """Keep no more of a message than its arrival."""
