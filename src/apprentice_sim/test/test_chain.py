# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Servos come and go on a chain, as when an arm is set up one motor at a time."""
from __future__ import annotations

from apprentice_sim.bus import ServoBus
from apprentice_sim.frames import with_checksum
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
from apprentice_sim.taps import TapKind
from apprentice_sim.taps import TapLog
import pytest

S = 1_000_000_000
BROADCAST_PING = bytes.fromhex('FF FF FE 02 01 FE')


def answering(bus: ServoBus, now_ns: int) -> list[int]:
    """Return the ids that answer a broadcast ping."""
    bus.receive(BROADCAST_PING, now_ns)
    reply = bus.collect(now_ns + S)
    return [reply[i + 2] for i in range(0, len(reply), 6)]


def test_fresh_servos_get_their_ids_one_by_one() -> None:
    """Six servos of id 1 are attached singly, renumbered, and then share the chain."""
    bus = ServoBus([])
    log = TapLog()
    bus.add_tap(log)
    now_ns = 0
    for servo_id in range(6, 0, -1):
        bus.attach(Servo(STS3215, 1, f'fresh_{servo_id}'))
        now_ns += S
        assert 1 in answering(bus, now_ns)
        for body in ((1, 4, 3, 55, 0), (1, 4, 3, 5, servo_id)):
            now_ns += S
            bus.receive(with_checksum(b'\xff\xff' + bytes((*body, 0))), now_ns)
            bus.collect(now_ns + S)
        servo = bus.detach(f'fresh_{servo_id}')
        servo.power_cycle(now_ns)
        assert servo.servo_id == servo_id
        bus.attach(servo)
    assert answering(bus, now_ns + S) == [1, 2, 3, 4, 5, 6]
    ids = [e.value for e in log.of(TapKind.WRITE) if e.address == 5]
    assert ids == [6, 5, 4, 3, 2, 1]


def test_detached_servo_is_silent_and_untapped() -> None:
    """A servo off the chain neither answers nor reports."""
    bus = ServoBus([Servo(STS3215, 1, 'a'), Servo(STS3215, 2, 'b')])
    log = TapLog()
    bus.add_tap(log)
    servo = bus.detach('b')
    servo.hand(100, S)
    assert answering(bus, S) == [1]
    assert log.events == []


def test_names_are_unique() -> None:
    """Two servos of one name are refused, at once or later."""
    with pytest.raises(ValueError, match="repeat.*'a', 'a'"):
        ServoBus([Servo(STS3215, 1, 'a'), Servo(STS3215, 2, 'a')])
    bus = ServoBus([Servo(STS3215, 1, 'a')])
    with pytest.raises(ValueError, match="'a'"):
        bus.attach(Servo(STS3215, 2, 'a'))
