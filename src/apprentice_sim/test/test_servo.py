# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One servo behaves as the sheet says: memory, offset, limits, modes, power."""
from __future__ import annotations

from apprentice_sim.registers import MODELS
from apprentice_sim.registers import SCS0009
from apprentice_sim.registers import ServoModel
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
import pytest

MS = 1_000_000
S = 1_000_000_000


def write(servo: Servo, register: str, value: int, now_ns: int = 0) -> None:
    """Write a register as the wire does."""
    entry = servo.model.table[register]
    raw = value
    if entry.sign_bit is not None and value < 0:
        raw = -value | 1 << entry.sign_bit
    servo.write(entry.address, raw.to_bytes(entry.size, servo.model.byte_order), now_ns)


def run(servo: Servo, start_ns: int, seconds: float) -> int:
    """Advance in 10 ms steps and return the time reached."""
    end_ns = start_ns + int(seconds * S)
    for now_ns in range(start_ns, end_ns + 1, 10 * MS):
        servo.advance(now_ns)
    return end_ns


def present(servo: Servo, now_ns: int) -> int:
    """Return the present position as read over the wire."""
    servo.read(56, 2, now_ns)
    return servo.get('present_position')


@pytest.mark.parametrize('model', MODELS.values(), ids=MODELS)
def test_control_tables_do_not_overlap(model: ServoModel) -> None:
    """No two registers of a model share a byte, and identity reads back."""
    taken = [r.address + i for r in model.registers for i in range(r.size)]
    assert len(taken) == len(set(taken)) and max(taken) < 128
    servo = Servo(model, 5)
    assert int.from_bytes(servo.read(3, 2, 0), model.byte_order) == model.number
    assert servo.read(5, 1, 0) == b'\x05'


def test_locked_eeprom_is_lost_at_power_cycle() -> None:
    """EEPROM written with Lock 1 reads back but does not persist; with Lock 0 it does."""
    servo = Servo(STS3215, 1)
    assert servo.get('lock') == 1
    write(servo, 'position_p', 16)
    assert servo.read(21, 1, 0) == b'\x10'
    servo.power_cycle(S)
    assert servo.get('position_p') == 32
    write(servo, 'lock', 0, 2 * S)
    write(servo, 'position_p', 16, 2 * S)
    servo.power_cycle(3 * S)
    assert servo.get('position_p') == 16
    assert servo.get('lock') == 1


def test_read_only_registers_stay() -> None:
    """Model number and present state cannot be written."""
    servo = Servo(STS3215, 1, present=1000)
    servo.write(3, b'\0\0', 0)
    servo.write(54, b'\1\0\xff\xff\xff', 0)
    assert servo.read(3, 2, 0) == b'\x09\x03'
    assert present(servo, 1) == 1000
    assert servo.get('lock') == 0


@pytest.mark.parametrize(('offset', 'reads'), [(0, 1000), (-100, 1100), (100, 900), (1500, 3596)])
def test_homing_offset_shifts_readings_at_once(offset: int, reads: int) -> None:
    """Present = actual - offset, wrapped to one turn."""
    servo = Servo(STS3215, 1, present=1000)
    write(servo, 'homing_offset', offset)
    assert present(servo, 0) == reads


def test_multi_turn_feedback_goes_negative() -> None:
    """With phase bit 4 the reading is not wrapped and the sign bit is used."""
    servo = Servo(STS3215, 1, present=50)
    write(servo, 'phase', servo.get('phase') | 0x10)
    write(servo, 'homing_offset', 100)
    assert servo.read(56, 2, 0) == b'\x32\x80'
    assert servo.get('present_position') == -50


def test_goal_is_reached_within_speed_and_acceleration() -> None:
    """A move neither exceeds the speed limit nor overshoots, and ends at the goal."""
    servo = Servo(STS3215, 1, present=1000)
    write(servo, 'acceleration', 50)
    write(servo, 'goal_velocity', 1000)
    write(servo, 'torque_enable', 1)
    write(servo, 'goal_position', 2000)
    seen = []
    for now_ns in range(0, 2 * S, 5 * MS):
        seen.append(present(servo, now_ns))
    speeds = [(b - a) / 0.005 for a, b in zip(seen, seen[1:])]
    assert max(speeds) <= 1000 + 200
    assert max(b - a for a, b in zip(speeds, speeds[1:])) <= 50 * 100 * 0.005 + 400
    assert seen == sorted(seen) and seen[-1] == 2000
    assert seen[20] < 1030, 'no jump in the first 100 ms'


def test_limits_hold_in_offset_coordinates() -> None:
    """Goals beyond the limits stop at them, a position beyond is driven into the range."""
    servo = Servo(STS3215, 1, present=3500, settings={
        'homing_offset': -120, 'min_position_limit': 1000, 'max_position_limit': 3000})
    write(servo, 'torque_enable', 1)
    now_ns = run(servo, 0, 1.0)
    assert present(servo, now_ns) == 3000
    write(servo, 'goal_position', 10, now_ns)
    now_ns = run(servo, now_ns, 2.0)
    assert present(servo, now_ns) == 1000
    assert servo.position == 880


def test_stale_goal_jumps_when_torque_comes_on() -> None:
    """A goal from before the hand moved the shaft is driven to as soon as torque is on."""
    servo = Servo(STS3215, 1, present=2000)
    write(servo, 'goal_position', 2000)
    assert servo.hand(1500, 10 * MS)
    now_ns = run(servo, 20 * MS, 1.0)
    assert present(servo, now_ns) == 1500
    write(servo, 'torque_enable', 1, now_ns)
    now_ns = run(servo, now_ns, 1.0)
    assert present(servo, now_ns) == 2000


def test_power_cycle_ends_torque_and_takes_the_present_as_goal() -> None:
    """After power-up torque is 0, the goal is the present position, limits are copied."""
    servo = Servo(STS3215, 1, present=2000, settings={'max_torque_limit': 500})
    write(servo, 'torque_enable', 1)
    write(servo, 'torque_limit', 100)
    write(servo, 'goal_position', 2600)
    now_ns = run(servo, 0, 1.0)
    servo.power_cycle(now_ns)
    assert (servo.get('torque_enable'), servo.get('torque_limit')) == (0, 500)
    assert servo.get('goal_position') == 2600
    assert servo.torque_on is False


def test_hand_moves_only_without_torque() -> None:
    """A hand cannot move a joint that holds."""
    servo = Servo(STS3215, 1, present=2000)
    assert servo.hand(2100, MS) and present(servo, 2 * MS) == 2100
    assert servo.hand(2110, 11 * MS)
    assert servo.velocity == pytest.approx(1000)
    write(servo, 'goal_position', 2110, 11 * MS)
    write(servo, 'torque_enable', 1, 12 * MS)
    assert not servo.hand(2000, 13 * MS)
    assert present(servo, 14 * MS) == 2110


def test_hand_crosses_the_seam_the_short_way() -> None:
    """From 4090 to 5 the shaft turns 11 ticks, not back round."""
    servo = Servo(STS3215, 1, present=4090)
    servo.hand(5, MS)
    assert servo.position == 4101
    assert present(servo, 2 * MS) == 5


def test_velocity_mode_turns_for_ever_and_wraps() -> None:
    """The servo has no command watchdog: a velocity stays until another is written."""
    servo = Servo(STS3215, 1, present=4000)
    write(servo, 'operating_mode', 1)
    write(servo, 'goal_velocity', -1000)
    write(servo, 'torque_enable', 1)
    now_ns = run(servo, 0, 10.0)
    assert present(servo, now_ns) == (4000 - 10_000) % 4096
    servo.read(58, 2, now_ns)
    assert servo.get('present_velocity') == -1000


def test_step_mode_moves_by_the_goal() -> None:
    """Each goal adds to where the last one led."""
    servo = Servo(STS3215, 1, present=2000)
    write(servo, 'operating_mode', 3)
    write(servo, 'torque_enable', 1)
    write(servo, 'goal_position', 100)
    write(servo, 'goal_position', -30)
    assert present(servo, run(servo, 0, 1.0)) == 2070


def test_torque_value_128_makes_here_the_middle() -> None:
    """Writing 128 sets the offset so that the present position reads 2048."""
    servo = Servo(STS3215, 1, present=700)
    write(servo, 'torque_enable', 128)
    assert present(servo, 0) == 2048
    assert (servo.get('homing_offset'), servo.get('torque_enable')) == (-1348, 0)


def test_offset_of_the_last_tick_stays_encodable() -> None:
    """Position 4095 wraps to an offset within 11 bits."""
    servo = Servo(STS3215, 1, present=4095)
    servo.define_present(2047)
    assert abs(servo.get('homing_offset')) <= 2047
    assert abs(present(servo, 0) - 2047) <= 1


def test_physics_replaces_the_motor() -> None:
    """Positions from physics are read as they are, offset applied, load and speed signed."""
    servo = Servo(STS3215, 1, settings={'homing_offset': -120})
    servo.set_actual(1000.4, -512.0, -0.25, MS)
    assert servo.read(56, 6, 2 * MS) == bytes.fromhex('60 04 00 82 FA 04')
    write(servo, 'torque_enable', 1, 3 * MS)
    write(servo, 'goal_position', 2000, 3 * MS)
    run(servo, 4 * MS, 0.5)
    assert present(servo, S) == 1120
    assert (servo.target_ticks, servo.torque_on, servo.torque_limit) == (1880, True, 1.0)


def test_scs_clamps_instead_of_wrapping() -> None:
    """A potentiometer servo reads 0..1023 and no more."""
    servo = Servo(SCS0009, 1, present=1000)
    servo.set_actual(1100.0, 0.0, 0.0, MS)
    assert servo.read(56, 2, 2 * MS) == b'\x03\xff'


def test_factory_reset_keeps_the_id() -> None:
    """All EEPROM goes back to factory values but the id."""
    servo = Servo(STS3215, 7, settings={'position_p': 16, 'homing_offset': 99})
    servo.factory_reset()
    servo.power_cycle(S)
    assert [servo.get(n) for n in ('id', 'position_p', 'homing_offset')] == [7, 32, 0]
