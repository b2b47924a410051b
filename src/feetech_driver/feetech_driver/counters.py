# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a bus counts about itself, for diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

from feetech_driver.codec import ReplyScanner


@dataclass
class BusCounters:
    """Counts since the bus was made; reply_ns is the time of the last complete exchange."""

    exchanges: int = 0
    failed_exchanges: int = 0
    replies: int = 0
    missing_replies: int = 0
    bad_checksums: int = 0
    stray_bytes: int = 0
    implausible: int = 0
    reopened: int = 0
    reply_ns: int = 0

    def add(self, scanner: ReplyScanner) -> None:
        """Count one exchange."""
        answered = len(scanner.replies)
        missing = len(scanner.awaited) - answered
        self.exchanges += 1
        self.failed_exchanges += missing > 0
        self.replies += answered
        self.missing_replies += missing
        self.bad_checksums += scanner.bad_checksums
        self.stray_bytes += scanner.stray_bytes

    @property
    def error_rate(self) -> float:
        """Share of awaited replies that did not come, were corrupt or were implausible."""
        awaited = self.replies + self.missing_replies
        return (self.missing_replies + self.implausible) / awaited if awaited else 0.0


@dataclass
class MotorCounters:
    """Counts of one motor; seen_ns is monotonic, 0 before the first reply."""

    replies: int = 0
    missing: int = 0
    implausible: int = 0
    alarms: int = 0
    error: int = 0
    misses_in_a_row: int = 0
    seen_ns: int = 0
