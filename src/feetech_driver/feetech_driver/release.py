# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Let go of an arm: torque limit to 0 over a second, then torque off on every motor.

Works on a bare file descriptor and imports next to nothing: the keeper process runs it too.
"""

from __future__ import annotations

import os
import select
import termios
import time

from feetech_driver import codec

RAMP_S = 1.0
BUDGET_S = 3.5

_TORQUE_ENABLE = 40
_TORQUE_LIMIT = 48
_MAX_TORQUE = 16
_FULL_TORQUE = 1000
_STEP_S = 0.02
_REPLY_S = 0.008
_ROUNDS = 8


class Release:
    """
    The release of the motors on one bus, to run once.

    After torque is off and confirmed, a motor's torque limit goes back to its power-up value,
    so that the next program finds the arm as it was.
    """

    def __init__(
        self, fd: int, ids: tuple[int, ...], order: str = 'little', ramp: bool = True,
    ) -> None:
        """Release ids on fd; order is the bus's byte order, ramp needs a torque limit register."""
        self._fd = fd
        self._ids = ids
        self._order = order
        self._ramp = ramp
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)

    def run(self, ramp_s: float = RAMP_S, budget_s: float = BUDGET_S) -> tuple[int, ...]:
        """
        Release all motors within budget_s; return the ids that did not confirm torque off.

        Never raises for a motor or a port that fails: the other motors are released still.
        """
        ends = time.monotonic() + budget_s
        ramped = self._ramp
        try:
            if self._ramp:
                self._ramp_down(ramp_s)
        except (OSError, termios.error):
            # Switching off matters more than doing it gently.
            ramped = False
        try:
            failed = self._torque_off(ends)
            if ramped:
                self._restore(tuple(ident for ident in self._ids if ident not in failed))
        except (OSError, termios.error):
            return self._ids
        return failed

    def _ramp_down(self, ramp_s: float) -> None:
        limits = self._read(self._ids, _TORQUE_LIMIT, 2)
        limits = {ident: min(limits.get(ident, _FULL_TORQUE), _FULL_TORQUE)
                  for ident in self._ids}
        start = time.monotonic()
        while (passed := (time.monotonic() - start) / ramp_s) < 1.0:
            self._write_limits({
                ident: int(limit * (1.0 - passed)) for ident, limit in limits.items()})
            time.sleep(_STEP_S)
        self._write_limits(dict.fromkeys(self._ids, 0))

    def _torque_off(self, ends: float) -> tuple[int, ...]:
        off = tuple((ident, b'\0') for ident in self._ids)
        self._send(codec.sync_write(_TORQUE_ENABLE, 1, off))
        pending = self._ids
        for _ in range(_ROUNDS):
            pending = tuple(ident for ident in pending if not self._is_off(ident))
            if not pending or time.monotonic() > ends:
                break
        return pending

    def _is_off(self, ident: int) -> bool:
        self._exchange(codec.write(ident, _TORQUE_ENABLE, b'\0'))
        reply = self._exchange(codec.read(ident, _TORQUE_ENABLE, 1)).get(ident)
        return reply is not None and reply[1] == b'\0'

    def _restore(self, ids: tuple[int, ...]) -> None:
        limits = self._read(ids, _MAX_TORQUE, 2)
        self._write_limits({ident: limits.get(ident, _FULL_TORQUE) for ident in ids})

    def _read(self, ids: tuple[int, ...], address: int, count: int) -> dict[int, int]:
        values: dict[int, int] = {}
        for _ in range(3):
            asked = tuple(ident for ident in ids if ident not in values)
            if asked:
                replies = self._exchange(codec.sync_read(asked, address, count))
                for ident, (_error, data) in replies.items():
                    values[ident] = codec.decode(data, None, self._order)
        return values

    def _write_limits(self, limits: dict[int, int]) -> None:
        if limits:
            self._send(codec.sync_write(_TORQUE_LIMIT, 2, tuple(
                (ident, codec.encode(limit, 2, None, self._order))
                for ident, limit in limits.items())))

    def _exchange(self, request: bytes) -> dict[int, tuple[int, bytes]]:
        termios.tcflush(self._fd, termios.TCIFLUSH)
        self._send(request)
        scanner = codec.ReplyScanner(codec.awaited_by(request))
        ends = time.monotonic() + _REPLY_S
        while not scanner.done:
            left = ends - time.monotonic()
            if left <= 0:
                break
            if self._poll.poll(left * 1000):
                self._take(scanner)
        return scanner.replies

    def _take(self, scanner: codec.ReplyScanner) -> None:
        try:
            chunk = os.read(self._fd, 4096)
        except BlockingIOError:
            return
        if not chunk:
            raise OSError('the port hung up')
        scanner.feed(chunk)

    def _send(self, data: bytes) -> None:
        try:
            os.write(self._fd, data)
        except BlockingIOError:
            # A full output queue means that nothing leaves; what it holds is stale by now.
            termios.tcflush(self._fd, termios.TCOFLUSH)
