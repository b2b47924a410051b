# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
What a bimanual robot sends: four arms and two cameras, and a subscriber like the recorder.

`send KILOBYTES` publishes until SIGTERM; `listen SECONDS` prints what came as JSON.
"""
from __future__ import annotations

from array import array
import heapq
import json
import os
import sys
import time
from typing import Any
from typing import NamedTuple

from apprentice_node.polling import PolledSubscription
import rclpy
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import JointState

JOINTS = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
_TURN_S = 0.005
_READY_S = 30.0


class Kind(NamedTuple):
    """One kind of stream: its message, rate, and the depths of publisher and subscriber."""

    message: type
    rate_hz: int
    sent: int
    kept: int


_ARM, _CAMERA = Kind(JointState, 200, 10, 100), Kind(CompressedImage, 30, 10, 30)
STREAMS = {
    **{f'{side}/{role}/joint_states': _ARM for side in ('left', 'right')
       for role in ('leader', 'follower')},
    **{f'{camera}/image_raw/compressed': _CAMERA for camera in ('front', 'wrist')}}


def send(kilobytes: float) -> None:
    """Publish every stream at its rate; each picture is as many random bytes."""
    node = rclpy.create_node('robot', start_parameter_services=False)
    messages: dict[str, Any] = {}
    for topic, kind in STREAMS.items():
        messages[topic] = (
            JointState(name=JOINTS) if kind is _ARM else CompressedImage(format='jpeg'))
    pictures = [array('B', os.urandom(int(kilobytes * 1000))) for _ in range(8)]
    publishers = {topic: node.create_publisher(kind.message, topic, QoSProfile(depth=kind.sent))
                  for topic, kind in STREAMS.items()}
    begin_ns = time.time_ns()
    due = [(begin_ns + index * 700_000, topic) for index, topic in enumerate(STREAMS)]
    number = 0
    while rclpy.ok():
        at_ns, topic = due[0]
        heapq.heapreplace(due, (at_ns + 1_000_000_000 // STREAMS[topic].rate_hz, topic))
        time.sleep(max(at_ns - time.time_ns(), 0) * 1e-9)
        message = messages[topic]
        number += 1
        if STREAMS[topic] is _ARM:
            message.position = array('d', [float(number)] * len(JOINTS))
        else:
            message.data = pictures[number % len(pictures)]
        # Stamped at the publication, not when it was due: what this process was late is no age.
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(time.time_ns(), 10**9)
        publishers[topic].publish(message)


class Came:
    """What came of one stream."""

    def __init__(self) -> None:
        """Begin."""
        self.ages_ms: list[float] = []
        self.numbers: list[int] = []
        self.begin_ns = self.end_ns = 0

    def take(self, message: Any, info: Any) -> None:
        """Note a message."""
        stamp = message.header.stamp
        stamp_ns = stamp.sec * 10**9 + stamp.nanosec
        self.ages_ms.append((info['received_timestamp'] - stamp_ns) * 1e-6)
        self.numbers.append(info['publication_sequence_number'])
        self.begin_ns = self.begin_ns or stamp_ns
        self.end_ns = stamp_ns


def listen(seconds: float) -> None:
    """Wait until every stream comes, then note what comes for a while."""
    node = rclpy.create_node('desk', start_parameter_services=False)
    subscriptions = {
        topic: PolledSubscription(node, kind.message, topic, QoSProfile(depth=kind.kept))
        for topic, kind in STREAMS.items()}
    silent, began = set(STREAMS), time.monotonic()
    came: dict[str, Came] = {}
    end = 0.0
    while silent or time.monotonic() < end:
        for topic, subscription in subscriptions.items():
            while (taken := subscription.take_with_info()) is not None:
                silent.discard(topic)
                if came:
                    came[topic].take(*taken)
        if not silent and not came:
            came = {topic: Came() for topic in STREAMS}
            end = time.monotonic() + seconds
        if silent and time.monotonic() > began + _READY_S:
            sys.exit(f'nothing came on {", ".join(sorted(silent))}')
        time.sleep(_TURN_S)
    print(json.dumps({topic: vars(one) for topic, one in came.items()}))


if __name__ == '__main__':
    # The publisher ends in the middle of a sleep or a publication.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    {'send': send, 'listen': listen}[sys.argv[1]](float(sys.argv[2]))
