# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A servo bus without a wire: request bytes in, timed reply bytes out."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
import heapq
import random

from apprentice_sim.chain import ServoChain
from apprentice_sim.faults import FaultInjector
from apprentice_sim.frames import BROADCAST
from apprentice_sim.frames import FrameReader
from apprentice_sim.frames import Instruction
from apprentice_sim.frames import status
from apprentice_sim.servo import Servo

_PING = int(Instruction.PING)
_READ = int(Instruction.READ)
_WRITE = int(Instruction.WRITE)
_SYNC_READ = int(Instruction.SYNC_READ)
_SYNC_WRITE = int(Instruction.SYNC_WRITE)

TICK_NS = 10_000_000
_FRAME_GAP_NS = 5_000_000
_BITS_PER_BYTE = 10
_SHORTEST_SYNC = 7
_LONGEST_READ = 250


@dataclass(frozen=True)
class Timing:
    """
    Say how long things take beside the byte times.

    `turnaround_ns` passes between a request and each reply beside the servo's return delay;
    `slot_ns` is how long the rest of a sync read waits for a silent servo;
    `adapter_latency_ns` is what the USB adapter adds before the host sees replies.
    """

    turnaround_ns: int = 20_000
    slot_ns: int = 200_000
    adapter_latency_ns: int = 0


@dataclass
class BusCounters:
    """Count what passed over the bus."""

    requests: int = 0
    replies: int = 0
    collisions: int = 0
    wrong_baud_bytes: int = 0


class ServoBus(ServoChain):
    """
    Serve a chain of servos: what they hear, what they answer and when.

    Calls from more than one thread go under `lock`, as its own public methods do but receive(),
    tick() and collect(), which the serving loop calls.
    """

    def __init__(
        self, servos: Iterable[Servo], *, timing: Timing = Timing(),
        faults: FaultInjector | None = None, echo: bool = False, seed: int = 0,
    ) -> None:
        super().__init__(servos)
        self.timing = timing
        self.faults = faults or FaultInjector(seed=seed)
        self.counters = BusCounters()
        self.echo = echo
        self.on_unplug: Callable[[bool], None] | None = None
        self.frames = FrameReader()
        self._random = random.Random(seed)
        self._byte_ns = 10_000
        self._outbox: list[tuple[int, int, bytes]] = []
        self._sequence = 0
        self._wire_free_ns = 0
        self._last_byte_ns = 0
        self._next_tick_ns = 0

    def set_host_baud(self, baud: int) -> None:
        """Take the host's line speed in bit/s; servos at another speed fall silent."""
        if self.hear_baud(baud):
            self._byte_ns = _BITS_PER_BYTE * 1_000_000_000 // max(baud, 1)

    def inject(self, data: bytes, now_ns: int) -> None:
        """Let the host receive these bytes without having asked, as noise does."""
        with self.lock:
            self._post(now_ns, data)

    # -- service

    @property
    def next_due_ns(self) -> int:
        """Return when collect() or tick() next has something to do."""
        if self._outbox and self._outbox[0][0] < self._next_tick_ns:
            return self._outbox[0][0]
        return self._next_tick_ns

    def tick(self, now_ns: int) -> None:
        """Advance motors, protection and timed faults; cheap when called too early."""
        if now_ns < self._next_tick_ns:
            return
        self._next_tick_ns = now_ns + TICK_NS
        for servo in self.servos:
            servo.advance(now_ns)
        if self.faults.has_events:
            self.faults.run_events(self, now_ns)
        if self.frames.waiting and now_ns - self._last_byte_ns > _FRAME_GAP_NS:
            for frame in self.frames.give_up():
                self._handle(frame, now_ns)

    def collect(self, now_ns: int) -> bytes:
        """Return the reply bytes that are due."""
        outbox = self._outbox
        if not outbox or outbox[0][0] > now_ns:
            return b''
        data = heapq.heappop(outbox)[2]
        while outbox and outbox[0][0] <= now_ns:
            data += heapq.heappop(outbox)[2]
        return data

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes that the host wrote at `now_ns` and queue the replies."""
        if self.echo:
            self._post(now_ns + len(data) * self._byte_ns, data)
        if not self.any_hears:
            self.counters.wrong_baud_bytes += len(data)
            return
        if self.frames.waiting and now_ns - self._last_byte_ns > _FRAME_GAP_NS:
            for frame in self.frames.give_up():
                self._handle(frame, now_ns)
        self._last_byte_ns = now_ns
        for frame in self.frames.feed(data):
            self._handle(frame, now_ns)

    def lose_power(self, frame: bytes, lost: int, now_ns: int) -> None:
        """Let servos do a request, then restart before they answer, `lost` EEPROM writes gone."""
        for servo in list(self.reached.get(frame[2], ())):
            self._execute(servo, frame[4], frame, now_ns)
            servo.power_cycle(now_ns, lost)
        self.reindex()

    def discard_replies(self) -> None:
        """Forget replies that are still on the wire, and how busy it was."""
        self._outbox.clear()
        self._wire_free_ns = 0

    # -- one request

    def _handle(self, frame: bytes, now_ns: int) -> None:
        self.counters.requests += 1
        start = max(now_ns, self._wire_free_ns)
        heard_ns = start + len(frame) * self._byte_ns
        if self.faults.has_rules:
            changed = self.faults.request(self, frame, heard_ns)
            if changed is None:
                return
            frame = changed
        self._wire_free_ns = heard_ns
        instruction = frame[4]
        if instruction == _SYNC_READ or instruction == _SYNC_WRITE:
            if len(frame) > _SHORTEST_SYNC and frame[6] <= _LONGEST_READ:
                if instruction == _SYNC_READ:
                    self._sync_read(frame, heard_ns)
                else:
                    self._sync_write(frame, heard_ns)
        elif frame[2] == BROADCAST:
            self._broadcast(instruction, frame, heard_ns)
        else:
            servos = self.reached.get(frame[2])
            if servos:
                self._unicast(servos, instruction, frame, heard_ns)

    def _sync_read(self, frame: bytes, now_ns: int) -> None:
        address, count = frame[5], frame[6]
        replies = []
        for servo_id in frame[7:-1]:
            servos = self.reached.get(servo_id)
            if not servos:
                replies.append(None)
            elif len(servos) == 1 and servos[0].model.has_sync_read:
                servo = servos[0]
                data = servo.read(address, count, now_ns)
                replies.append((servo, status(servo_id, servo.alarm, data)))
            else:
                replies.append(self._collide([
                    (s, status(servo_id, s.alarm, s.read(address, count, now_ns)))
                    for s in servos if s.model.has_sync_read]))
        self._send(frame, replies, now_ns)

    def _sync_write(self, frame: bytes, now_ns: int) -> None:
        address, count = frame[5], frame[6]
        for i in range(7, len(frame) - 1 - count, count + 1):
            for servo in self.reached.get(frame[i], ()):
                servo.write(address, frame[i + 1:i + 1 + count], now_ns)
        if address < 40:
            self.reindex()

    def _broadcast(self, instruction: int, frame: bytes, now_ns: int) -> None:
        if instruction == _PING:
            replies = []
            for servo_id in sorted(self.reached):
                servos = [s for s in self.reached[servo_id] if s.model.has_broadcast_ping]
                replies.append(self._collide([(s, status(servo_id, s.alarm)) for s in servos]))
            self._send(frame, replies, now_ns)
            return
        for servos in list(self.reached.values()):
            for servo in servos:
                self._execute(servo, instruction, frame, now_ns)
        self.reindex()

    def _unicast(
        self, servos: list[Servo], instruction: int, frame: bytes, now_ns: int,
    ) -> None:
        replies = []
        for servo in servos:
            data = self._execute(servo, instruction, frame, now_ns)
            if data is not None:
                replies.append((servo, status(frame[2], servo.alarm, data)))
        if instruction not in (_PING, _READ):
            self.reindex()
        self._send(frame, [self._collide(replies)], now_ns)

    def _execute(
        self, servo: Servo, instruction: int, frame: bytes, now_ns: int,
    ) -> bytes | None:
        """Do a unicast instruction; return the reply's data, None where none is sent."""
        if instruction == _PING:
            return b''
        if instruction == _READ:
            whole = len(frame) >= 8 and frame[6] <= _LONGEST_READ
            return servo.read(frame[5], frame[6], now_ns) if whole else None
        answers = servo.answers_writes
        if instruction == _WRITE and len(frame) > 7:
            servo.write(frame[5], frame[6:-1], now_ns)
        elif instruction == Instruction.REG_WRITE and len(frame) > 7:
            servo.reg_write(frame[5], frame[6:-1])
        elif instruction == Instruction.ACTION:
            servo.action(now_ns)
        elif instruction == Instruction.FACTORY_RESET:
            servo.factory_reset()
        elif instruction == Instruction.CALIBRATE and servo.model.continuous:
            servo.define_present(servo.model.resolution // 2)
        else:
            return None
        return b'' if answers else None

    # -- replies

    def _collide(self, replies: list[tuple[Servo, bytes]]) -> tuple[Servo, bytes] | None:
        """
        Return one reply, or what two servos with one id make of the line together.

        The idle line is high and any low bit wins; the second servo starts a little later.
        """
        if not replies:
            return None
        servo, line = replies[0]
        for _, other in replies[1:]:
            self.counters.collisions += 1
            shift = self._random.randrange(3)
            size = max(len(line), len(other) + shift)
            first = line.ljust(size, b'\xff')
            second = (b'\xff' * shift + other).ljust(size, b'\xff')
            line = bytes(a & b for a, b in zip(first, second))
        return servo, line

    def _send(
        self, frame: bytes, replies: list[tuple[Servo, bytes] | None], heard_ns: int,
    ) -> None:
        """Queue the replies of one request as the burst that a USB adapter hands over."""
        timing = self.timing
        at = heard_ns
        burst = []
        faulty = self.faults.has_rules
        for reply in replies:
            if reply is None:
                at += timing.slot_ns
                continue
            servo, line = reply
            at += servo.return_delay_ns + timing.turnaround_ns + len(line) * self._byte_ns
            self.counters.replies += 1
            if not faulty:
                burst.append(line)
                continue
            for delay_ns, changed in self.faults.reply(frame, servo.servo_id, line):
                if delay_ns:
                    self._post(at + delay_ns + timing.adapter_latency_ns, changed)
                else:
                    burst.append(changed)
        if burst:
            self._wire_free_ns = at
            self._post(at + timing.adapter_latency_ns, b''.join(burst))

    def _post(self, due_ns: int, data: bytes) -> None:
        self._sequence += 1
        heapq.heappush(self._outbox, (due_ns, self._sequence, data))
