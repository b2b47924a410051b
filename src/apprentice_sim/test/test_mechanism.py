# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Mounted servos: any horn angle, stops, mirrored ones, and the hand that leads them."""
from __future__ import annotations

from apprentice_sim.mechanism import calibration_of
from apprentice_sim.mechanism import MechanicHand
from apprentice_sim.mechanism import Mechanism
from apprentice_sim.mechanism import Mount
from apprentice_sim.presets import JointRegisters
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
import pytest


def mounted(mount: Mount, **settings: int) -> tuple[Servo, Mechanism]:
    servo = Servo(STS3215, 1, 'a', settings=settings)
    return servo, Mechanism({'a': servo}, {'a': mount})


def test_a_horn_shifts_what_the_host_reads() -> None:
    """Over the seam the reading starts again, with multi-turn feedback it does not."""
    servo, mechanism = mounted(Mount(4000, -1000, 1000))
    assert mechanism.put('a', 200.0, 1) and servo.present_position == 104
    servo.set('phase', 28)
    assert servo.present_position == 4200
    servo.set('homing_offset', -300)
    assert servo.present_position == 4500


def test_a_mirrored_servo_counts_backwards() -> None:
    """The joint goes up, the encoder goes down."""
    servo, mechanism = mounted(Mount(2000, -1000, 1000, mirrored=True))
    mechanism.put('a', 300.0, 1)
    assert servo.present_position == 1700


def test_stops_hold_and_torque_holds() -> None:
    """Beyond a stop nothing moves; a servo with torque does not move at all."""
    servo, mechanism = mounted(Mount(2000, -100, 150))
    mechanism.put('a', 900.0, 1)
    assert mechanism.angles['a'] == 150.0 and servo.present_position == 2150
    servo.set('torque_enable', 1)
    assert not mechanism.put('a', 0.0, 2) and servo.present_position == 2150


def test_a_hand_leads_at_its_speed() -> None:
    """It arrives when the way is covered, not before, pose by pose."""
    _, mechanism = mounted(Mount(0, -1000, 1000))
    hand = MechanicHand(mechanism, ticks_per_s=1000.0)
    hand.lead({'a': 100.0}, {'a': -50.0})
    hand.move(0)
    hand.move(50_000_000)
    assert mechanism.angles['a'] == pytest.approx(50.0) and not hand.done
    for millisecond in range(60, 400, 10):
        hand.move(millisecond * 1_000_000)
    assert hand.done and mechanism.angles['a'] == -50.0
    hand.lead({'a': 5000.0})
    for millisecond in range(400, 1600, 10):
        hand.move(millisecond * 1_000_000)
    assert hand.done and mechanism.angles['a'] == 1000.0


@pytest.mark.parametrize('mount, middle, right', [
    (Mount(2047, -1000, 1000), 0.0, JointRegisters(1, 0, 1047, 3047)),
    (Mount(0, -1000, 1000), 0.0, JointRegisters(1, -2047, 1047, 3047)),
    # Half a turn does not fit the register: a tick less, and everything reads a tick less.
    (Mount(4095, -1000, 1000), 0.0, JointRegisters(1, -2047, 1046, 3046)),
    (Mount(3000, -1000, 1000, mirrored=True), 100.0, JointRegisters(1, 853, 1147, 3147)),
    # Homed near a stop the range would leave the turn; it is put into its middle.
    (Mount(2047, -1500, 1500), 1000.0, JointRegisters(1, 0, 547, 3547)),
])
def test_the_reference_is_right(mount: Mount, middle: float, right: JointRegisters) -> None:
    """Calibrations that can be checked by hand."""
    assert calibration_of(1, mount, middle) == right
