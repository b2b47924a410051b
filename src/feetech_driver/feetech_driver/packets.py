# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The vendor SDK's packet and group handlers with a receive path that keeps deadlines.

The SDK's own receive loop waits 34 ms and more an attempt, spins without a clock on garbage
and gives a whole sync read up when one motor is silent. Its transmit side is inherited.
Byte order is a module global there, so nothing of it that depends on it is called.
"""

from __future__ import annotations

import time
from typing import Iterator

from feetech_driver import codec
from feetech_driver.codec import ReplyScanner
from feetech_driver.port import DeadlinePort
from scservo_sdk import COMM_NOT_AVAILABLE
from scservo_sdk import COMM_RX_CORRUPT
from scservo_sdk import COMM_RX_TIMEOUT
from scservo_sdk import COMM_SUCCESS
from scservo_sdk import GroupSyncRead
from scservo_sdk import GroupSyncWrite
from scservo_sdk.protocol_packet_handler import protocol_packet_handler

# How long after a failed attempt replies are waited for, and how much of the next
# transaction's time that may take.
_LATE_OTHER_NS = 30_000_000
_LATE_SAME_NS = 4_000_000
_SETTLE_SHARE = 0.4


class PacketHandler(protocol_packet_handler):
    """SDK packet handler that receives only what its last request awaits."""

    def __init__(self) -> None:
        """Await nothing."""
        self.scanner = ReplyScanner({})
        self._late: dict[int, tuple[int, int]] = {}
        self._request: bytes | list[int] = b''

    def attempts(
        self, port: DeadlinePort, address: int, count: int, budget_s: float,
    ) -> Iterator[int]:
        """
        Yield the end (monotonic ns) of each attempt at reading count bytes from address.

        A reply does not say which request it answers. While one of the same length to an
        earlier attempt may still come, the first attempt waits for it to pass: long when it
        would be another register's value, short when it would be an older one of the same.
        """
        start_ns = time.monotonic_ns()
        late_address, failed_ns = self._late.get(count, (address, 0))
        until_ns = failed_ns + (_LATE_SAME_NS if late_address == address else _LATE_OTHER_NS)
        if start_ns < until_ns:
            ends_ns = min(until_ns, start_ns + int(budget_s * _SETTLE_SHARE * 1e9))
            while port.next_bytes(ends_ns):
                continue
            budget_s -= (time.monotonic_ns() - start_ns) / 1e9
        yield from port.attempts(budget_s)

    def transact(self, port: DeadlinePort, request: bytes, ends_ns: int) -> ReplyScanner:
        """Send a finished request and return the replies to it that came before ends_ns."""
        port.flush_input()
        port.send(request, ends_ns)
        self.scanner = ReplyScanner(
            codec.awaited_by(request), bytes(request) if port.echo else b'')
        port.receive(self.scanner, ends_ns)
        self._remember(request)
        return self.scanner

    def txPacket(self, port: DeadlinePort, txpacket: list[int]) -> int:
        """Complete and send a packet; remember which replies it awaits."""
        try:
            result = super().txPacket(port, txpacket)
        except BaseException:
            port.is_using = False
            raise
        self.scanner = ReplyScanner(
            codec.awaited_by(txpacket), bytes(txpacket) if port.echo else b'')
        self._request = txpacket
        return result

    def rxPacket(self, port: DeadlinePort) -> tuple[list[int], int]:
        """Return the reply to the last request and a result code of the SDK."""
        try:
            port.receive(self.scanner, port.packet_ends_ns)
        finally:
            port.is_using = False
        self._remember(self._request)
        for ident, (error, data) in self.scanner.replies.items():
            return list(codec.frame(ident, error, data)), COMM_SUCCESS
        return [], _failure(self.scanner)

    def _remember(self, request: bytes | list[int]) -> None:
        if self.scanner.missing and request[4] in (codec.READ, codec.SYNC_READ):
            self._late[request[6]] = (request[5], time.monotonic_ns())


class PartialSyncRead(GroupSyncRead):
    """SDK group read that keeps the replies that came when some motors are silent."""

    def __init__(
        self, port: DeadlinePort, handler: PacketHandler, ids: tuple[int, ...], address: int,
        count: int,
    ) -> None:
        """Prepare the read of count bytes at address; the request is built once."""
        super().__init__(port, handler, address, count)
        for ident in ids:
            self.addParam(ident)
        self.request = codec.sync_read(ids, address, count)
        self.scanner = ReplyScanner({})

    def txRxPacket(self) -> int:
        """Read once within the port's current attempt; data_dict holds what came."""
        if not self.data_dict:
            return COMM_NOT_AVAILABLE
        self.port.setPacketTimeout(len(self.request))
        self.exchange(self.port.packet_ends_ns)
        self.data_dict = {
            ident: list(self.scanner.replies[ident][1]) if ident in self.scanner.replies else []
            for ident in self.data_dict}
        self.last_result = not self.scanner.missing
        return COMM_SUCCESS if self.last_result else _failure(self.scanner)

    def exchange(self, ends_ns: int) -> ReplyScanner:
        """Read once until ends_ns; return the replies as bytes, without the SDK's lists."""
        self.scanner = self.ph.transact(self.port, self.request, ends_ns)
        return self.scanner


class FixedSyncWrite(GroupSyncWrite):
    """SDK group write to a fixed set of motors whose packet is kept between writes."""

    def __init__(
        self, port: DeadlinePort, handler: PacketHandler, ids: tuple[int, ...], address: int,
        count: int,
    ) -> None:
        """Prepare the write of count bytes at address, zero until set."""
        super().__init__(port, handler, address, count)
        blank = bytes(count)
        for ident in ids:
            self.addParam(ident, list(blank))
        self.packet = bytearray(
            codec.sync_write(address, count, tuple((ident, blank) for ident in ids)))
        self._first = tuple(8 + (count + 1) * index for index in range(len(ids)))

    def send(self, values: tuple[bytes, ...], ends_ns: int) -> None:
        """Write one value, count bytes, to each motor in the order given at the start."""
        packet = self.packet
        for first, value in zip(self._first, values):
            packet[first:first + self.data_length] = value
        packet[-1] = codec.checksum(packet[2:-1])
        self.port.flush_input()
        self.port.send(packet, ends_ns)


def _failure(scanner: ReplyScanner) -> int:
    return COMM_RX_CORRUPT if scanner.bad_checksums or scanner.stray_bytes else COMM_RX_TIMEOUT
