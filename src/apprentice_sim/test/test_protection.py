# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Overload, heat, current and voltage are noticed and acted on as the registers say."""
from __future__ import annotations

from apprentice_sim.protection import Alarm
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
import pytest

MS = 1_000_000
S = 1_000_000_000


def run(servo: Servo, start_ns: int, seconds: float) -> int:
    """Advance in 10 ms steps and return the time reached."""
    end_ns = start_ns + int(seconds * S)
    for now_ns in range(start_ns, end_ns + 1, 10 * MS):
        servo.advance(now_ns)
    return end_ns


def blocked_servo(**settings: int) -> Servo:
    """Return a servo that pushes from 2000 towards 3000 against a wall at 2300."""
    servo = Servo(STS3215, 6, present=2000, settings=settings)
    servo.block(high=2300)
    servo.advance(0)
    servo.write(40, b'\x01', 0)
    servo.write(42, (3000).to_bytes(2, 'little'), 0)
    return servo


def test_blocked_shaft_trips_overload_after_the_protection_time() -> None:
    """Two seconds above 80 % set bit 5 and cut the output to 20 %."""
    servo = blocked_servo(overcurrent_time=250)
    now_ns = run(servo, 0, 1.9)
    assert servo.alarm == 0
    assert servo.load == 1.0
    now_ns = run(servo, now_ns, 0.6)
    assert servo.alarm == Alarm.OVERLOAD
    assert servo.torque_limit == pytest.approx(0.2)
    assert servo.load == pytest.approx(0.2)
    assert servo.present_position == 2300
    servo.read(65, 1, now_ns)
    assert servo.get('status') == Alarm.OVERLOAD


def test_gripper_settings_trip_earlier() -> None:
    """With 50 % torque and 25 % overload the alarm comes at half torque."""
    servo = blocked_servo(max_torque_limit=500, overload_torque=25, protection_current=250)
    run(servo, 0, 1.5)
    assert servo.load == pytest.approx(0.5)
    run(servo, int(1.5 * S), 1.0)
    assert servo.alarm == Alarm.OVERLOAD


@pytest.mark.parametrize(('goal', 'clears'), [(2900, False), (2301, True), (1500, True)])
def test_overload_clears_with_a_goal_away_from_the_wall(goal: int, clears: bool) -> None:
    """Pushing on keeps the alarm, letting go or turning back clears it."""
    servo = blocked_servo(protection_current=2000)
    now_ns = run(servo, 0, 2.5)
    servo.write(42, goal.to_bytes(2, 'little'), now_ns)
    run(servo, now_ns, 0.1)
    assert (servo.alarm == 0) is clears


def test_overload_clears_when_torque_is_cycled() -> None:
    """Torque off ends the alarm at once."""
    servo = blocked_servo()
    now_ns = run(servo, 0, 3.0)
    assert servo.alarm & Alarm.OVERLOAD
    servo.write(40, b'\0', now_ns)
    assert servo.alarm & Alarm.OVERLOAD == 0


def test_overcurrent_releases_the_shaft() -> None:
    """Current above the protection value for its time sets bit 3 and drops the torque."""
    servo = blocked_servo(protection_current=250, protection_time=255)
    now_ns = run(servo, 0, 1.9)
    assert servo.torque_on
    run(servo, now_ns, 0.5)
    assert servo.alarm & Alarm.CURRENT
    assert not servo.torque_on


def test_heat_drops_torque_only_if_the_mask_says_so() -> None:
    """Above the limit bit 2 is set; the unloading mask decides about the torque."""
    for mask, holds in ((0x2C, False), (0x28, True)):
        servo = Servo(STS3215, 1, settings={'unloading_condition': mask})
        servo.write(40, b'\x01', 0)
        servo.temperature_c = servo.ambient_c = 71.0
        run(servo, 0, 0.1)
        assert servo.alarm == Alarm.HEAT
        assert servo.torque_on is holds
        servo.temperature_c = servo.ambient_c = 40.0
        run(servo, int(0.2 * S), 0.1)
        assert servo.alarm == 0 and servo.torque_on


def test_load_heats_the_servo() -> None:
    """Pushing against a wall for minutes raises the temperature register."""
    servo = blocked_servo(overload_torque=100, protection_current=2000)
    servo.thermal_time_s = 10.0
    now_ns = run(servo, 0, 1.9)
    servo.read(63, 1, now_ns)
    assert servo.get('present_temperature') >= 40


@pytest.mark.parametrize(('volts', 'alarm'), [(3.9, 1), (7.4, 0), (14.1, 1)])
def test_voltage_outside_its_window_is_reported(volts: float, alarm: int) -> None:
    """Bit 0 follows the supply, and the register shows it."""
    servo = Servo(STS3215, 1, voltage_v=volts)
    run(servo, 0, 0.1)
    assert servo.alarm == alarm
    assert servo.read(62, 1, S) == bytes((round(volts * 10),))


def test_torque_limit_zero_stops_driving() -> None:
    """The release ramp ends in a shaft that no longer moves to its goal."""
    servo = Servo(STS3215, 1, present=2000)
    servo.write(40, b'\x01', 0)
    servo.write(48, b'\0\0', 0)
    servo.write(42, (2500).to_bytes(2, 'little'), 0)
    run(servo, 0, 1.0)
    assert servo.present_position == 2000
