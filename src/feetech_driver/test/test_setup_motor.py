# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One motor gets its id from any state, and is refused where that would be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from apprentice_sim.faults import Action
from apprentice_sim.frames import Instruction
from apprentice_sim.presets import chain
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
from apprentice_sim.testing import servo_bus
from apprentice_sim.testing import SimArm
from feetech_driver.errors import BusError
from feetech_driver.errors import PortLost
from feetech_driver.port import DeadlinePort
from feetech_driver.scan import scan
from feetech_driver.setup_arms import ARMS
from feetech_driver.setup_motor import assign
from feetech_driver.setup_motor import Assigned
from feetech_driver.setup_motor import only_motor
from feetech_driver.setup_motor import SetupError
from feetech_driver.setup_motor import Wish
from feetech_driver.setup_run import assign_only
import pytest

pytestmark = pytest.mark.timeout(120)
GRIPPER = ARMS['so101_follower'].wish('gripper')
READY = {'id': 6, 'baud_rate': 0, 'return_delay': 0, 'response_level': 1, 'lock': 1,
         'torque_enable': 0}
BAUD, IDENT = 6, 5


def fresh(**settings: int) -> Servo:
    return Servo(STS3215, 1, 'motor', settings=settings)


def run(bus: SimArm, wish: Wish = GRIPPER) -> Assigned:
    """Do what a user's call does, but try only the rates that the motors of these tests have."""
    port = DeadlinePort(bus.port)
    port.open()
    try:
        return assign(port, only_motor(scan(port, rates=(1_000_000, 115_200)), wish), wish)
    finally:
        port.close()


def succeeds(bus: SimArm) -> bool:
    """Run, and tell whether it worked."""
    try:
        run(bus)
    except BusError:
        return False
    return True


def assert_ready(bus: SimArm) -> None:
    """Check that the registers are right, and still are when the supply was off."""
    for _ in range(2):
        assert {name: bus.register('motor', name) for name in READY} == READY
        bus.power_cycle()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SimArm]:
    """Serve one motor that is in no factory state: everything differs that can."""
    motor = fresh(id=200, baud_rate=4, return_delay=250, response_level=0, operating_mode=1,
                  min_position_limit=0, max_position_limit=0, phase=0x1C)
    with servo_bus([motor], tmp_path / 'bus') as bus:
        bus.set('motor', 'torque_enable', 1)
        yield bus


def test_a_motor_in_a_strange_state_is_set_up(slow: SimArm) -> None:
    """Wheel mode, torque on, mute to writes, id 200 at 115200 baud: all ends as it must."""
    assigned = run(slow)
    assert assigned.changes == (
        'return_delay 250 -> 0', 'response_level 0 -> 1', 'id 200 -> 6',
        'baud rate 115200 -> 1000000')
    assert (assigned.before.id, assigned.before.baud) == (200, 115_200)
    assert (assigned.after.id, assigned.after.baud, assigned.after.errors) == (6, 1_000_000, ())
    assert_ready(slow)


def test_a_motor_that_is_set_up_is_left_alone(slow: SimArm) -> None:
    """The second time nothing is written."""
    run(slow)
    slow.taps.clear()
    assert run(slow).changes == ()
    assert slow.taps.events == []


@pytest.mark.parametrize('action', [Action.DROP, Action.CORRUPT])
def test_a_bad_line_is_overcome(slow: SimArm, action: Action) -> None:
    """Every sixth exchange is lost, whichever, and few runs set the motor up nevertheless."""
    slow.faults.add(action, probability=0.15)
    assert any(succeeds(slow) for _ in range(4))
    slow.faults.clear()
    assert_ready(slow)


@pytest.mark.parametrize('register', [IDENT, BAUD])
@pytest.mark.parametrize('lost', [0, 1, 2])
def test_power_lost_within_a_write(slow: SimArm, register: int, lost: int) -> None:
    """New value, old value, or neither of two writes stored: the next run completes it."""
    slow.faults.add(
        Action.POWER_LOSS, instructions=[Instruction.WRITE], address=register, count=1,
        value=lost)
    try:
        run(slow)
    except BusError as error:
        assert 'again' in str(error) or 'Check' in str(error)
    assert slow.faults.fired[Action.POWER_LOSS] == 1
    slow.power_cycle()
    run(slow)
    assert_ready(slow)


@pytest.mark.parametrize(('ident', 'index'), [(6, 4), (200, 0)])
def test_half_done_motors_are_completed(slow: SimArm, ident: int, index: int) -> None:
    """New id at the old rate, old id at the new rate: where it stopped does not matter."""
    slow.set('motor', 'id', ident)
    slow.set('motor', 'baud_rate', index)
    run(slow)
    assert_ready(slow)


@pytest.mark.parametrize('writes', [0, 4, 5, 6])
def test_unplugged_in_the_middle(slow: SimArm, writes: int) -> None:
    """Pulled at the first write, that of id, rate or lock: a clear error; a run completes it."""
    slow.faults.add(
        Action.UNPLUG, instructions=[Instruction.WRITE], skip=writes, count=1)
    with pytest.raises(PortLost, match='went away'):
        run(slow)
    slow.replug()
    run(slow)
    assert_ready(slow)


@pytest.mark.parametrize(('servos', 'message'), [
    ('sts3215:1,sts3215:1', 'two or more motors answer as id 1 at 1000000 baud, and their '
     'replies collide. Connect the motor of gripper and no other'),
    ('sts3215:1,sts3215:2', r'2 motors answer \(id 1 at 1000000 baud, id 2 at 1000000 baud\)'),
    ('sts3215:1,sts3215:1@115200', r'2 motors answer .*id 1 at 115200 baud'),
    ('sm8512bl:1', 'is a sm8512bl, expected sts3215 for the motor of gripper'),
])
def test_a_wrong_bus_is_refused(tmp_path: Path, servos: str, message: str) -> None:
    """Nothing is written while more than one motor or a wrong one answers."""
    with servo_bus(chain(servos), tmp_path / 'bus') as bus:
        with pytest.raises(SetupError, match=message):
            run(bus)
        assert bus.taps.events == []


@pytest.mark.parametrize(('arm', 'volts', 'alarm', 'message'), [
    ('so101_follower', 4.2, 0, 'is 4.2 V, expected 4.5 to 13 V'),
    ('so101_follower', 14.1, 0, 'is 14.1 V'),
    ('so101_leader', 12.1, 0, 'is 12.1 V, expected 4.5 to 9 V'),
    ('so100_follower', 12.1, 1, 'itself says that its supply of 12.1 V is out'),
])
def test_a_wrong_supply_is_refused(
        tmp_path: Path, arm: str, volts: float, alarm: int, message: str) -> None:
    """Nothing is written under a supply that the arm, or the motor itself, does not take."""
    motor = fresh()
    motor.voltage_v = volts
    motor.force_alarm(alarm)
    with servo_bus([motor], tmp_path / 'bus') as bus:
        with pytest.raises(SetupError, match=message):
            run(bus, ARMS[arm].wish('gripper'))
        assert bus.taps.events == []


def test_a_motor_that_refuses_a_value_is_told(slow: SimArm) -> None:
    """A register that never takes its value is named, with what it reads."""
    slow.faults.add(Action.LOSE_REQUEST, instructions=[Instruction.WRITE], address=7)
    with pytest.raises(SetupError, match=r'does not take 0 for return_delay \(it reads 250\)'):
        run(slow)


def test_the_whole_call_finds_any_rate(tmp_path: Path) -> None:
    """The call that a node makes opens, scans, sets up, proves and closes."""
    with servo_bus([fresh(baud_rate=7)], tmp_path / 'bus') as bus:
        assigned = assign_only(bus.port, GRIPPER)
        assert (assigned.before.baud, assigned.after.baud) == (38_400, 1_000_000)
        assert_ready(bus)
        with pytest.raises(BusError, match='no motor answers at any baud rate'):
            bus.bus.detach('motor')
            run(bus)
