# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read a bus at the driver's rate; nothing is written to any register."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
from dataclasses import replace
import threading

from apprentice_node.loop import Loop
from apprentice_node.rates import DurationMonitor
from apprentice_node.rates import Summary
from feetech_driver.bus import FeetechBus
from feetech_driver.connection import make_bus
from feetech_driver.counters import BusCounters
from feetech_driver.counters import MotorCounters
from feetech_driver.errors import HandshakeError
from feetech_driver.motors import BusInfo
from feetech_driver.motors import MotorState
from feetech_driver.parameters import DriverConfig

HANDSHAKE_S = 1.0
# Broadcast ping of Dynamixel's protocol 2.0 with its CRC, and how its replies begin.
DYNAMIXEL_PING = bytes.fromhex('fffffd00fe0300013142')
DYNAMIXEL_REPLY = bytes.fromhex('fffffd00')
_LISTEN_S = 0.1


@dataclass
class Watch:
    """What a bus did while it was read; lateness of the cycles and time on the bus in ns."""

    counters: BusCounters
    motors: Mapping[str, MotorCounters]
    rate_hz: float
    seconds: float
    cycles: int
    lateness: Summary
    busy: Summary
    states: dict[str, MotorState] = field(default_factory=dict)
    alarms: dict[str, int] = field(default_factory=dict)
    trouble: str = ''


@dataclass
class Registers:
    """Registers of the motors that answered, by name."""

    torque: dict[str, int]
    goal: dict[str, int]
    position: dict[str, int]


def meet(bus: FeetechBus) -> tuple[BusInfo | None, HandshakeError | None]:
    """Ask who is there; the error says what is wrong."""
    try:
        return bus.handshake(HANDSHAKE_S), None
    except HandshakeError as error:
        return None, error


def answering(error: HandshakeError, config: DriverConfig) -> DriverConfig | None:
    """Return the configuration of the motors that can be read all the same, None if none can."""
    bad = {*error.missing, *error.duplicated, *error.wrong_model}
    rest = [(name, ident) for name, ident in zip(config.joints, config.ids) if ident not in bad]
    if not rest:
        return None
    return replace(config, joints=tuple(name for name, _ in rest),
                   ids=tuple(ident for _, ident in rest))


def reopened(bus: FeetechBus, config: DriverConfig) -> FeetechBus:
    """Return an open bus with other motors on the same port."""
    bus.close()
    other = make_bus(config)
    other.open()
    return other


def watch(bus: FeetechBus, rate_hz: float, seconds: float) -> Watch:
    """Read all motors at the driver's rate, in a loop like the driver's, for so many seconds."""
    states: dict[str, MotorState] = {}
    alarms: dict[str, int] = {}
    ended = threading.Event()
    trouble: list[str] = []
    before = replace(bus.counters)
    wanted = max(1, round(seconds * rate_hz))
    done = 0

    def cycle(_now_ns: int) -> None:
        nonlocal done
        for name, state in bus.read_state().items():
            states[name] = state
            alarms[name] = alarms.get(name, 0) | state.error
        done += 1
        if done >= wanted:
            ended.set()

    def failed(error: BaseException) -> None:
        trouble.append(str(error))
        ended.set()

    loop = Loop(round(1e9 / rate_hz), cycle, failed)
    loop.lateness = DurationMonitor(wanted + 10)
    loop.durations = DurationMonitor(wanted + 10)
    loop.start()
    try:
        ended.wait(seconds + 2.0)
    finally:
        loop.stop()
    return Watch(
        _since(before, bus.counters), bus.motor_counters, rate_hz, seconds, done,
        loop.lateness.summary(), loop.durations.summary(), states, alarms, '; '.join(trouble))


def read_registers(bus: FeetechBus) -> Registers:
    """Read torque, goal and position of every motor that answers."""
    return Registers(*(bus.read_many(name) for name in (
        'torque_enable', 'goal_position', 'present_position')))


def hears_dynamixel(bus: FeetechBus) -> bool:
    """Tell whether a motor of Dynamixel's protocol 2.0 answers at this rate."""
    port = bus.port
    for ends_ns in port.attempts(_LISTEN_S):
        port.flush_input()
        port.send(DYNAMIXEL_PING, ends_ns)
        heard = b''
        while more := port.next_bytes(ends_ns):
            heard += more
        # An adapter that echoes returns the ping itself.
        if DYNAMIXEL_REPLY in heard.replace(DYNAMIXEL_PING, b''):
            return True
    return False


def _since(before: BusCounters, after: BusCounters) -> BusCounters:
    return BusCounters(**{
        item.name: getattr(after, item.name) - getattr(before, item.name)
        for item in fields(BusCounters) if item.name != 'reply_ns'})
