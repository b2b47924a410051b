# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Ask who is on a bus, and hear all that comes back: silence, a motor, or two at once."""

from __future__ import annotations

from dataclasses import dataclass
import time

from feetech_driver import codec
from feetech_driver.port import DeadlinePort

_IDENTITY = (0, 5)
_STATE = (56, 15)
_LISTEN_S = 0.02
_QUIET_S = 0.002
_BITS_PER_BYTE = 10
# Bytes around the data of a read: request 8, reply 6; and the pause that ends a reply.
_OVERHEAD = 14
_PAUSE_BYTES = 3
_SAMPLES = 3
_MORE_SAMPLES = 37
# Two motors that answer alike overlap without a trace in a third of the cases; noise that a
# bus can work with spoils a sixth of the replies at most.
_DISTURBED = 0.4
_SILENT_IN_A_ROW = 3


@dataclass(frozen=True)
class Meeting:
    """
    What was heard from one id.

    identity holds registers 0 to 4, state registers 56 to 70; None where no clean reply came.
    """

    identity: bytes | None
    state: bytes | None
    duplicated: bool


class Probe:
    """One bus as a listener finds it; nothing is written to any register."""

    def __init__(self, port: DeadlinePort) -> None:
        """Listen on a port that is open."""
        self._port = port

    def meet(self, ident: int, samples: int = _SAMPLES) -> Meeting | None:
        """
        Look at one id `samples` times, and oftener when a look is disturbed; None if silent.

        The same answer to the same question can hide two motors; their states differ.
        """
        identity, heard = self.ask(ident, *_IDENTITY)
        if identity is None and not heard:
            return None
        looks = [self.ask(ident, *_STATE) for _ in range(samples)]
        if any(state is None or extra for state, extra in looks):
            looks += self._more_looks(ident)
        disturbed = sum(bool(extra) for _state, extra in looks)
        states = [state for state, _extra in looks if state is not None]
        return Meeting(
            identity, states[-1] if states else None, disturbed > _DISTURBED * len(looks))

    def ask(self, ident: int, address: int, count: int) -> tuple[bytes | None, bytes]:
        """Read registers; return the reply's data and whatever else was heard."""
        request = codec.read(ident, address, count)
        awaited = codec.awaited_by(request)
        heard = self._exchange(request, awaited, _OVERHEAD + count)
        scanner = codec.ReplyScanner(awaited)
        scanner.feed(heard)
        reply = scanner.replies.get(ident)
        if reply is None:
            return None, heard
        expected = codec.frame(ident, *reply)
        return reply[1], heard.replace(expected, b'', 1)

    def tell(self, ident: int, address: int, data: bytes) -> None:
        """Write registers; whether it was done shows a read, for the reply may have any rate."""
        request = codec.write(ident, address, data)
        self._exchange(request, codec.awaited_by(request), _OVERHEAD + len(data))

    def broadcast(self, listen_s: float) -> tuple[set[int], bool]:
        """Return the ids that answer a ping to all, and whether anything unreadable came."""
        request = codec.ping(codec.BROADCAST_ID)
        ends_ns = time.monotonic_ns() + int((listen_s + self._wire_s(_OVERHEAD)) * 1e9)
        self._port.flush_input()
        self._port.send(request, ends_ns)
        heard = self._strip_echo(request, self._listen(listen_s, ends_ns))
        scanner = codec.ReplyScanner(dict.fromkeys(range(codec.BROADCAST_ID), 0))
        scanner.feed(heard)
        frames = sum(len(codec.frame(ident, *reply)) for ident, reply in scanner.replies.items())
        return set(scanner.replies), frames != len(heard)

    def _more_looks(self, ident: int) -> list[tuple[bytes | None, bytes]]:
        looks: list[tuple[bytes | None, bytes]] = []
        silent = 0
        while len(looks) < _MORE_SAMPLES and silent < _SILENT_IN_A_ROW:
            looks.append(self.ask(ident, *_STATE))
            state, extra = looks[-1]
            silent = silent + 1 if state is None and not extra else 0
        return looks

    def _exchange(self, request: bytes, awaited: dict[int, int], size: int) -> bytes:
        listen_s = _LISTEN_S + self._wire_s(size)
        ends_ns = time.monotonic_ns() + int(listen_s * 1e9)
        self._port.flush_input()
        self._port.send(request, ends_ns)
        scanner = codec.ReplyScanner(awaited)
        heard = b''
        while not scanner.done and (more := self._port.next_bytes(ends_ns)):
            heard += more
            scanner.feed(more)
        quiet_s = _QUIET_S + self._wire_s(_PAUSE_BYTES)
        heard += self._listen(quiet_s, time.monotonic_ns() + int(listen_s * 1e9))
        return self._strip_echo(request, heard)

    def _listen(self, quiet_s: float, ends_ns: int) -> bytes:
        heard = b''
        quiet_ns = int(quiet_s * 1e9)
        while more := self._port.next_bytes(min(ends_ns, time.monotonic_ns() + quiet_ns)):
            heard += more
        return heard

    def _strip_echo(self, request: bytes, heard: bytes) -> bytes:
        if not heard.startswith(request):
            return heard
        # Such an adapter repeats every request: from now on it is stripped everywhere.
        self._port.echo = True
        return heard[len(request):]

    def _wire_s(self, size: int) -> float:
        return size * _BITS_PER_BYTE / self._port.baudrate
