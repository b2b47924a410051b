# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames of the Feetech protocol as the servo side sees them."""
from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

BROADCAST = 0xFE
HEADER = b'\xff\xff'
_MIN_LENGTH = 2


class Instruction(IntEnum):
    """Name the instruction byte."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    REG_WRITE = 0x04
    ACTION = 0x05
    FACTORY_RESET = 0x06
    CALIBRATE = 0x0B
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


def status(servo_id: int, error: int, data: bytes = b'') -> bytes:
    """Return a status frame."""
    body = bytes((servo_id, len(data) + 2, error)) + data
    return HEADER + body + bytes((~sum(body) & 0xFF,))


def with_checksum(frame: bytes) -> bytes:
    """Return the frame with its last byte made right."""
    return frame[:-1] + bytes((~sum(frame[2:-1]) & 0xFF,))


class FrameReader:
    """Cut instruction frames out of a byte stream; after an error advance one byte."""

    def __init__(self) -> None:
        self._buffer = b''
        self.bad_checksums = 0
        self.skipped_bytes = 0

    @property
    def waiting(self) -> bool:
        """Return whether part of a frame is held."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield every whole frame with a right checksum."""
        buffer = self._buffer + data if self._buffer else data
        self._buffer = b''
        while buffer:
            start = buffer.find(HEADER)
            if start < 0:
                keep = 1 if buffer[-1] == 0xFF else 0
                self.skipped_bytes += len(buffer) - keep
                self._buffer = buffer[len(buffer) - keep:]
                return
            if start:
                self.skipped_bytes += start
                buffer = buffer[start:]
            if len(buffer) < 4:
                if len(buffer) == 3 and buffer[2] == 0xFF:
                    buffer = buffer[1:]
                self._buffer = buffer
                return
            length = buffer[3]
            if buffer[2] == 0xFF or length < _MIN_LENGTH:
                self.skipped_bytes += 1
                buffer = buffer[1:]
                continue
            end = length + 4
            if len(buffer) < end:
                self._buffer = buffer
                return
            if sum(buffer[2:end]) & 0xFF == 0xFF:
                yield buffer[:end]
                buffer = buffer[end:]
            else:
                self.bad_checksums += 1
                self.skipped_bytes += 1
                buffer = buffer[1:]

    def give_up(self) -> Iterator[bytes]:
        """Drop the first byte of a frame that never ended and look for others behind it."""
        held, self._buffer = self._buffer, b''
        while held:
            self.skipped_bytes += 1
            held = held[1:]
            yield from self.feed(held)
            held, self._buffer = self._buffer, b''
