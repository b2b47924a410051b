# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read the same registers of several motors, by sync read where the motors know it."""

from __future__ import annotations

import time

from feetech_driver import codec
from feetech_driver.counters import BusCounters
from feetech_driver.packets import PacketHandler
from feetech_driver.packets import PartialSyncRead
from feetech_driver.port import DeadlinePort
from feetech_driver.registers import Protocol


class GroupReader:
    """One attempt after another at reading a block of registers; requests are kept."""

    def __init__(
        self, port: DeadlinePort, handler: PacketHandler, protocol: Protocol,
        counters: BusCounters,
    ) -> None:
        """Read through port and count what comes."""
        self._port = port
        self._handler = handler
        self._sync = protocol.sync_read
        self._counters = counters
        self._groups: dict[tuple[tuple[int, ...], int, int], PartialSyncRead] = {}

    def read(
        self, idents: tuple[int, ...], address: int, count: int, ends_ns: int,
    ) -> dict[int, tuple[int, bytes]]:
        """Return (error byte, data) of the motors that answered before ends_ns."""
        if self._sync:
            key = (idents, address, count)
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = PartialSyncRead(
                    self._port, self._handler, idents, address, count)
            scanner = group.exchange(ends_ns)
            self._counters.add(scanner)
            return scanner.replies
        replies: dict[int, tuple[int, bytes]] = {}
        for index, ident in enumerate(idents):
            now_ns = time.monotonic_ns()
            share_ns = max(0, ends_ns - now_ns) // (len(idents) - index)
            scanner = self._handler.transact(
                self._port, codec.read(ident, address, count), now_ns + share_ns)
            self._counters.add(scanner)
            replies.update(scanner.replies)
        return replies
