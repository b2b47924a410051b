# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A driver's session over a damaged wire: cycles until enough bytes have passed both ways."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
import math
import time

from feetech_driver.bus import FeetechBus
from feetech_driver.bus import Motor
from feetech_driver.counters import BusCounters
from fuzzed_wire import Damage
from fuzzed_wire import fuzzed_wire
from fuzzed_wire import WireReport

NAMES = ('shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper')
# The simulated joints stand still, torque off, in the middle of their ranges.
STANDING = 2048
SLACK_TICKS = 24
BYTES_PER_CYCLE = 40


@dataclass
class Session:
    """What the driver's side saw."""

    wire: WireReport
    counters: BusCounters
    read_s: list[float] = field(default_factory=list)
    write_s: list[float] = field(default_factory=list)
    readings: int = 0
    wrong_readings: int = 0
    largest_wrong: int = 0
    recovered: bool = False
    damaged_servos: bool = False


def run(damage: Damage, probability: float, byte_count: int, seed: int) -> Session:
    """Cycle until byte_count bytes passed in each direction, then end the damage and look."""
    with fuzzed_wire(damage, 0.0, seed) as wire:
        bus = FeetechBus(
            wire.path, {name: Motor(index + 1) for index, name in enumerate(NAMES)},
            slack_ticks=SLACK_TICKS)
        bus.open()
        bus.handshake()
        session = Session(wire.order(f'damage {probability}'), bus.counters)
        cycle = 0
        while min(session.wire.bytes_to_servos, session.wire.bytes_to_host) < byte_count:
            for _ in range(max(50, byte_count // BYTES_PER_CYCLE // 50)):
                _cycle(bus, cycle, session)
                cycle += 1
            session.wire = wire.order('report')
        session.wire = wire.order('clean')
        session.recovered = _reads_all(bus)
        if not session.recovered:
            session.damaged_servos = True
            wire.order('power cycle')
            session.recovered = _reads_all(bus)
        bus.close()
        return session


def _cycle(bus: FeetechBus, cycle: int, session: Session) -> None:
    start = time.perf_counter()
    states = bus.read_state()
    middle = time.perf_counter()
    bus.write_goals({
        name: STANDING + round(400 * math.sin(cycle / 50 + index))
        for index, name in enumerate(NAMES)})
    session.write_s.append(time.perf_counter() - middle)
    session.read_s.append(middle - start)
    for state in states.values():
        session.readings += 1
        off = abs(state.position_raw - STANDING)
        if off > 1:
            session.wrong_readings += 1
            session.largest_wrong = max(session.largest_wrong, off)


def _reads_all(bus: FeetechBus) -> bool:
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        if len(bus.read_state()) == len(NAMES):
            return True
    return False
