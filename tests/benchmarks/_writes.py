# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
When the goals seen on the wire were written.

A busy host hands a pseudo-terminal's bytes over late and in bunches, so that goals written in
step seem to leap. The driver stamps each write on `joint_commands`: values are taken from the
wire, times from there, and the two must agree.
"""
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from _arms import Goals
from _arms import Joint
from _common import JOINTS
from apprentice_sim.taps import Tap
from apprentice_sim.taps import TapKind

# A stamp is made after the write; the servos may have had the bytes before.
_EARLY_S = 0.05
_HALF_TICK_RAD = 0.0008
_EDGES = 4


class Command(NamedTuple):
    """One message of `joint_commands`: monotonic seconds, and rad by joint."""

    time: float
    angles: Mapping[str, float]


class Written(NamedTuple):
    """Goals from the wire with the times of their writes, and what did not agree."""

    goals: dict[str, Goals]
    faults: list[str]


def written(
    taps: Sequence[Tap], commands: Sequence[Command], joints: Mapping[str, Joint],
) -> Written:
    """
    Return every goal on the wire with the time of its write.

    Goals that no message tells, such as the pose that is taken over at activation, keep the
    time at which they came.
    """
    goals = {name: Goals([], []) for name in JOINTS}
    cycles = _cycles(taps, joints)
    position = 0
    matched = 0
    for command in commands:
        found = next((at for at in range(position, len(cycles))
                      if cycles[at].time > command.time - _EARLY_S
                      and _same(cycles[at].angles, command.angles)), None)
        if found is None:
            continue
        for cycle in cycles[position:found]:
            _append(goals, cycle.time, cycle.angles)
        _append(goals, command.time, cycles[found].angles)
        position = found + 1
        matched += 1
    for cycle in cycles[position:]:
        _append(goals, cycle.time, cycle.angles)
    faults = []
    # Messages and register changes are not taken at the same instant.
    whole = [command for command in commands
             if cycles and cycles[0].time < command.time < cycles[-1].time]
    if matched < len(whole) - _EDGES:
        faults.append(f'{len(whole) - matched} of {len(whole)} published goals were not seen on '
                      'the wire')
    return Written(goals, faults)


def _cycles(taps: Sequence[Tap], joints: Mapping[str, Joint]) -> list[Command]:
    cycles = []
    angles: dict[str, float] = {}
    for tap in taps:
        if tap.kind is not TapKind.GOAL:
            continue
        angles[tap.name] = joints[tap.name].to_rad(tap.value)
        if len(angles) == len(JOINTS):
            cycles.append(Command(tap.t_ns * 1e-9, angles))
            angles = {}
    return cycles


def _same(a: Mapping[str, float], b: Mapping[str, float]) -> bool:
    return all(abs(a[name] - b[name]) < _HALF_TICK_RAD for name in JOINTS)


def _append(goals: Mapping[str, Goals], time_s: float, angles: Mapping[str, float]) -> None:
    for name, angle in angles.items():
        times = goals[name].times
        times.append(max(time_s, times[-1]) if times else time_s)
        goals[name].angles.append(angle)
