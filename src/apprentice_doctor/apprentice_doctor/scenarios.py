# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The 17 things that happen to an arm, and the finding that shows each."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """A scenario: its number and name, and the names of the findings that show it, by check."""

    number: int
    name: str
    check: str
    findings: tuple[str, ...]


SCENARIOS = (
    Scenario(1, 'connected, moved, shut down', 'bus', ('all-well',)),
    Scenario(2, 'ended by a signal or an exception', 'bus', ('all-well',)),
    Scenario(3, 'killed', 'bus', ('torque-left-on',)),
    Scenario(4, 'a reply lost, a reply corrupted', 'bus', ('packet-errors',)),
    Scenario(5, 'motor silent from the start', 'bus', ('silent-motor',)),
    Scenario(6, 'motor silent in motion', 'graph', ('arm-unreachable', 'node-error')),
    Scenario(7, 'unplugged, plugged in again', 'ports', ('unplugged', 'reconnected')),
    Scenario(8, 'overload', 'bus', ('overload',)),
    Scenario(9, 'getting too hot', 'bus', ('hot-motor',)),
    Scenario(10, 'stale goal in a servo', 'bus', ('stale-goal',)),
    Scenario(11, 'commands that make no sense', 'graph', ('rejected-commands',)),
    Scenario(12, 'commands that stop coming', 'graph', ('command-silence',)),
    Scenario(13, 'calibration absent, malformed, mismatched, of wrong ids', 'calibration', (
        'calibration-absent', 'calibration-malformed', 'calibration-mismatch',
        'calibration-wrong-ids')),
    Scenario(14, 'calibrated', 'calibration', ('calibration-matches',)),
    Scenario(15, 'wrong device on the port', 'bus', (
        'wrong-model', 'dynamixel-motors', 'arms-swapped')),
    Scenario(16, 'two drivers on one port', 'ports', ('port-held', 'port-shared')),
    Scenario(17, 'long run with faults', 'bus', ('packet-errors', 'loop-timing')),
)


def shown_by(names: Iterable[str]) -> tuple[Scenario, ...]:
    """Return the scenarios that findings of these names show."""
    present = set(names)
    return tuple(item for item in SCENARIOS if present.intersection(item.findings))
