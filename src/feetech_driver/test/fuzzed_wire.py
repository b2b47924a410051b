# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A serial line that damages what passes over it, and knows what should have arrived."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from enum import Enum
import multiprocessing
from multiprocessing.connection import Connection
import os
import random
import select
import time
import tty
from typing import Iterator

from apprentice_sim.bus import ServoBus
from apprentice_sim.presets import so_arm
from apprentice_sim.taps import Tap
from apprentice_sim.taps import TapKind

_SYNC_WRITE = 0x83
_GOAL = 42
# A packet whose length was damaged is held for a moment and may be applied a little late.
_RECENT = 4


class Damage(Enum):
    """What happens to a packet that is hit."""

    ONE_BYTE = 'one byte'
    MANY = 'many bytes'


@dataclass
class WireReport:
    """What the wire saw: bytes, packets damaged, and what the servos made of them."""

    bytes_to_servos: int = 0
    bytes_to_host: int = 0
    damaged_to_servos: int = 0
    damaged_to_host: int = 0
    goal_packets: int = 0
    goals_applied: int = 0
    wrong_goals: int = 0
    longest_wrong: int = 0
    longest_wrong_intact: int = 0
    other_writes: list[tuple[str, int, int]] = field(default_factory=list)


class FuzzedWire:
    """A pseudo-terminal with a simulated arm behind damage."""

    def __init__(self, damage: Damage, probability: float, seed: int) -> None:
        """Damage each packet, either way, with a probability."""
        self.report = WireReport()
        self._damage = damage
        self._probability = probability
        self._random = random.Random(seed)
        self._bus = ServoBus(so_arm('follower'), seed=seed)
        self._bus.add_tap(self._tapped)
        self._recent: dict[int, list[int]] = {}
        self._wrong_since: dict[int, tuple[int, int]] = {}
        self._intact = 0
        self._partial = b''
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)

    def serve(self, orders: Connection) -> None:
        """Carry bytes until the process is killed, and obey orders meanwhile."""
        while True:
            wait_s = max(0.0, (self._bus.next_due_ns - time.monotonic_ns()) / 1e9)
            ready = select.select((self._master, orders), (), (), wait_s)[0]
            if orders in ready:
                self._obey(orders.recv())
                orders.send(self.report)
            now_ns = time.monotonic_ns()
            if self._master in ready:
                self._to_servos(os.read(self._master, 4096), now_ns)
            self._bus.tick(now_ns)
            self._to_host(self._bus.collect(now_ns))

    def _obey(self, order: str) -> None:
        if order.startswith('damage'):
            self._probability = float(order.split()[1])
        elif order == 'clean':
            self._probability = 0.0
        elif order == 'power cycle':
            self._bus.power_cycle(time.monotonic_ns())

    def _to_servos(self, data: bytes, now_ns: int) -> None:
        self._partial += data
        whole = list(packets(self._partial))
        self._partial = self._partial[sum(map(len, whole)):]
        for packet in whole:
            if packet[4] == _SYNC_WRITE and packet[5] == _GOAL:
                self.report.goal_packets += 1
                for at in range(7, len(packet) - 1, 3):
                    recent = self._recent.setdefault(packet[at], [])
                    recent.append(int.from_bytes(packet[at + 1:at + 3], 'little'))
                    del recent[:-_RECENT]
            changed = self._hit(packet)
            self._intact += changed == packet and packet[4] == _SYNC_WRITE
            self.report.damaged_to_servos += changed != packet
            self.report.bytes_to_servos += len(changed)
            self._bus.receive(changed, now_ns)

    def _to_host(self, data: bytes) -> None:
        if not data:
            return
        out = b''
        for packet in packets(data):
            changed = self._hit(packet)
            self.report.damaged_to_host += changed != packet
            out += changed
        self.report.bytes_to_host += len(out)
        try:
            os.write(self._master, out)
        except BlockingIOError:
            return

    def _hit(self, packet: bytes) -> bytes:
        chance = self._random
        if chance.random() >= self._probability:
            return packet
        changed = bytearray(packet)
        if self._damage is Damage.ONE_BYTE:
            changed[chance.randrange(len(changed))] ^= chance.randrange(1, 256)
            return bytes(changed)
        for at in range(len(changed)):
            if chance.random() < 0.15:
                changed[at] = chance.randrange(256)
        if chance.random() < 0.3:
            at = chance.randrange(len(changed))
            del changed[at:at + chance.randrange(1, 8)]
        if chance.random() < 0.3:
            at = chance.randrange(len(changed) + 1)
            changed[at:at] = chance.randbytes(chance.randrange(1, 64))
        if chance.random() < 0.1:
            changed *= 2
        return bytes(changed)

    def _tapped(self, tap: Tap) -> None:
        if tap.kind is TapKind.PRESENT:
            return
        if tap.kind is not TapKind.GOAL:
            self.report.other_writes.append((tap.name, tap.address, tap.value))
            return
        self.report.goals_applied += 1
        if tap.value in self._recent.get(tap.servo_id, ()):
            since = self._wrong_since.pop(tap.servo_id, None)
            if since is not None:
                report = self.report
                report.longest_wrong = max(report.longest_wrong, report.goal_packets - since[0])
                report.longest_wrong_intact = max(
                    report.longest_wrong_intact, self._intact - since[1])
        else:
            self.report.wrong_goals += 1
            self._wrong_since.setdefault(
                tap.servo_id, (self.report.goal_packets, self._intact))


def packets(data: bytes) -> Iterator[bytes]:
    """Cut undamaged bytes into the packets that are whole."""
    while len(data) > 3 and len(data) >= data[3] + 4:
        end = data[3] + 4
        yield data[:end]
        data = data[end:]


class WireControl:
    """The test's handle on a wire in another process."""

    def __init__(self, path: str, orders: Connection) -> None:
        """Talk to the wire at path."""
        self.path = path
        self._orders = orders

    def order(self, text: str) -> WireReport:
        """Give an order: 'damage P', 'clean', 'power cycle' or 'report'; return the report."""
        self._orders.send(text)
        return self._orders.recv()


def _work(orders: Connection, damage: Damage, probability: float, seed: int) -> None:
    wire = FuzzedWire(damage, probability, seed)
    orders.send(wire.path)
    wire.serve(orders)


@contextmanager
def fuzzed_wire(damage: Damage, probability: float, seed: int) -> Iterator[WireControl]:
    """Run a wire in a process of its own, which shares no interpreter with the driver's side."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context('spawn').Process(
        target=_work, args=(theirs, damage, probability, seed), daemon=True)
    process.start()
    try:
        yield WireControl(ours.recv(), ours)
    finally:
        process.kill()
        process.join()
