# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Subscribe to compressed images in a process of its own and say on SIGINT what came."""
from __future__ import annotations

from collections.abc import Mapping
import json
import signal
import subprocess
import sys
import time
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage

CAMERAS = ('front', 'wrist')
_DEPTH = 30


class Stream:
    """What came on one topic."""

    def __init__(self, node: Node, camera: str) -> None:
        """Subscribe as a recorder does."""
        self.ages_ms: list[float] = []
        self.numbers: list[int] = []
        self.stamps_ns: list[int] = []
        self.bytes = 0
        node.create_subscription(
            CompressedImage, f'/{camera}/image_raw/compressed', self._take,
            QoSProfile(depth=_DEPTH))

    def result(self) -> dict[str, Any]:
        """Return what came as JSON may hold it."""
        return {'ages_ms': self.ages_ms, 'numbers': self.numbers, 'stamps_ns': self.stamps_ns,
                'bytes': self.bytes}

    def _take(self, message: CompressedImage, info: Mapping[str, int]) -> None:
        stamp = message.header.stamp
        stamp_ns = stamp.sec * 10**9 + stamp.nanosec
        self.ages_ms.append((time.time_ns() - stamp_ns) * 1e-6)
        self.stamps_ns.append(stamp_ns)
        self.numbers.append(info['publication_sequence_number'])
        self.bytes += len(message.data)


class Listener:
    """The process, seen from a benchmark."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, __file__], env=environment, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid

    def finish(self) -> dict[str, dict[str, Any]]:
        """End it and return what came, by camera."""
        self._process.send_signal(signal.SIGINT)
        out, _ = self._process.communicate(timeout=30.0)
        return json.loads(out)

    def close(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def main() -> None:
    """Listen until SIGINT."""
    rclpy.init()
    node = Node('listener')
    streams = {camera: Stream(node, camera) for camera in CAMERAS}
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        json.dump({camera: stream.result() for camera, stream in streams.items()}, sys.stdout)


if __name__ == '__main__':
    main()
