# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Reports of register changes, for tests and latency measurements."""
from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class TapKind(Enum):
    """Say what changed: goal, torque enable, another register, or the present position."""

    GOAL = 'goal'
    TORQUE = 'torque'
    WRITE = 'write'
    PRESENT = 'present'


class Tap(NamedTuple):
    """
    Report one register change; `value` is decoded, as the host reads it.

    `t_ns` is monotonic. For a write it is when the request's last byte reaches the servo at the
    line's speed, up to a frame's wire time after the report.
    """

    kind: TapKind
    t_ns: int
    servo_id: int
    name: str
    address: int
    value: int


class TapLog:
    """Keep the register changes of one bus, oldest first."""

    def __init__(self) -> None:
        self.events: list[Tap] = []

    def __call__(self, tap: Tap) -> None:
        """Take one event."""
        self.events.append(tap)

    def of(self, kind: TapKind, name: str | None = None) -> list[Tap]:
        """Return the events of one kind, of one servo if named."""
        return [e for e in list(self.events)
                if e.kind is kind and (name is None or e.name == name)]

    def clear(self) -> None:
        """Forget all events."""
        self.events = []
