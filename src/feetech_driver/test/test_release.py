# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The release lowers torque over a second, then switches every motor off."""

from __future__ import annotations

import time

from apprentice_sim.faults import Action
from apprentice_sim.frames import Instruction
from apprentice_sim.taps import TapKind
from apprentice_sim.testing import SimArm
from conftest import NAMES
from feetech_driver.bus import FeetechBus


def hold(bus: FeetechBus) -> None:
    bus.write_many('torque_enable', dict.fromkeys(NAMES, 1))
    assert set(bus.read_many('torque_enable').values()) == {1}


def test_torque_fades_over_a_second_and_is_off_on_all(bus: FeetechBus, arm: SimArm) -> None:
    """The torque limit falls in small steps to 0, then torque goes off and the limit back."""
    hold(bus)
    arm.taps.clear()
    start = time.monotonic()
    assert bus.release() == ()
    assert 1.0 <= time.monotonic() - start < 2.0
    assert set(arm.registers('torque_enable').values()) == {0}
    taps = [tap for tap in arm.taps.events if tap.name == 'gripper']
    off = next(index for index, tap in enumerate(taps) if tap.kind is TapKind.TORQUE)
    limits = [tap.value for tap in taps[:off] if tap.address == 48]
    assert limits[-1] == 0 and len(limits) > 20
    assert limits == sorted(limits, reverse=True)
    assert max(high - low for high, low in zip(limits, limits[1:])) < 250
    assert arm.wait_until(lambda: arm.register('gripper', 'torque_limit') == 500)
    assert arm.wait_until(lambda: arm.register('elbow_flex', 'torque_limit') == 1000)


def test_a_silent_motor_does_not_keep_the_others_powered(bus: FeetechBus, arm: SimArm) -> None:
    """The motor that fails is named, all others are off, within four seconds."""
    hold(bus)
    arm.bus.silence('shoulder_pan')
    start = time.monotonic()
    assert bus.release() == ('shoulder_pan',)
    assert time.monotonic() - start < 4.0
    registers = arm.registers('torque_enable')
    assert registers.pop('shoulder_pan') == 1
    assert set(registers.values()) == {0}


def test_lost_and_corrupt_packets_do_not_stop_it(bus: FeetechBus, arm: SimArm) -> None:
    """With a third of the requests and replies lost every motor is still switched off."""
    hold(bus)
    arm.faults.add(Action.LOSE_REQUEST, probability=0.3)
    arm.faults.add(Action.CORRUPT, probability=0.3)
    bus.release(ramp_s=0.1)
    assert set(arm.registers('torque_enable').values()) == {0}


def test_every_motor_is_asked_again_until_it_is_off(bus: FeetechBus, arm: SimArm) -> None:
    """When a whole round of switching off is lost, the next round does it."""
    hold(bus)
    arm.faults.add(Action.LOSE_REQUEST, address=40, count=1 + 2 * len(NAMES))
    assert bus.release(ramp_s=0.1) == ()
    assert set(arm.registers('torque_enable').values()) == {0}


def test_an_overloaded_motor_is_switched_off(bus: FeetechBus, arm: SimArm) -> None:
    """Alarm bits in the replies do not count as failure."""
    hold(bus)
    arm.faults.add(Action.ALARM, value=0x20, count=1)
    assert bus.release(ramp_s=0.1) == ()
    assert set(arm.registers('torque_enable').values()) == {0}


def test_no_acknowledgements_are_needed(bus: FeetechBus, arm: SimArm) -> None:
    """Servos set to answer reads only are confirmed by reading back."""
    hold(bus)
    arm.faults.add(Action.DROP, instructions=[Instruction.WRITE])
    assert bus.release(ramp_s=0.1) == ()


def test_an_unplugged_port_fails_all_at_once(bus: FeetechBus, arm: SimArm) -> None:
    """Without a port nobody is confirmed, and nothing is raised."""
    arm.unplug()
    assert bus.release() == NAMES
    bus.close()
    assert bus.release() == NAMES
