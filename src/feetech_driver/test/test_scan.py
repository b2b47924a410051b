# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A scan finds motors in any state, and two motors with one id are not taken for one."""

from __future__ import annotations

import os
from pathlib import Path
import threading

from apprentice_sim.faults import Action
from apprentice_sim.presets import chain
from apprentice_sim.registers import BAUD_RATES
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
from apprentice_sim.testing import servo_bus
from conftest import Line
from feetech_driver.errors import PortLost
from feetech_driver.port import DeadlinePort
from feetech_driver.scan import describe
from feetech_driver.scan import meet
from feetech_driver.scan import scan
from feetech_driver.scan import scan_port
from feetech_driver.scan_probe import Probe
import pytest

pytestmark = pytest.mark.timeout(60)


def test_motors_of_every_rate_are_described(tmp_path: Path) -> None:
    """One motor at each of the servo's rates: id, rate, model and state of all are found."""
    described = ','.join(f'sts3215:{index + 1}@{rate}' for index, rate in enumerate(BAUD_RATES))
    with servo_bus(chain(described), tmp_path / 'bus') as bus:
        result = scan_port(bus.port)
    assert [(motor.id, motor.baud) for motor in result.motors] == [
        (index + 1, rate) for index, rate in enumerate(BAUD_RATES)]
    assert {(m.model, m.firmware, m.voltage, m.temperature, m.errors) for m in result.motors} == {
        ('sts3215', (3, 10), 7.4, 30, ())}
    assert result.garbled == ()


@pytest.mark.parametrize(('seed', 'baud'), [(0, 1_000_000), (1, 57_600)])
def test_two_motors_of_one_id_are_not_one(tmp_path: Path, seed: int, baud: int) -> None:
    """Fresh motors that say the same at nearly the same time are told apart from one."""
    twins = chain(f'sts3215:1@{baud},sts3215:1@{baud}')
    with servo_bus(twins, tmp_path / 'bus', seed=seed) as bus:
        port = DeadlinePort(bus.port, baud)
        port.open()
        motor = meet(Probe(port), 1, baud)
        port.close()
    assert motor is not None and motor.duplicated
    assert motor.errors == ('two or more motors answer under this id',)
    assert str(motor) == f'id 1 at {baud} baud, two or more motors answer under this id'


def test_a_collision_is_found_by_the_scan(tmp_path: Path) -> None:
    """The motor beside the two is described as ever."""
    with servo_bus(chain('sts3215:1,sts3215:1,sts3215:4'), tmp_path / 'bus') as bus:
        motors = scan_port(bus.port).motors
    assert [(motor.id, motor.duplicated) for motor in motors] == [(1, True), (4, False)]


def test_noise_does_not_make_two_of_one(tmp_path: Path) -> None:
    """A line that spoils every seventh reply still shows one motor at each id."""
    with servo_bus(chain('sts3215:1,sts3215:6'), tmp_path / 'bus') as bus:
        bus.faults.add(Action.CORRUPT, probability=0.1)
        bus.faults.add(Action.NOISE, probability=0.05)
        port = DeadlinePort(bus.port)
        port.open()
        met = [meet(Probe(port), ident, 1_000_000) for _ in range(3) for ident in (1, 6)]
        port.close()
    assert [(m.id, m.model, m.duplicated) for m in met if m] == [
        (1, 'sts3215', False), (6, 'sts3215', False)] * 3


def test_an_echo_is_no_motor(tmp_path: Path) -> None:
    """An adapter that repeats what is sent adds nobody and hides nobody."""
    with servo_bus(chain('sts3215:3'), tmp_path / 'bus', echo=True) as bus:
        result = scan_port(bus.port)
    assert [(motor.id, motor.duplicated) for motor in result.motors] == [(3, False)]
    assert result.garbled == ()


def test_alarms_and_supply_are_told(tmp_path: Path) -> None:
    """What the motor complains of is in words; an unknown model has its number."""
    odd = chain('sts3215:7')[0]
    odd.set('model_number', 4321)
    odd.voltage_v = 4.1
    odd.force_alarm(0x20)
    with servo_bus([odd], tmp_path / 'bus') as bus:
        motor, = scan_port(bus.port).motors
    assert (motor.model, motor.voltage) == ('unknown model 4321', 4.1)
    assert 'overload' in motor.errors and '4.1 V' in str(motor)


def test_scs_servos_are_found_when_thorough(tmp_path: Path) -> None:
    """A servo that ignores the ping to all is asked by id, its bytes read the other way."""
    with servo_bus(chain('scs0009:1@500000'), tmp_path / 'bus') as bus:
        port = DeadlinePort(bus.port)
        port.open()
        assert scan(port, rates=(1_000_000, 500_000)).motors == ()
        motor, = scan(port, thorough=True, rates=(1_000_000, 500_000)).motors
        assert port.baudrate == 1_000_000
        port.close()
    assert (motor.id, motor.baud, motor.model) == (1, 500_000, 'scs0009')


def test_silence_is_explained(line: Line) -> None:
    """Without an answer the supply comes first among the reasons."""
    result = scan_port(line.path)
    assert result.motors == ()
    assert 'Is the motor supply on' in describe(result)


def test_a_device_that_is_no_motor_is_told(line: Line) -> None:
    """Bytes that are no reply are reported with the rates at which they came."""
    def babble() -> None:
        while os.read(line.far, 4096) != b'end':
            os.write(line.far, b'$GPGGA,,*00\r\n')

    talker = threading.Thread(target=babble, daemon=True)
    talker.start()
    result = scan_port(line.path)
    port = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    os.write(port, b'end')
    talker.join(10.0)
    os.close(port)
    assert result.motors == () and 1_000_000 in result.garbled
    assert 'something answers at' in describe(result)


def test_a_port_that_vanishes_ends_the_scan(tmp_path: Path) -> None:
    """Unplugged in the middle, the error says so."""
    with servo_bus([Servo(STS3215, 1, 'motor')], tmp_path / 'bus') as bus:
        bus.faults.add(Action.UNPLUG, skip=4, count=1)
        with pytest.raises(PortLost, match='went away'):
            scan_port(bus.port)
