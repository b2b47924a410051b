# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What is known of each stream, whether an episode is open or not."""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_NS = 2_000_000_000
_MOST = 2048
_PUBLISHERS = 8


@dataclass(frozen=True)
class StreamHealth:
    """
    One stream as seen at an instant.

    `age_s` is now less the newest stamp, `delay_s` the shortest time from stamp to receipt in the
    window (negative: the sender's clock is ahead), both None before the first sample. `frozen`
    means that messages come while their stamps stand still.
    """

    name: str
    topic: str
    expected_hz: float
    rate_hz: float
    age_s: float | None
    delay_s: float | None
    samples: int
    sequence_gaps: int
    frozen: bool


class StreamMonitor:
    """Keep the stamps of the last two seconds of one stream. Instants are ns of the ROS clock."""

    def __init__(self, name: str, topic: str, expected_hz: float) -> None:
        """Expect `expected_hz` samples a second; 0 for a stream without a rate."""
        self.name = name
        self.topic = topic
        self.expected_hz = expected_hz
        self.samples = 0
        self.sequence_gaps = 0
        self._window: deque[tuple[int, int]] = deque(maxlen=_MOST)
        self._newest: deque[int] = deque(maxlen=_PUBLISHERS)

    def take(self, stamp_ns: int, received_ns: int, number: int) -> None:
        """Note a sample; `number` is its publication sequence number, 0 where there is none."""
        self.samples += 1
        self._count(number)
        window = self._window
        window.append((stamp_ns, received_ns))
        while window[0][1] < received_ns - WINDOW_NS:
            window.popleft()

    def _count(self, number: int) -> None:
        """Every publisher counts for itself, and one that starts anew from 1 again."""
        if number <= 0:
            return
        before = max((one for one in self._newest if 0 < number - one <= _MOST), default=None)
        if before is not None:
            self._newest.remove(before)
            self.sequence_gaps += number - before - 1
        self._newest.append(number)

    def health(self, now_ns: int) -> StreamHealth:
        """Return what is known at an instant."""
        recent = [(s, r) for s, r in self._window if r >= now_ns - WINDOW_NS]
        stamps = [stamp for stamp, _ in recent]
        span_ns = max(stamps) - min(stamps) if stamps else 0
        newest = max((stamp for stamp, _ in self._window), default=None)
        return StreamHealth(
            self.name, self.topic, self.expected_hz,
            (len(stamps) - 1) * 1e9 / span_ns if span_ns > 0 else 0.0,
            None if newest is None else (now_ns - newest) * 1e-9,
            min((received - stamp) * 1e-9 for stamp, received in recent) if recent else None,
            self.samples, self.sequence_gaps, len(recent) > 3 and span_ns == 0)
