# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Take the structures in a parquet file apart and put them together again, whatever they say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_WHOLE = (4, 5, 6)
_MOST_DEPTH = 30


@dataclass
class Node:
    """
    Hold a value of the compact protocol.

    `value` of a struct is a list of (field id, Node), of a list a list of Nodes.
    """

    kind: int
    value: Any
    element: int = 0

    def walk(self) -> Iterator[Node]:
        """Yield it and everything in it."""
        yield self
        for child in self.children():
            yield from child.walk()

    def children(self) -> list[Node]:
        """Return what lies directly in it."""
        if self.kind == STRUCT:
            return [node for _, node in self.value]
        return list(self.value) if self.kind in (LIST, SET) else []

    def field(self, *numbers: int) -> Node | None:
        """Return the field at a path of field ids; None where there is none."""
        node: Node | None = self
        for number in numbers:
            node = next((one for at, one in node.value if at == number), None) if node else None
        return node


class Reader:
    """Read structures one after the other; ValueError or IndexError where there are none."""

    def __init__(self, data: bytes, place: int = 0) -> None:
        """Begin at a place."""
        self._data, self.place = data, place

    def struct(self, depth: int = 0) -> Node:
        """Read a struct."""
        if depth > _MOST_DEPTH:
            raise ValueError('too deep')
        fields, number = [], 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._whole()
            fields.append((number, self._value(head & 15, depth, False)))
        return Node(STRUCT, fields)

    def _value(self, kind: int, depth: int, in_list: bool) -> Node:
        if kind in (TRUE, FALSE):
            return Node(self._byte() if in_list else kind, None)
        if kind == BYTE:
            return Node(kind, self._byte())
        if kind in _WHOLE:
            return Node(kind, self._whole())
        if kind == DOUBLE:
            return Node(kind, self._bytes(8))
        if kind == BINARY:
            return Node(kind, self._bytes(self._varint()))
        if kind in (LIST, SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            if count > len(self._data):
                raise ValueError('too long')
            found = [self._value(head & 15, depth + 1, True) for _ in range(count)]
            return Node(kind, found, head & 15)
        if kind == STRUCT:
            return self.struct(depth + 1)
        raise ValueError(f'a value of kind {kind}')

    def _bytes(self, count: int) -> bytes:
        if self.place + count > len(self._data):
            raise ValueError('cut')
        self.place += count
        return self._data[self.place - count:self.place]

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                return found

    def _whole(self) -> int:
        found = self._varint()
        return found >> 1 ^ -(found & 1)


def written(node: Node) -> bytes:
    """Return a value as the compact protocol writes it."""
    if node.kind in (TRUE, FALSE):
        return b''
    if node.kind == BYTE:
        return bytes([node.value & 255])
    if node.kind in _WHOLE:
        return _varint((node.value << 1 ^ node.value >> 63) & (1 << 64) - 1)
    if node.kind == DOUBLE:
        return bytes(node.value)
    if node.kind == BINARY:
        return _varint(len(node.value)) + bytes(node.value)
    if node.kind == STRUCT:
        return _struct(node)
    size = len(node.value)
    head = bytes([size << 4 | node.element]) if size < 15 \
        else bytes([0xf0 | node.element]) + _varint(size)
    return head + b''.join(
        bytes([one.kind]) if node.element in (TRUE, FALSE) else written(one)
        for one in node.value)


def _struct(node: Node) -> bytes:
    parts, last = [], 0
    for number, one in node.value:
        step = number - last
        parts.append(bytes([step << 4 | one.kind]) if 0 < step < 16
                     else bytes([one.kind]) + _varint((number << 1 ^ number >> 63) & 0xffff))
        parts.append(written(one))
        last = number
    return b''.join(parts) + b'\0'


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
