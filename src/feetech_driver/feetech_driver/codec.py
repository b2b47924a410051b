# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Bytes of the Feetech protocol: frames, numbers, and a scanner for replies.

Pure functions without I/O. Imports nothing, because the keeper process loads it.
"""

from __future__ import annotations

BROADCAST_ID = 0xFE
MAX_FRAME = 250
PING = 0x01
READ = 0x02
WRITE = 0x03
REG_WRITE = 0x04
ACTION = 0x05
SYNC_READ = 0x82
SYNC_WRITE = 0x83

_HEADER = b'\xff\xff'
_MAX_ERROR = 0x7F


def checksum(body: bytes | bytearray) -> int:
    """Return the check byte over a frame's bytes from its id to its last parameter."""
    return ~sum(body) & 0xFF


def frame(ident: int, code: int, parameters: bytes = b'') -> bytes:
    """Build a frame; code is the instruction of a request or the error byte of a reply."""
    length = len(parameters) + 2
    if length + 4 > MAX_FRAME:
        raise ValueError(f'a frame holds at most {MAX_FRAME} bytes, this one {length + 4}')
    body = bytes((ident, length, code)) + parameters
    return _HEADER + body + bytes((checksum(body),))


def ping(ident: int) -> bytes:
    """Build the request for an empty reply."""
    return frame(ident, PING)


def read(ident: int, address: int, count: int) -> bytes:
    """Build the request for count bytes from an address."""
    return frame(ident, READ, bytes((address, count)))


def write(ident: int, address: int, data: bytes) -> bytes:
    """Build the request that writes data from an address on."""
    return frame(ident, WRITE, bytes((address,)) + data)


def sync_read(idents: tuple[int, ...], address: int, count: int) -> bytes:
    """Build the request for count bytes from the same address of several motors."""
    return frame(BROADCAST_ID, SYNC_READ, bytes((address, count, *idents)))


def sync_write(address: int, count: int, items: tuple[tuple[int, bytes], ...]) -> bytes:
    """Build the request, never answered, that writes count bytes to several motors."""
    data = b''.join(bytes((ident,)) + value for ident, value in items)
    return frame(BROADCAST_ID, SYNC_WRITE, bytes((address, count)) + data)


def awaited_by(request: bytes | bytearray | list[int]) -> dict[int, int]:
    """Return how many data bytes each id answers to a request with, in order of reply."""
    ident, instruction = request[2], request[4]
    if instruction == SYNC_READ:
        return dict.fromkeys(request[7:-1], request[6])
    if ident == BROADCAST_ID:
        return {}
    return {ident: request[6] if instruction == READ else 0}


def encode(value: int, size: int, sign_bit: int | None, order: str) -> bytes:
    """Encode an integer register of size bytes; order is 'little' or 'big'."""
    limit = (1 << (8 * size if sign_bit is None else sign_bit)) - 1
    if not (0 if sign_bit is None else -limit) <= value <= limit:
        raise ValueError(f'{value} does not fit: at most {limit} in magnitude')
    raw = value if value >= 0 else -value | 1 << sign_bit
    return raw.to_bytes(size, order)


def decode(data: bytes, sign_bit: int | None, order: str) -> int:
    """Decode an integer register; negative zero is 0."""
    return from_sign_magnitude(int.from_bytes(data, order), sign_bit)


def from_sign_magnitude(raw: int, sign_bit: int | None) -> int:
    """Return the signed value of a register whose sign is a bit above its magnitude."""
    if sign_bit is None:
        return raw
    magnitude = raw & (1 << sign_bit) - 1
    return -magnitude if raw >> sign_bit & 1 else magnitude


class ReplyScanner:
    """
    Find the awaited replies in a stream of bytes, whatever else it carries.

    A reply counts when its id is awaited, its length is exactly the awaited one, its error
    byte is legal and its checksum is right. At anything else the scan moves on by one byte,
    so garbage never hides the reply behind it. replies maps id to (error byte, data).
    """

    __slots__ = (
        'awaited', 'replies', 'stray_bytes', 'bad_checksums', 'done', '_last', '_tail', '_echo')

    def __init__(self, awaited: dict[int, int], echo: bytes = b'') -> None:
        """Await data lengths by id in order of reply; a frame equal to echo is none."""
        self.awaited = awaited
        self.replies: dict[int, tuple[int, bytes]] = {}
        self.stray_bytes = 0
        self.bad_checksums = 0
        self._last = next(reversed(awaited), None)
        self.done = self._last is None
        self._tail = b''
        self._echo = echo

    @property
    def missing(self) -> tuple[int, ...]:
        """Ids that have not answered."""
        return tuple(ident for ident in self.awaited if ident not in self.replies)

    def feed(self, chunk: bytes) -> bool:
        """
        Take in bytes as they come; return whether waiting longer is useless.

        Motors answer in order, so nothing more comes after the reply of the last one.
        """
        data = self._tail + chunk if self._tail else chunk
        self._tail = self._scan(data)
        return self.done

    def _scan(self, data: bytes) -> bytes:
        size = len(data)
        begin = 0
        while not self.done:
            start = data.find(_HEADER, begin)
            if start < 0:
                start = size - 1 if data[-1:] == b'\xff' and begin < size else size
                self.stray_bytes += start - begin
                return data[start:]
            self.stray_bytes += start - begin
            if size - start < 4:
                return data[start:]
            begin = start
            if data[start + 3] == self.awaited.get(data[start + 2], -9) + 2:
                end = start + data[start + 3] + 4
                if end > size:
                    return data[start:]
                if self._take(data[start:end]):
                    begin = end
                    continue
            begin += 1
            self.stray_bytes += 1
        self.stray_bytes += size - begin
        return b''

    def _take(self, reply: bytes) -> bool:
        ident = reply[2]
        if reply[4] > _MAX_ERROR or ~sum(reply[2:-1]) & 0xFF != reply[-1]:
            self.bad_checksums += 1
            return False
        if ident in self.replies or reply == self._echo:
            return False
        self.replies[ident] = (reply[4], reply[5:-1])
        self.done = ident == self._last or len(self.replies) == len(self.awaited)
        return True
