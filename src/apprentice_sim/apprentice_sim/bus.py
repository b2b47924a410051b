# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A servo bus without a wire: request bytes in, timed reply bytes out."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
import heapq
import random
import threading

from apprentice_sim.faults import FaultInjector
from apprentice_sim.frames import BROADCAST
from apprentice_sim.frames import FrameReader
from apprentice_sim.frames import Instruction
from apprentice_sim.frames import status
from apprentice_sim.servo import Servo
from apprentice_sim.taps import Tap

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
    """Say how long things take beside the byte times.

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


class ServoBus:
    """Serve a chain of servos; hold `lock` around calls from more than one thread.

    `servos` stand in chain order, from the adapter outwards.
    """

    def __init__(
        self, servos: Iterable[Servo], *, timing: Timing = Timing(),
        faults: FaultInjector | None = None, echo: bool = False, seed: int = 0,
    ) -> None:
        self.servos = list(servos)
        self.by_name = {servo.name: servo for servo in self.servos}
        self.timing = timing
        self.faults = faults or FaultInjector(seed=seed)
        self.counters = BusCounters()
        self.lock = threading.RLock()
        self.echo = echo
        self.broken_at: int | None = None
        self.on_unplug: Callable[[bool], None] | None = None
        self.frames = FrameReader()
        self._taps: list[Callable[[Tap], None]] = []
        self._random = random.Random(seed)
        self._host_baud = 1_000_000
        self._byte_ns = 10_000
        self._by_id: dict[int, list[Servo]] = {}
        self._outbox: list[tuple[int, int, bytes]] = []
        self._sequence = 0
        self._wire_free_ns = 0
        self._last_byte_ns = 0
        self._next_tick_ns = 0
        self.reindex()

    # -- setup

    def add_tap(self, tap: Callable[[Tap], None]) -> None:
        """Call `tap` on every register change, in the thread that serves the bus."""
        self._taps.append(tap)
        for servo in self.servos:
            servo.tap = self._taps[0] if len(self._taps) == 1 else self._fan_out

    def _fan_out(self, event: Tap) -> None:
        for tap in self._taps:
            tap(event)

    def set_host_baud(self, baud: int) -> None:
        """Take the host's line speed in bit/s; servos at another speed fall silent."""
        if baud != self._host_baud:
            self._host_baud = baud
            self._byte_ns = _BITS_PER_BYTE * 1_000_000_000 // max(baud, 1)
            self.reindex()

    def reindex(self) -> None:
        """Find again which servos the host reaches; call it after setting `silent`."""
        self._by_id = {}
        for servo in self.servos:
            if servo.servo_id == self.broken_at:
                break
            if not servo.silent and servo.baud == self._host_baud:
                self._by_id.setdefault(servo.servo_id, []).append(servo)

    def silence(self, *names: str) -> None:
        """Make these servos deaf and dumb."""
        self._set_silent(names, True)

    def restore(self, *names: str) -> None:
        """Let these servos speak again."""
        self._set_silent(names, False)

    def _set_silent(self, names: tuple[str, ...], silent: bool) -> None:
        with self.lock:
            for name in names:
                self.by_name[name].silent = silent
            self.reindex()

    def break_chain(self, servo_id: int) -> None:
        """Cut the cable before `servo_id`: it and all behind it fall silent."""
        with self.lock:
            self.broken_at = servo_id
            self.reindex()

    def mend_chain(self) -> None:
        """Join the cable again."""
        with self.lock:
            self.broken_at = None
            self.reindex()

    def power_cycle(self, now_ns: int, *names: str) -> None:
        """Take the supply away and back, of every servo or of those named."""
        with self.lock:
            for servo in self.servos:
                if not names or servo.name in names:
                    servo.power_cycle(now_ns)
            self.reindex()

    def hand(self, name: str, ticks: float, now_ns: int) -> bool:
        """Move a torque-off joint to `ticks` as the host reads it; False if torque holds it."""
        with self.lock:
            return self.by_name[name].hand(ticks, now_ns)

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
        if not self._by_id and not any(s.baud == self._host_baud for s in self.servos):
            self.counters.wrong_baud_bytes += len(data)
            return
        if self.frames.waiting and now_ns - self._last_byte_ns > _FRAME_GAP_NS:
            for frame in self.frames.give_up():
                self._handle(frame, now_ns)
        self._last_byte_ns = now_ns
        for frame in self.frames.feed(data):
            self._handle(frame, now_ns)

    def discard_replies(self) -> None:
        """Forget replies that are still on the wire."""
        self._outbox.clear()

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
            servos = self._by_id.get(frame[2])
            if servos:
                self._unicast(servos, instruction, frame, heard_ns)

    def _sync_read(self, frame: bytes, now_ns: int) -> None:
        address, count = frame[5], frame[6]
        replies = []
        for servo_id in frame[7:-1]:
            servos = self._by_id.get(servo_id)
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
            for servo in self._by_id.get(frame[i], ()):
                servo.write(address, frame[i + 1:i + 1 + count], now_ns)
        if address < 40:
            self.reindex()

    def _broadcast(self, instruction: int, frame: bytes, now_ns: int) -> None:
        if instruction == _PING:
            replies = []
            for servo_id in sorted(self._by_id):
                servos = [s for s in self._by_id[servo_id] if s.model.has_broadcast_ping]
                replies.append(self._collide([(s, status(servo_id, s.alarm)) for s in servos]))
            self._send(frame, replies, now_ns)
            return
        for servos in list(self._by_id.values()):
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
        """Return one reply, or what two servos with one id make of the line together.

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
