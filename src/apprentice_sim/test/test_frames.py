# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames are found in any stream, in any pieces."""
from __future__ import annotations

from apprentice_sim.bus import ServoBus
from apprentice_sim.frames import FrameReader
from apprentice_sim.frames import status
from apprentice_sim.frames import with_checksum
from apprentice_sim.presets import so_arm
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

FRAMES = st.lists(
    st.builds(
        lambda servo_id, inst, data: with_checksum(
            bytes((0xFF, 0xFF, servo_id, len(data) + 2, inst)) + data + b'\0'),
        st.integers(0, 254), st.integers(0, 255), st.binary(max_size=30)),
    min_size=1, max_size=5)


def test_status_matches_the_protocol_sheet() -> None:
    """A known status frame comes out byte for byte."""
    assert status(3, 0, b'\x00\x08') == bytes.fromhex('FF FF 03 04 00 00 08 F0')
    assert status(6, 0x20) == bytes.fromhex('FF FF 06 02 20 D7')


@given(FRAMES, st.lists(st.integers(1, 20), min_size=1))
def test_any_cut_gives_the_same_frames(frames: list[bytes], cuts: list[int]) -> None:
    """Frames come out whole and in order however the stream is cut."""
    stream = b''.join(frames)
    reader = FrameReader()
    found = []
    at = i = 0
    while at < len(stream):
        size = cuts[i % len(cuts)]
        found += reader.feed(stream[at:at + size])
        at += size
        i += 1
    assert found == frames


@given(st.binary(max_size=40).filter(lambda b: b'\xff' not in b))
def test_garbage_before_a_frame_is_passed_over(garbage: bytes) -> None:
    """Bytes that form no header cost nothing but themselves."""
    frame = bytes.fromhex('FF FF 01 02 01 FB')
    reader = FrameReader()
    assert list(reader.feed(garbage + frame)) == [frame]
    assert reader.skipped_bytes == len(garbage)


def test_extra_header_byte_is_passed_over() -> None:
    """Three FF before an id still are a header."""
    frame = bytes.fromhex('FF FF 01 02 01 FB')
    assert list(FrameReader().feed(b'\xff' + frame)) == [frame]


def test_bad_checksum_advances_one_byte() -> None:
    """A frame inside a broken frame is found."""
    inner = bytes.fromhex('FF FF 01 02 01 FB')
    reader = FrameReader()
    assert list(reader.feed(b'\xff\xff\x01\x08\x03' + inner + b'\x00')) == [inner]
    assert reader.bad_checksums == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=10))
def test_bus_survives_any_bytes(chunks: list[bytes]) -> None:
    """After any garbage and a pause a ping is answered, unless the garbage moved the id."""
    bus = ServoBus(so_arm('follower'))
    now_ns = 0
    for chunk in chunks:
        now_ns += 1_000_000
        bus.receive(chunk, now_ns)
    bus.tick(now_ns + 1_000_000_000)
    now_ns += 10_000_000_000
    bus.collect(now_ns)
    bus.receive(bytes.fromhex('FF FF 03 02 01 F9'), now_ns)
    assert len(bus.collect(now_ns + 10_000_000_000)) == 6


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 255), st.binary(max_size=12), st.integers(1, 6))
def test_bus_survives_any_instruction(inst: int, data: bytes, servo_id: int) -> None:
    """Well-formed frames with any content never stop the simulation."""
    bus = ServoBus(so_arm('follower'))
    for target in (servo_id, 0xFE):
        frame = with_checksum(
            bytes((0xFF, 0xFF, target, len(data) + 2, inst)) + data + b'\0')
        bus.receive(frame, 0)
    for now_ns in (50_000_000, 100_000_000, 3_000_000_000):
        bus.tick(now_ns)
    assert all(len(s.memory) == 128 for s in bus.servos)
