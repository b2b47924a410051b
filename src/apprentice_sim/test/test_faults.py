# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Each fault does what its name says, to whom and as often as its rule says."""
from __future__ import annotations

from apprentice_sim.bus import ServoBus
from apprentice_sim.faults import Action
from apprentice_sim.faults import FaultInjector
from apprentice_sim.faults import FaultRule
from apprentice_sim.frames import Instruction
from apprentice_sim.frames import with_checksum
from apprentice_sim.presets import so_arm
from apprentice_sim.protection import Alarm
import pytest

MS = 1_000_000
S = 1_000_000_000
PING = bytes.fromhex('FF FF 02 02 01 FA')
PONG = bytes.fromhex('FF FF 02 02 00 FB')
SYNC = with_checksum(bytes.fromhex('FF FF FE 0A 82 03 02 01 02 03 04 05 06 00'))


class Line:
    """A host that sends one request a second."""

    def __init__(self) -> None:
        self.bus = ServoBus(so_arm('follower'))
        self.now_ns = 0

    def ask(self, request: bytes = PING, wait_ns: int = S) -> bytes:
        """Return what arrives within `wait_ns`."""
        self.now_ns += S
        self.bus.receive(request, self.now_ns)
        return self.bus.collect(self.now_ns + wait_ns)


@pytest.fixture
def line() -> Line:
    """Return a host on a follower's bus."""
    return Line()


def test_drop_counts_and_ends(line: Line) -> None:
    """The next two replies are lost, the third arrives; the first match was skipped."""
    line.bus.faults.add(Action.DROP, skip=1, count=2)
    assert [line.ask() for _ in range(4)] == [PONG, b'', b'', PONG]
    assert line.bus.faults.fired[Action.DROP] == 2


def test_drop_of_one_id_leaves_a_hole(line: Line) -> None:
    """Of a sync read only the matched reply is missing."""
    line.bus.faults.add(Action.DROP, ids=[3], instructions=[Instruction.SYNC_READ])
    reply = line.ask(SYNC)
    assert [reply[i + 2] for i in range(0, len(reply), 8)] == [1, 2, 4, 5, 6]
    assert line.ask() == PONG


def test_delay_moves_the_reply(line: Line) -> None:
    """A late reply comes after the given time and not before."""
    line.bus.faults.add(Action.DELAY, value=30, count=1)
    assert line.ask(wait_ns=29 * MS) == b''
    assert line.bus.collect(line.now_ns + 32 * MS) == PONG


def test_corrupt_changes_exactly_one_byte(line: Line) -> None:
    """Every corrupted reply differs from the true one in one place."""
    line.bus.faults.add(Action.CORRUPT)
    for _ in range(50):
        reply = line.ask()
        assert sum(a != b for a, b in zip(reply, PONG, strict=True)) == 1


def test_corrupt_takes_a_place(line: Line) -> None:
    """A value chooses the byte."""
    line.bus.faults.add(Action.CORRUPT, value=3)
    reply = line.ask()
    assert (reply[:3], reply[4:]) == (PONG[:3], PONG[4:]) and reply[3] != PONG[3]


@pytest.mark.parametrize(('action', 'value', 'answer'), [
    (Action.DUPLICATE, None, PONG + PONG),
    (Action.TRUNCATE, 4, PONG[:4]),
    (Action.TRUNCATE, None, PONG[:3]),
    (Action.WRONG_ID, None, bytes.fromhex('FF FF 03 02 00 FA')),
    (Action.WRONG_ID, 1, bytes.fromhex('FF FF 01 02 00 FC')),
])
def test_reply_is_changed(line: Line, action: Action, value: int | None, answer: bytes) -> None:
    """Doubled, cut, or from another servo."""
    line.bus.faults.add(action, value=value)
    assert line.ask() == answer


def test_noise_comes_before_the_reply(line: Line) -> None:
    """The true reply follows the noise."""
    line.bus.faults.add(Action.NOISE, value=7)
    reply = line.ask()
    assert len(reply) == 13 and reply.endswith(PONG)


@pytest.mark.parametrize('action', [Action.LOSE_REQUEST, Action.CORRUPT_REQUEST])
def test_lost_request_changes_nothing(line: Line, action: Action) -> None:
    """A request that the servo did not hear whole has no effect and no reply."""
    line.bus.faults.add(action, count=1, address=40)
    torque_on = bytes.fromhex('FF FF 06 04 03 28 01 C9')
    assert line.ask(torque_on) == b''
    assert line.bus.by_name['gripper'].get('torque_enable') == 0
    assert line.ask(torque_on)
    assert line.bus.by_name['gripper'].get('torque_enable') == 1


def test_state_faults_strike_the_matched_servo(line: Line) -> None:
    """Alarm, silence, power cycle, temperature and voltage change one servo."""
    faults = line.bus.faults
    faults.add(Action.ALARM, ids=[2], count=1, value=0x24)
    assert line.ask() == bytes.fromhex('FF FF 02 02 24 D7')
    faults.add(Action.SILENCE, ids=[2], count=1)
    assert [line.ask(), line.ask()] == [b'', b'']
    assert len(line.ask(SYNC)) == 40
    line.bus.restore('shoulder_lift')
    faults.add(Action.TEMPERATURE, ids=[2], count=1, value=75)
    faults.add(Action.VOLTAGE, ids=[2], count=1, value=3)
    line.ask()
    servo = line.bus.by_name['shoulder_lift']
    assert (servo.temperature_c, servo.voltage_v) == (75, 3)
    assert line.bus.by_name['elbow_flex'].temperature_c < 40
    assert servo.alarm & Alarm.OVERLOAD


def test_timed_faults_come_in_time() -> None:
    """Faults with a time happen once, that long after the first service."""
    events = [(1.0, Action.BREAK_CHAIN, 4.0), (3.0, Action.MEND_CHAIN, None),
              (4.0, Action.UNPLUG, None), (5.0, Action.REPLUG, None)]
    faults = FaultInjector(
        [FaultRule(action, value=value, at_s=at_s) for at_s, action, value in events])
    bus = ServoBus(so_arm('follower'), faults=faults)
    seen = []
    bus.on_unplug = seen.append
    reached = []
    for now_ns in range(7 * S, 13 * S, 500 * MS):
        bus.tick(now_ns)
        reached.append(len(bus.reached))
    assert reached == [6, 6, 3, 3, 3, 3, 6, 6, 6, 6, 6, 6]
    assert seen == [True, False]


@pytest.mark.parametrize(('lost', 'stored'), [
    (None, (6, 250)), (0, (6, 0)), (1, (6, 250)), (2, (2, 250)), (9, (2, 250))])
def test_power_loss_within_a_write(line: Line, lost: int | None, stored: tuple) -> None:
    """The write is not answered, and the last ones of EEPROM are gone as if never made."""
    servo = line.bus.servos[1]
    servo.set('return_delay', 250)
    line.bus.faults.add(
        Action.POWER_LOSS, ids=[6], instructions=[Instruction.WRITE], address=7, count=1,
        value=lost)
    line.bus.detach('gripper')
    line.ask(with_checksum(bytes.fromhex('FF FF 02 04 03 37 00 00')))
    line.ask(with_checksum(bytes.fromhex('FF FF 02 04 03 05 06 00')))
    assert servo.servo_id == 6
    assert line.ask(with_checksum(bytes.fromhex('FF FF 06 04 03 07 00 00'))) == b''
    assert (servo.servo_id, servo.get('return_delay')) == stored
    assert servo.get('lock') == 1
    line.bus.power_cycle(line.now_ns)
    assert (servo.servo_id, servo.get('return_delay')) == stored


def test_probability_and_seed() -> None:
    """One seed gives one sequence, about as frequent as asked."""
    def losses(seed: int) -> list[bool]:
        host = Line()
        host.bus.faults = FaultInjector(seed=seed)
        host.bus.faults.add(Action.DROP, probability=0.2)
        return [host.ask() == b'' for _ in range(400)]
    assert losses(1) == losses(1) != losses(2)
    assert 50 <= sum(losses(3)) <= 110


def test_clear_disarms(line: Line) -> None:
    """After clear() replies are whole again."""
    line.bus.faults.add(Action.DROP)
    assert line.ask() == b''
    line.bus.faults.clear()
    assert line.ask() == PONG


@pytest.mark.parametrize('arguments', [
    {'action': Action.ALARM}, {'action': Action.DROP, 'at_s': 1.0},
    {'action': Action.POWER_LOSS, 'at_s': 1.0},
    {'action': Action.DROP, 'probability': 1.5}])
def test_senseless_rules_are_refused(arguments: dict) -> None:
    """A rule that could never do what it says is an error."""
    with pytest.raises(ValueError, match='needs|within'):
        FaultRule(**arguments)
