# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The newest status of every name on /diagnostics."""
from __future__ import annotations

import time

from apprentice_node.polling import PolledSubscription
from apprentice_recorder.preflight import Diagnostic
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile

# A part that is not told for so long is gone, with its node or without it.
FORGET_S = 60.0


class HealthTopic:
    """Polled by the recorder's thread."""

    def __init__(self, node: Node) -> None:
        """Subscribe."""
        self._subscription = PolledSubscription(
            node, DiagnosticArray, '/diagnostics', QoSProfile(depth=50))
        self._seen: dict[str, tuple[int, str, float]] = {}

    def poll(self) -> None:
        """Take what came."""
        now = time.monotonic()
        while (array := self._subscription.take()) is not None:
            for status in array.status:
                self._seen[status.name] = (
                    int.from_bytes(status.level, 'little'), status.message, now)

    def seen(self) -> dict[str, Diagnostic]:
        """Return the newest status by name."""
        now = time.monotonic()
        self._seen = {name: seen for name, seen in self._seen.items() if now - seen[2] < FORGET_S}
        return {name: Diagnostic(level, message, now - at)
                for name, (level, message, at) in self._seen.items()}

    def destroy(self) -> None:
        """End the subscription."""
        self._subscription.destroy()
