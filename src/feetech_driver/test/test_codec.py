# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The codec speaks the protocol's bytes, and the scanner believes only awaited replies."""

from __future__ import annotations

from feetech_driver import codec
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest
from scservo_sdk import COMM_SUCCESS
from scservo_sdk import GroupSyncWrite
from scservo_sdk.protocol_packet_handler import protocol_packet_handler

IDS = st.integers(0, 252)
ADDRESSES = st.integers(0, 127)
DATA = st.binary(min_size=1, max_size=16)


class RecordingPort:
    """Port of the SDK that keeps what is written and plays a reply back, byte by byte."""

    def __init__(self, reply: bytes = b'') -> None:
        self.is_using = False
        self.written = b''
        self._reply = list(reply)

    def clearPort(self) -> None:
        pass

    def writePort(self, packet: list[int]) -> int:
        self.written = bytes(packet)
        return len(packet)

    def readPort(self, length: int) -> list[int]:
        taken, self._reply = self._reply[:length], self._reply[length:]
        return taken

    def setPacketTimeout(self, length: int) -> None:
        pass

    def isPacketTimeout(self) -> bool:
        return not self._reply


def vector(text: str) -> bytes:
    return bytes.fromhex(text)


GOLDEN = (
    (codec.ping(1), 'FF FF 01 02 01 FB'),
    (codec.frame(1, 0), 'FF FF 01 02 00 FC'),
    (codec.ping(codec.BROADCAST_ID), 'FF FF FE 02 01 FE'),
    (codec.read(1, 3, 2), 'FF FF 01 04 02 03 02 F3'),
    (codec.frame(1, 0, codec.encode(777, 2, None, 'little')), 'FF FF 01 04 00 09 03 EE'),
    (codec.frame(1, 0, codec.encode(1284, 2, None, 'big')), 'FF FF 01 04 00 05 04 F1'),
    (codec.read(3, 56, 2), 'FF FF 03 04 02 38 02 BC'),
    (codec.frame(3, 0, codec.encode(2048, 2, 15, 'little')), 'FF FF 03 04 00 00 08 F0'),
    (codec.write(6, 40, b'\x01'), 'FF FF 06 04 03 28 01 C9'),
    (codec.frame(6, 0x20), 'FF FF 06 02 20 D7'),
    (codec.sync_read((1, 2, 3, 4, 5, 6), 56, 2), 'FF FF FE 0A 82 38 02 01 02 03 04 05 06 26'),
    (codec.sync_write(42, 2, ((1, b'\x00\x08'), (2, b'\x00\x04'))),
     'FF FF FE 0A 83 2A 02 01 00 08 02 00 04 39'),
    (codec.write(2, 31, codec.encode(-100, 2, 11, 'little')), 'FF FF 02 05 03 1F 64 08 6A'),
    (codec.frame(2, 0), 'FF FF 02 02 00 FB'),
    (codec.sync_write(42, 2, ((5, codec.encode(512, 2, None, 'big')),)),
     'FF FF FE 07 83 2A 02 05 02 00 44'),
    (codec.sync_write(46, 2, tuple(
        (ident, codec.encode(value, 2, 15, 'little'))
        for ident, value in ((7, -1000), (8, 0), (9, 1000)))),
     'FF FF FE 0D 83 2E 02 07 E8 83 08 00 00 09 E8 03 D3'),
)


@pytest.mark.parametrize('built, text', GOLDEN, ids=[text for _, text in GOLDEN])
def test_frames_equal_the_golden_vectors(built: bytes, text: str) -> None:
    """Every golden vector of the protocol is built byte for byte."""
    assert built == vector(text)


@given(IDS, ADDRESSES, st.integers(1, 64))
def test_reads_equal_the_sdks(ident: int, address: int, count: int) -> None:
    """A read request has the SDK's bytes."""
    port = RecordingPort()
    protocol_packet_handler().readTx(port, ident, address, count)
    assert codec.read(ident, address, count) == port.written


@given(IDS, ADDRESSES, DATA)
def test_writes_equal_the_sdks(ident: int, address: int, data: bytes) -> None:
    """A write request has the SDK's bytes."""
    port = RecordingPort()
    protocol_packet_handler().writeTxOnly(port, ident, address, len(data), list(data))
    assert codec.write(ident, address, data) == port.written


@given(st.lists(IDS, min_size=1, max_size=20, unique=True), ADDRESSES, st.integers(1, 16))
def test_sync_reads_equal_the_sdks(idents: list[int], address: int, count: int) -> None:
    """A sync read request has the SDK's bytes."""
    port = RecordingPort()
    protocol_packet_handler().syncReadTx(port, address, count, idents, len(idents))
    assert codec.sync_read(tuple(idents), address, count) == port.written


@given(st.dictionaries(IDS, st.binary(min_size=2, max_size=2), min_size=1, max_size=20), ADDRESSES)
def test_sync_writes_equal_the_sdks(items: dict[int, bytes], address: int) -> None:
    """A sync write request has the SDK's bytes."""
    port = RecordingPort()
    group = GroupSyncWrite(port, protocol_packet_handler(), address, 2)
    for ident, data in items.items():
        group.addParam(ident, list(data))
    group.txPacket()
    assert codec.sync_write(address, 2, tuple(items.items())) == port.written


@given(IDS, st.integers(0, 0x7F), st.binary(max_size=16))
def test_replies_that_the_sdk_accepts_are_accepted(ident: int, error: int, data: bytes) -> None:
    """Scanner and SDK read the same error byte and data out of a reply."""
    reply = codec.frame(ident, error, data)
    packet, result = protocol_packet_handler().rxPacket(RecordingPort(reply))
    assert result == COMM_SUCCESS
    assert scan({ident: len(data)}, reply) == {ident: (packet[4], bytes(packet[5:-1]))}


@given(st.integers(-32767, 32767), st.sampled_from(('little', 'big')))
def test_signed_values_survive_the_wire(value: int, order: str) -> None:
    """Sign and magnitude decode to what was encoded, in either byte order."""
    assert codec.decode(codec.encode(value, 2, 15, order), 15, order) == value


def test_negative_zero_is_zero() -> None:
    """A set sign bit over magnitude 0 reads as 0."""
    assert codec.decode(b'\x00\x80', 15, 'little') == 0


@pytest.mark.parametrize('value, size, bit', [
    (2048, 2, 11), (-2048, 2, 11), (32768, 2, 15), (256, 1, None), (-1, 2, None)])
def test_values_that_do_not_fit_are_refused(value: int, size: int, bit: int | None) -> None:
    """A value beyond the register's magnitude is an error, not a wrong value on the wire."""
    with pytest.raises(ValueError, match=str(value)):
        codec.encode(value, size, bit, 'little')


def test_frames_that_are_too_long_are_refused() -> None:
    """A frame above the protocol's ceiling is an error."""
    with pytest.raises(ValueError, match='250'):
        codec.frame(1, codec.WRITE, bytes(245))


def test_requests_tell_what_they_await() -> None:
    """Each request names the ids that answer and the length of their data."""
    assert codec.awaited_by(codec.ping(4)) == {4: 0}
    assert codec.awaited_by(codec.read(4, 56, 8)) == {4: 8}
    assert codec.awaited_by(codec.write(4, 40, b'\x01')) == {4: 0}
    assert codec.awaited_by(codec.sync_read((3, 1), 56, 8)) == {3: 8, 1: 8}
    assert codec.awaited_by(codec.sync_write(42, 1, ((1, b'\0'),))) == {}
    assert codec.awaited_by(codec.ping(codec.BROADCAST_ID)) == {}


def scan(
    awaited: dict[int, int], *chunks: bytes, echo: bytes = b'',
) -> dict[int, tuple[int, bytes]]:
    scanner = codec.ReplyScanner(awaited, echo)
    for chunk in chunks:
        scanner.feed(chunk)
    return scanner.replies


REPLY = codec.frame(3, 0, b'\x10\x08')
NOISE = st.binary(max_size=24).filter(lambda noise: codec.frame(3, 0, b'')[2:4] not in noise)


@given(NOISE, st.integers(1, 40))
@settings(max_examples=300)
def test_a_reply_is_found_behind_noise_in_any_chunks(noise: bytes, size: int) -> None:
    """Garbage before a reply never hides it, however the bytes are cut up."""
    stream = noise + REPLY
    chunks = [stream[at:at + size] for at in range(0, len(stream), size)]
    assert scan({3: 2}, *chunks) == {3: (0, b'\x10\x08')}


@pytest.mark.parametrize('noise', [
    'FF', 'FF FF', 'FF FF FF', 'FF FF 03', 'FF FF 03 04', 'FF FF 03 04 00', 'FF FF 03 FA',
    'FF FF 03 04 00 FF FF'])
def test_noise_that_begins_like_the_reply_does_not_hide_it(noise: str) -> None:
    """The scan moves on one byte at a time behind a false start."""
    assert scan({3: 2}, vector(noise) + REPLY) == {3: (0, b'\x10\x08')}


@given(st.integers(0, len(REPLY) - 1), st.integers(1, 255))
def test_no_single_corrupt_byte_is_believed(at: int, flip: int) -> None:
    """A reply with one wrong byte is refused, whichever byte it is."""
    corrupt = bytearray(REPLY)
    corrupt[at] ^= flip
    assert scan({3: 2}, bytes(corrupt)) == {}


@pytest.mark.parametrize('other', [
    codec.frame(4, 0, b'\x10\x08'), codec.frame(3, 0, b'\x10'), codec.frame(3, 0, b'\x10\x08\x00'),
    codec.frame(3, 0x80, b'\x10\x08'), codec.frame(codec.BROADCAST_ID, 0, b'\x10\x08')])
def test_frames_that_are_not_awaited_are_dropped(other: bytes) -> None:
    """Another id, another length and an illegal error byte are not the awaited reply."""
    assert scan({3: 2}, other) == {}
    assert scan({3: 2}, other + REPLY) == {3: (0, b'\x10\x08')}


def test_a_duplicated_reply_counts_once() -> None:
    """The first of two replies of one id is kept."""
    again = codec.frame(3, 0, b'\x11\x08')
    assert scan({3: 2, 4: 2}, REPLY + again)[3] == (0, b'\x10\x08')


def test_an_echo_is_not_a_reply() -> None:
    """A request that an adapter repeats, even twice, is not taken for a reply like it."""
    request = codec.read(1, 56, 2)
    reply = codec.frame(1, 0, b'\x10\x08')
    assert scan({1: 2}, request) == {1: (2, b'\x38\x02')}, 'without the echo it would be one'
    assert scan({1: 2}, request, request, echo=request) == {}
    assert scan({1: 2}, request[:3], request[3:] + reply, echo=request) == {1: (0, b'\x10\x08')}
    assert scan({1: 2}, reply, echo=request) == {1: (0, b'\x10\x08')}


def test_waiting_ends_with_the_last_motor_of_a_sync_read() -> None:
    """Motors answer in order: after the last one the silent ones are not waited for."""
    scanner = codec.ReplyScanner({1: 2, 2: 2, 3: 2})
    assert scanner.feed(REPLY)
    assert scanner.missing == (1, 2)
