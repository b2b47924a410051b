# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The bus answers byte for byte, in time."""
from __future__ import annotations

from apprentice_sim.bus import ServoBus
from apprentice_sim.bus import Timing
from apprentice_sim.frames import with_checksum
from apprentice_sim.presets import so_arm
from apprentice_sim.registers import SCS0009
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
from apprentice_sim.taps import TapKind
from apprentice_sim.taps import TapLog
import pytest

BYTE_NS = 10_000
LATER_NS = 1_000_000_000
OVERLOAD = 0x20


def request(*body: int) -> bytes:
    """Return a frame from id to the last parameter, with header and checksum."""
    return with_checksum(b'\xff\xff' + bytes(body) + b'\0')


def exchange(bus: ServoBus, data: bytes, now_ns: int = 0) -> bytes:
    """Return all replies to `data`."""
    bus.receive(data, now_ns)
    return bus.collect(now_ns + LATER_NS)


def fresh(*ids: int) -> ServoBus:
    """Return a bus of factory STS3215 in the middle of their turn."""
    return ServoBus([Servo(STS3215, i, f'm{i}', present=2048) for i in ids])


GOLDEN = [
    ('FF FF 01 02 01 FB', 'FF FF 01 02 00 FC'),
    ('FF FF 01 04 02 03 02 F3', 'FF FF 01 04 00 09 03 EE'),
    ('FF FF 03 04 02 38 02 BC', 'FF FF 03 04 00 00 08 F0'),
    ('FF FF 06 04 03 28 01 C9', 'FF FF 06 02 00 F7'),
    ('FF FF 02 05 03 1F 64 08 6A', 'FF FF 02 02 00 FB'),
]


@pytest.mark.parametrize(('sent', 'answer'), GOLDEN)
def test_golden_vectors(sent: str, answer: str) -> None:
    """Every request of the protocol sheet gets exactly its reply."""
    assert exchange(fresh(1, 2, 3, 6), bytes.fromhex(sent)) == bytes.fromhex(answer)


def test_overloaded_servo_says_so_and_still_obeys() -> None:
    """The alarm stands in the error byte; the write is done all the same."""
    bus = fresh(6)
    bus.by_name['m6'].force_alarm(OVERLOAD)
    reply = exchange(bus, bytes.fromhex('FF FF 06 04 03 28 01 C9'))
    assert reply == bytes.fromhex('FF FF 06 02 20 D7')
    assert bus.by_name['m6'].get('torque_enable') == 1


def test_scs_answers_high_byte_first() -> None:
    """An SCS0009 sends 1284 big-endian and takes goals so."""
    bus = ServoBus([Servo(SCS0009, 1, 'a'), Servo(SCS0009, 5, 'b')])
    assert exchange(bus, bytes.fromhex('FF FF 01 04 02 03 02 F3')) \
        == bytes.fromhex('FF FF 01 04 00 05 04 F1')
    assert exchange(bus, bytes.fromhex('FF FF FE 07 83 2A 02 05 02 00 44')) == b''
    assert bus.by_name['b'].get('goal_position') == 512


def test_scs_knows_neither_sync_read_nor_broadcast_ping() -> None:
    """Both stay unanswered by an SCS0009, and so they do on a mixed chain."""
    bus = ServoBus([Servo(SCS0009, 1, 'a'), Servo(STS3215, 2, 'b')])
    assert exchange(bus, request(0xFE, 5, 0x82, 3, 2, 1)) == b''
    assert exchange(bus, bytes.fromhex('FF FF FE 02 01 FE'), LATER_NS) \
        == bytes.fromhex('FF FF 02 02 00 FB')


def test_sync_read_answers_in_list_order() -> None:
    """Each listed servo sends an ordinary status, in the order of the list."""
    bus = fresh(1, 2, 3, 4, 5, 6)
    reply = exchange(bus, bytes.fromhex('FF FF FE 0A 82 38 02 01 02 03 04 05 06 26'))
    assert reply == b''.join(
        with_checksum(bytes((0xFF, 0xFF, i, 4, 0, 0, 8, 0))) for i in range(1, 7))
    reply = exchange(bus, request(0xFE, 6, 0x82, 3, 2, 5, 2), LATER_NS)
    assert [reply[2], reply[10]] == [5, 2]


def test_sync_read_leaves_a_hole_for_a_silent_servo() -> None:
    """The others answer, later by the slot of the silent one."""
    bus = fresh(1, 2, 3)
    sent = request(0xFE, 7, 0x82, 3, 2, 1, 2, 3)
    bus.receive(sent, 0)
    whole_ns = bus._outbox[0][0]
    bus.collect(LATER_NS)
    bus.silence('m2')
    bus.receive(sent, LATER_NS)
    with_hole_ns = bus._outbox[0][0] - LATER_NS
    reply = bus.collect(2 * LATER_NS)
    assert [reply[2], reply[10], len(reply)] == [1, 3, 16]
    one_ns = 8 * BYTE_NS + 500_000 + Timing().turnaround_ns
    assert with_hole_ns == whole_ns - one_ns + Timing().slot_ns
    bus.restore('m2')
    assert len(exchange(bus, sent, 3 * LATER_NS)) == 24


def test_sync_write_moves_goals_without_reply() -> None:
    """Goals of the golden vectors arrive, signed ones too, and nobody answers."""
    bus = fresh(1, 2, 7, 8, 9)
    assert exchange(bus, bytes.fromhex('FF FF FE 0A 83 2A 02 01 00 08 02 00 04 39')) == b''
    assert [bus.by_name[n].get('goal_position') for n in ('m1', 'm2')] == [2048, 1024]
    wheels = 'FF FF FE 0D 83 2E 02 07 E8 83 08 00 00 09 E8 03 D3'
    assert exchange(bus, bytes.fromhex(wheels)) == b''
    assert [bus.by_name[f'm{i}'].get('goal_velocity') for i in (7, 8, 9)] == [-1000, 0, 1000]


def test_broadcast_ping_is_answered_in_id_order() -> None:
    """The chain order does not matter."""
    reply = exchange(fresh(6, 2, 4), bytes.fromhex('FF FF FE 02 01 FE'))
    assert [reply[i] for i in (2, 8, 14)] == [2, 4, 6]
    assert len(reply) == 18


def test_reply_comes_after_its_time_on_the_wire() -> None:
    """Byte times of request and reply, return delay and turn-around add up."""
    bus = ServoBus(so_arm('follower'), timing=Timing(adapter_latency_ns=2_000_000))
    bus.receive(request(1, 4, 2, 56, 8), 5)
    due_ns = 5 + (8 + 14) * BYTE_NS + Timing().turnaround_ns + 2_000_000
    assert bus.collect(due_ns - 1) == b''
    assert len(bus.collect(due_ns)) == 14


def test_response_level_zero_mutes_writes_only() -> None:
    """Level 0 answers ping and read, not write."""
    bus = fresh(1)
    bus.by_name['m1'].set('response_level', 0)
    assert exchange(bus, request(1, 4, 3, 40, 1)) == b''
    assert bus.by_name['m1'].get('torque_enable') == 1
    assert exchange(bus, request(1, 2, 1), LATER_NS) == bytes.fromhex('FF FF 01 02 00 FC')


def test_reg_write_waits_for_action() -> None:
    """A buffered write takes effect on all servos with the broadcast action."""
    bus = fresh(1, 2)
    for i in (1, 2):
        assert exchange(bus, request(i, 5, 4, 42, 0, 4), i * LATER_NS)
        assert bus.by_name[f'm{i}'].get('goal_position') == 2048
    assert exchange(bus, request(0xFE, 2, 5), 4 * LATER_NS) == b''
    assert {s.get('goal_position') for s in bus.servos} == {1024}


def test_other_baud_rate_is_silence() -> None:
    """A servo hears only its own line speed, and a new speed holds at once."""
    bus = fresh(1)
    bus.set_host_baud(115_200)
    assert exchange(bus, request(1, 2, 1)) == b''
    assert bus.counters.wrong_baud_bytes == 6
    bus.set_host_baud(1_000_000)
    assert exchange(bus, request(1, 4, 3, 6, 4), LATER_NS)
    assert exchange(bus, request(1, 2, 1), 2 * LATER_NS) == b''
    bus.set_host_baud(115_200)
    assert exchange(bus, request(1, 2, 1), 3 * LATER_NS)


def test_new_id_answers_from_the_next_request_on() -> None:
    """The acknowledgement carries the old id, the next ping goes to the new one."""
    bus = fresh(1)
    assert exchange(bus, request(1, 4, 3, 5, 9))[2] == 1
    assert exchange(bus, request(1, 2, 1), LATER_NS) == b''
    assert exchange(bus, request(9, 2, 1), 2 * LATER_NS)[2] == 9


def test_two_servos_with_one_id_garble_each_other() -> None:
    """Over some reads the replies of differing servos come back corrupt."""
    bus = ServoBus([
        Servo(STS3215, 1, 'a', present=1365), Servo(STS3215, 1, 'b', present=2730)], seed=1)
    good = with_checksum(bytes((0xFF, 0xFF, 1, 4, 0, 0x55, 5, 0)))
    replies = [exchange(bus, request(1, 4, 2, 56, 2), i * LATER_NS) for i in range(20)]
    assert all(reply for reply in replies)
    broken = [r for r in replies if sum(r[2:8]) & 0xFF != 0xFF or len(r) != 8]
    assert len(broken) >= 10
    assert good not in replies


def test_broken_chain_silences_all_behind() -> None:
    """From the cut outwards nobody answers until it is mended."""
    bus = fresh(1, 2, 3)
    bus.break_chain(2)
    assert len(exchange(bus, bytes.fromhex('FF FF FE 02 01 FE'))) == 6
    bus.mend_chain()
    assert len(exchange(bus, bytes.fromhex('FF FF FE 02 01 FE'), LATER_NS)) == 18


def test_echo_repeats_the_request_first() -> None:
    """An adapter that echoes sends the request back before the reply."""
    bus = ServoBus(so_arm('leader'), echo=True)
    sent = request(1, 2, 1)
    assert exchange(bus, sent) == sent + bytes.fromhex('FF FF 01 02 00 FC')


def test_half_a_frame_does_not_swallow_the_next() -> None:
    """What never ended is given up after a pause and the next request is heard."""
    bus = fresh(1)
    assert exchange(bus, b'\xff\xff\x01\xfa\x03') == b''
    assert exchange(bus, request(1, 2, 1), LATER_NS)
    assert exchange(bus, b'\xff\xff\x01\xfa' + request(1, 2, 1), 2 * LATER_NS) == b''
    bus.tick(3 * LATER_NS)
    assert bus.collect(4 * LATER_NS)


def test_taps_tell_goal_torque_and_position() -> None:
    """Every listener hears each change with the time at which the servo had the request."""
    bus = ServoBus(so_arm('follower'))
    logs = [TapLog(), TapLog()]
    for log in logs:
        bus.add_tap(log)
    exchange(bus, request(2, 5, 3, 42, 0, 4))
    exchange(bus, request(2, 4, 3, 40, 1), LATER_NS)
    bus.tick(3 * LATER_NS)
    for log in logs:
        goal, = log.of(TapKind.GOAL)
        assert (goal.name, goal.value, goal.t_ns) == ('shoulder_lift', 1024, 9 * BYTE_NS)
        torque, = log.of(TapKind.TORQUE, 'shoulder_lift')
        assert torque.value == 1
        assert log.of(TapKind.PRESENT)[-1].value == 1024


def test_malformed_requests_change_nothing() -> None:
    """Frames with a right checksum but too few parameters are passed over."""
    bus = fresh(1, 2)
    before = [bytes(s.memory) for s in bus.servos]
    for body in ((1, 2, 2), (1, 3, 2, 56), (1, 2, 3), (1, 3, 3, 40), (0xFE, 2, 0x82),
                 (0xFE, 3, 0x83, 42), (0xFE, 4, 0x83, 42, 2), (0xFE, 6, 0x83, 42, 2, 1, 0),
                 (1, 2, 0x77), (0xFE, 2, 2)):
        exchange(bus, request(*body), LATER_NS)
    assert [bytes(s.memory) for s in bus.servos] == before
