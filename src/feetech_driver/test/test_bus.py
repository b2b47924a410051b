# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The bus reads and writes motors by name, whatever happens to single packets."""

from __future__ import annotations

from pathlib import Path
import time

from apprentice_sim.faults import Action
from apprentice_sim.frames import Instruction
from apprentice_sim.presets import chain
from apprentice_sim.taps import TapKind
from apprentice_sim.testing import servo_bus
from apprentice_sim.testing import SimArm
from conftest import MOTORS
from conftest import NAMES
from feetech_driver.bus import FeetechBus
from feetech_driver.bus import Motor
from feetech_driver.bus import PortError
from feetech_driver.bus import PortLost
from feetech_driver.bus import TransactionError
import pytest

CYCLE_S = 0.06


def test_state_is_what_the_servos_report(bus: FeetechBus, arm: SimArm) -> None:
    """One read gives position, velocity, load, voltage, temperature and alarms of all motors."""
    arm.hand('elbow_flex', 1500)
    before_ns = time.monotonic_ns()
    states = bus.read_state()
    assert tuple(states) == NAMES
    elbow = states['elbow_flex']
    assert elbow.position_raw == 1500
    assert (elbow.voltage, elbow.temperature, elbow.error) == (7.4, 30, 0)
    assert before_ns < elbow.stamp_ns < time.monotonic_ns()


def test_negative_velocity_and_load_are_signed(bus: FeetechBus, arm: SimArm) -> None:
    """A joint that moves down reports a negative velocity."""
    for name, value in (('goal_position', 2048), ('torque_enable', 1), ('goal_position', 1100)):
        bus.write('elbow_flex', name, value, verify=False)
    assert arm.wait_until(lambda: bus.read_state()['elbow_flex'].velocity_raw < -100)


def test_goals_arrive_at_every_motor(bus: FeetechBus, arm: SimArm) -> None:
    """One sync write sets all goals, negative ones too."""
    goals = {name: 2000 + index for index, name in enumerate(NAMES)} | {'wrist_roll': -5}
    bus.write_goals(goals)
    assert arm.wait_until(lambda: arm.registers('goal_position') == goals)


def test_a_lost_reply_is_asked_for_again(bus: FeetechBus, arm: SimArm) -> None:
    """One lost and one corrupt reply cost counters, not a reading."""
    bus.read_state()
    arm.faults.add(Action.DROP, ids=[2], count=1)
    arm.faults.add(Action.CORRUPT, ids=[5], count=1)
    assert tuple(bus.read_state()) == NAMES
    assert bus.counters.missing_replies >= 2
    assert bus.motor_counters['shoulder_lift'].misses_in_a_row == 0


@pytest.mark.parametrize('action', [
    Action.DUPLICATE, Action.NOISE, Action.TRUNCATE, Action.WRONG_ID, Action.CORRUPT])
def test_noise_never_shows_in_the_state(
    bus: FeetechBus, arm: SimArm, action: Action,
) -> None:
    """With every tenth reply disturbed the readings stay true and within the deadline."""
    bus.read_state()
    expected = arm.registers('present_position')
    arm.faults.add(action, probability=0.1)
    complete = late = 0
    for _ in range(100):
        start = time.monotonic()
        states = bus.read_state()
        late += time.monotonic() - start > CYCLE_S
        assert all(abs(states[name].position_raw - expected[name]) <= 1 for name in states)
        complete += len(states) == len(NAMES)
    assert complete >= 90 and late <= 2
    assert arm.faults.fired[action] > 20


def test_a_silent_motor_leaves_the_others_readable(bus: FeetechBus, arm: SimArm) -> None:
    """Five motors are read at full rate while one is silent, and the sixth comes back."""
    bus.read_state()
    arm.bus.silence('gripper')
    for _ in range(5):
        bus.read_state()
    complete, times = 0, []
    for _ in range(40):
        start = time.monotonic()
        states = bus.read_state()
        times.append(time.monotonic() - start)
        assert 'gripper' not in states
        complete += tuple(states) == NAMES[:5]
    assert complete > 30
    assert sorted(times)[20] < 0.02
    arm.bus.restore('gripper')
    assert any(len(bus.read_state()) == len(NAMES) for _ in range(45))


def test_no_answer_at_all_is_an_empty_state_within_the_deadline(
    bus: FeetechBus, arm: SimArm,
) -> None:
    """A dead supply gives no readings, in time, and no exception."""
    bus.read_state()
    arm.bus.break_chain(1)
    assert arm.wait_until(lambda: bus.read_state() == {})
    start = time.monotonic()
    assert bus.read_state() == {}
    assert time.monotonic() - start < CYCLE_S


def test_asking_silent_motors_again_is_part_of_the_deadline(
    bus: FeetechBus, arm: SimArm, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A read in which present motors fail and silent ones are asked too plans to end in time."""
    planned: list[tuple[tuple[int, ...], int]] = []
    read = bus._reader.read

    def recorded(
        idents: tuple[int, ...], address: int, count: int, ends_ns: int,
    ) -> dict[int, tuple[int, bytes]]:
        planned.append((idents, ends_ns - start_ns))
        return read(idents, address, count, ends_ns)

    monkeypatch.setattr(bus._reader, 'read', recorded)
    start_ns = time.monotonic_ns()
    bus.read_state()
    arm.bus.silence('gripper')
    for cycle in range(80):
        # Every third read fails, so that sooner or later one asks the silent motor as well.
        arm.bus.break_chain(1) if cycle % 3 == 2 else arm.bus.mend_chain()
        start_ns = time.monotonic_ns()
        bus.read_state()
    assert any(idents == (6,) and late_ns > 30e6 for idents, late_ns in planned)
    assert max(late_ns for _, late_ns in planned) < 46e6


def test_an_implausible_step_is_read_again(bus: FeetechBus, arm: SimArm) -> None:
    """A jump of a joint is believed after a second reading, and counted."""
    bus.read_state()
    arm.hand('wrist_flex', 1200)
    assert arm.wait_until(lambda: bus.read_state()['wrist_flex'].position_raw == 1200)
    assert bus.counters.implausible == 1
    assert bus.motor_counters['wrist_flex'].implausible == 1


def test_alarms_are_state_not_failure(bus: FeetechBus, arm: SimArm) -> None:
    """A motor with an alarm is read and written as any other."""
    arm.faults.add(Action.ALARM, ids=[6], value=0x20, count=1)
    bus.ping('gripper')
    assert bus.read_state()['gripper'].error == 0x20
    assert bus.write('gripper', 'torque_enable', 1)
    assert bus.read('gripper', 'torque_enable') == 1
    bus.read_state()
    assert bus.motor_counters['gripper'].alarms == 1
    assert bus.motor_counters['gripper'].error == 0x20


def test_eeprom_is_written_only_when_it_differs(bus: FeetechBus, arm: SimArm) -> None:
    """An equal value costs no write; another one survives a power cycle, locked again."""
    arm.set('gripper', 'lock', 1)
    arm.taps.clear()
    assert not bus.write('gripper', 'position_p', 16)
    assert arm.taps.of(TapKind.WRITE) == []
    assert bus.write('gripper', 'position_p', 18)
    assert arm.register('gripper', 'lock') == 1
    arm.power_cycle('gripper')
    assert bus.read('gripper', 'position_p') == 18


def test_signed_registers_round_trip(bus: FeetechBus) -> None:
    """A negative homing offset is written and read back."""
    bus.write('elbow_flex', 'homing_offset', -100)
    assert bus.read('elbow_flex', 'homing_offset') == -100


def test_a_lost_acknowledgement_does_not_fail_a_verified_write(
    bus: FeetechBus, arm: SimArm,
) -> None:
    """A write whose replies are all lost counts when the register reads back right."""
    arm.faults.add(Action.DROP, ids=[1], instructions=[Instruction.WRITE])
    assert bus.write('shoulder_pan', 'acceleration', 99)
    assert arm.register('shoulder_pan', 'acceleration') == 99


def test_a_silent_motor_fails_a_read_and_a_write_in_time(
    bus: FeetechBus, arm: SimArm,
) -> None:
    """Single transactions with a silent motor end in an error that names it."""
    arm.bus.silence('wrist_flex')
    start = time.monotonic()
    with pytest.raises(TransactionError, match=r'wrist_flex \(id 4\)') as caught:
        bus.read('wrist_flex', 'lock')
    assert time.monotonic() - start < CYCLE_S
    assert caught.value.ids == (4,)
    with pytest.raises(TransactionError, match='acceleration'):
        bus.write('wrist_flex', 'acceleration', 3)
    assert not bus.ping('wrist_flex')
    assert bus.ping('gripper')


@pytest.mark.parametrize('name, register, value, text', [
    ('elbow', 'lock', 0, 'no motor'),
    ('gripper', 'locks', 0, 'no register'),
    ('gripper', 'present_position', 0, 'cannot be written'),
    ('gripper', 'id', 7, 'cannot be written'),
    ('gripper', 'torque_limit', 1001, 'torque_limit'),
])
def test_impossible_writes_are_refused(
    bus: FeetechBus, name: str, register: str, value: int, text: str,
) -> None:
    """A wrong name, a read-only register and a value out of range never reach the wire."""
    before = bus.counters.exchanges
    with pytest.raises(ValueError, match=text):
        bus.write(name, register, value)
    assert bus.counters.exchanges == before


def test_several_motors_are_read_at_once(bus: FeetechBus, arm: SimArm) -> None:
    """A register of all motors comes in one exchange; a silent one is left out."""
    arm.bus.silence('elbow_flex')
    values = bus.read_many('max_position_limit')
    assert values['gripper'] == 2673
    assert 'elbow_flex' not in values and len(values) == 5


def test_eeprom_is_not_written_to_several_motors_at_once(bus: FeetechBus) -> None:
    """A group write is unconfirmed, so it takes RAM registers only."""
    with pytest.raises(ValueError, match='several motors'):
        bus.write_many('position_p', {'gripper': 1})


def test_unplug_and_replug(bus: FeetechBus, arm: SimArm) -> None:
    """The loss raises at once; reopening fails until the port is back, then all is as before."""
    bus.read_state()
    arm.unplug()
    with pytest.raises(PortLost):
        bus.read_state()
    assert not bus.is_open
    with pytest.raises(PortError, match='no serial port'):
        bus.reopen()
    with pytest.raises(PortLost, match='not open'):
        bus.write_goals({'gripper': 2000})
    arm.replug()
    bus.reopen()
    assert tuple(bus.read_state()) == NAMES
    assert bus.counters.reopened == 1


def test_an_scs_bus_is_big_endian_without_sync_read(tmp_path: Path) -> None:
    """SCS servos are read one by one, their values high byte first."""
    with servo_bus(chain('scs0009:1,scs0009:2'), tmp_path / 'hand') as hand:
        bus = FeetechBus(hand.port, {'a': Motor(1, 'scs0009'), 'b': Motor(2, 'scs0009')})
        bus.open()
        assert bus.handshake(1.0).motors['b'].model == 'scs0009'
        bus.write_goals({'a': 300, 'b': 700})
        assert hand.wait_until(lambda: hand.register('servo_2', 'goal_position') == 700)
        assert hand.register('servo_1', 'goal_position') == 300
        assert {name: state.position_raw for name, state in bus.read_state().items()} == {
            'a': hand.register('servo_1', 'present_position'),
            'b': hand.register('servo_2', 'present_position')}
        assert bus.read_many('goal_position') == {'a': 300, 'b': 700}
        assert bus.release(ramp_s=0.1) == ()
        bus.close()


@pytest.mark.parametrize('motors, text', [
    ({}, 'at least one'),
    ({'a': Motor(1), 'b': Motor(1)}, 'a and b have the same id 1'),
    ({'a': Motor(1, 'xl330')}, "unknown model 'xl330'.*sts3215"),
    ({'a': Motor(254)}, 'outside'),
    ({'a': Motor(1), 'b': Motor(2, 'scs0009')}, 'byte orders'),
])
def test_impossible_buses_are_refused(motors: dict[str, Motor], text: str) -> None:
    """Motors that cannot be on one bus are an error before a port is opened."""
    with pytest.raises(ValueError, match=text):
        FeetechBus('/dev/null', motors)


def test_ids_come_in_bus_order() -> None:
    """Ids stand in the order of the motors."""
    assert FeetechBus('x', MOTORS).ids == (1, 2, 3, 4, 5, 6)
