# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Describe a node's health and turn it into diagnostic messages."""
from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from enum import IntEnum

from apprentice_node.rates import RateReading
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue


class Level(IntEnum):
    """Levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Health:
    """State one part's health; the message says what to do where the level is not OK."""

    part: str
    level: Level = Level.OK
    message: str = 'ok'
    values: Mapping[str, object] = field(default_factory=dict)


def rates_health(readings: Iterable[RateReading]) -> Health:
    """Compare measured with expected rates; too slow a stream is a warning."""
    values: dict[str, object] = {}
    slow = []
    for reading in readings:
        values[f'{reading.name} [Hz]'] = f'{reading.measured_hz:.1f}'
        if reading.expected_hz > 0.0:
            values[f'{reading.name} expected [Hz]'] = f'{reading.expected_hz:.1f}'
        if not reading.ok:
            slow.append(f'{reading.name} at {reading.measured_hz:.1f} Hz instead of '
                        f'{reading.expected_hz:.1f} Hz')
    if slow:
        return Health('rates', Level.WARN, '; '.join(slow), values)
    return Health('rates', values=values)


def to_message(node: str, health: Health) -> DiagnosticStatus:
    """Return the message for one part of the node with this fully qualified name."""
    status = DiagnosticStatus()
    status.level = bytes([health.level])
    status.name = f'{node}: {health.part}'
    status.message = health.message
    status.hardware_id = node
    status.values = [KeyValue(key=key, value=str(value)) for key, value in health.values.items()]
    return status
