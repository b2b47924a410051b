# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The handshake tells the user which motor is wrong, and what to do about it."""

from __future__ import annotations

from pathlib import Path
import threading
from typing import Iterator

from apprentice_sim.faults import Action
from apprentice_sim.presets import chain
from apprentice_sim.presets import so_arm
from apprentice_sim.registers import SM8512BL
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
from apprentice_sim.testing import servo_bus
from apprentice_sim.testing import SimArm
from conftest import MOTORS
from feetech_driver.bus import FeetechBus
from feetech_driver.bus import HandshakeError
import pytest

SHORT_S = 0.1


@pytest.fixture
def opened() -> Iterator[list[FeetechBus]]:
    """Close the buses that a test opened."""
    buses: list[FeetechBus] = []
    yield buses
    for bus in buses:
        bus.close()


def connect(arm: SimArm, opened: list[FeetechBus]) -> FeetechBus:
    bus = FeetechBus(arm.port, MOTORS)
    opened.append(bus)
    bus.open()
    return bus


def test_the_motors_are_described(bus: FeetechBus) -> None:
    """A right bus gives model, firmware and voltage of each motor, without warnings."""
    info = bus.handshake(SHORT_S)
    gripper = info.motors['gripper']
    assert (gripper.id, gripper.model, gripper.firmware) == (6, 'sts3215', (3, 10))
    assert gripper.voltage == pytest.approx(7.4)
    assert info.warnings == ()


def test_a_broken_chain_is_located(bus: FeetechBus, arm: SimArm) -> None:
    """When all ids from 4 on are silent the cable between 3 and 4 is named."""
    arm.bus.break_chain(4)
    with pytest.raises(HandshakeError) as caught:
        bus.handshake(SHORT_S)
    text = str(caught.value)
    assert caught.value.missing == (4, 5, 6)
    assert '3 of 6 motors answered' in text
    assert 'id 3 elbow_flex: sts3215, firmware 3.10, 7.4 V' in text
    assert 'id 4 wrist_flex: silent' in text
    assert 'broken between id 3 (elbow_flex) and id 4 (wrist_flex)' in text


def test_one_silent_motor_is_named(bus: FeetechBus, arm: SimArm) -> None:
    """A hole in the chain is not taken for a break."""
    arm.bus.silence('elbow_flex')
    with pytest.raises(HandshakeError, match=r'cable of id 3 \(elbow_flex\)') as caught:
        bus.handshake(SHORT_S)
    assert caught.value.missing == (3,)


def test_a_dead_supply_is_suspected(bus: FeetechBus, arm: SimArm) -> None:
    """When nobody answers, supply, port and baud rate are what to check."""
    arm.bus.break_chain(1)
    with pytest.raises(HandshakeError, match='supply on'):
        bus.handshake(SHORT_S)


def test_motors_at_another_baud_rate_are_found(
    tmp_path: Path, opened: list[FeetechBus],
) -> None:
    """When nobody answers, other rates are tried, and the port is left at the configured one."""
    servos = so_arm('follower')
    for servo in servos:
        servo.set('baud_rate', 4)
    with servo_bus(servos, tmp_path / 'arm') as arm:
        bus = connect(arm, opened)
        with pytest.raises(HandshakeError, match='at 115200 baud: ids 1, 2, 3, 4, 5, 6'):
            bus.handshake(SHORT_S)
        assert bus.port.getBaudRate() == 1_000_000


def test_a_motor_with_another_id_is_shown(
    tmp_path: Path, opened: list[FeetechBus],
) -> None:
    """A factory-fresh or mis-set motor shows up in the list of other ids."""
    servos = so_arm('follower')
    servos[2].set('id', 17)
    with servo_bus(servos, tmp_path / 'arm') as arm:
        with pytest.raises(HandshakeError, match='Also on the bus: ids 17') as caught:
            connect(arm, opened).handshake(SHORT_S)
        assert caught.value.missing == (3,)


def test_a_wrong_model_is_refused(tmp_path: Path, opened: list[FeetechBus]) -> None:
    """Another model under an expected id names both models."""
    servos = so_arm('follower')
    servos[1] = Servo(SM8512BL, 2, 'other')
    with servo_bus(servos, tmp_path / 'arm') as arm:
        with pytest.raises(HandshakeError, match='sm8512bl.* expected sts3215') as caught:
            connect(arm, opened).handshake(SHORT_S)
        assert caught.value.wrong_model == (2,)
        assert caught.value.missing == ()


def test_two_motors_with_one_id_are_found(tmp_path: Path, opened: list[FeetechBus]) -> None:
    """Replies that collide every time mean two motors, not a missing one."""
    servos = [*so_arm('follower'), Servo(STS3215, 4, 'twin')]
    with servo_bus(servos, tmp_path / 'arm') as arm:
        with pytest.raises(HandshakeError, match='Two or more motors have id 4') as caught:
            connect(arm, opened).handshake(SHORT_S)
        assert caught.value.duplicated == (4,)
        assert caught.value.missing == ()


def test_noise_is_not_taken_for_two_motors(bus: FeetechBus, arm: SimArm) -> None:
    """Single disturbed replies do not fail a handshake."""
    arm.faults.add(Action.CORRUPT, probability=0.1)
    arm.faults.add(Action.NOISE, probability=0.05)
    for _ in range(3):
        bus.handshake(1.0)


def test_motors_that_boot_late_are_waited_for(bus: FeetechBus, arm: SimArm) -> None:
    """USB is there before the motors: the handshake waits for them."""
    arm.bus.break_chain(1)
    timer = threading.Timer(0.3, arm.bus.mend_chain)
    timer.start()
    assert len(bus.handshake(5.0).motors) == 6
    timer.join()


def test_unequal_and_old_firmware_warn(tmp_path: Path, opened: list[FeetechBus]) -> None:
    """Firmware is a warning with the versions, never a refusal."""
    servos = so_arm('follower')
    servos[5].set('firmware_minor', 9)
    with servo_bus(servos, tmp_path / 'arm') as arm:
        different, old = connect(arm, opened).handshake(1.0).warnings
        assert 'gripper 3.9' in different and 'wrist_roll 3.10' in different
        assert 'older than 3.10' in old


def test_an_echoing_adapter_is_used(tmp_path: Path, opened: list[FeetechBus]) -> None:
    """An adapter that repeats requests is noticed, and everything works on it."""
    with servo_bus(so_arm('follower'), tmp_path / 'arm', echo=True) as arm:
        bus = connect(arm, opened)
        assert any('echo' in warning for warning in bus.handshake(1.0).warnings)
        assert bus.read('gripper', 'present_position') == 2048
        assert bus.write('gripper', 'acceleration', 5)
        assert bus.ping('gripper') and len(bus.read_state()) == 6
        arm.bus.silence('gripper')
        assert not bus.ping('gripper')


def test_a_fresh_bus_of_another_family_is_silent(
    tmp_path: Path, opened: list[FeetechBus],
) -> None:
    """SCS servos with other ids are reported as missing motors."""
    with servo_bus(chain('scs0009:9'), tmp_path / 'hand') as hand:
        with pytest.raises(HandshakeError, match='0 of 6'):
            connect(hand, opened).handshake(SHORT_S)
