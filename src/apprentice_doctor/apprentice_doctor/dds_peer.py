# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Publish a numbered stream for the check of the middleware: the second process."""
from __future__ import annotations

from array import array
from collections.abc import Sequence
import sys
import time

from apprentice_doctor.listening import ros_node
from rclpy.qos import qos_profile_sensor_data
from std_msgs.msg import UInt8MultiArray

SIZE = 30_000
COUNT = 200
RATE_HZ = 200.0
FOUND_S = 10.0


def main(argv: Sequence[str] | None = None) -> int:
    """Publish COUNT messages on the topic given once somebody listens; return the exit code."""
    topic = (sys.argv[1:] if argv is None else list(argv))[0]
    with ros_node('apprentice_doctor_peer') as (node, _executor):
        publisher = node.create_publisher(UInt8MultiArray, topic, qos_profile_sensor_data)
        give_up = time.monotonic() + FOUND_S
        while not publisher.get_subscription_count():
            if time.monotonic() > give_up:
                return 1
            time.sleep(0.01)
        # Both ends must have found each other, not this one alone.
        time.sleep(0.3)
        message = UInt8MultiArray()
        for number in range(COUNT):
            message.data = array('B', number.to_bytes(4, 'little') + bytes(SIZE))
            publisher.publish(message)
            time.sleep(1.0 / RATE_HZ)
        time.sleep(0.5)
    return 0


if __name__ == '__main__':
    sys.exit(main())
