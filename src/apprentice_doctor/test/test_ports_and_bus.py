# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Ports that others have, and motors that answer with something wrong."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from apprentice_doctor import bus
from apprentice_doctor.robot import Arm
from apprentice_doctor.robot import Question
from apprentice_doctor.robot import Robot
from apprentice_sim.faults import Action
from apprentice_sim.presets import so_arm
from apprentice_sim.registers import STS3215
from apprentice_sim.servo import Servo
from apprentice_sim.testing import servo_bus
from doctor_stage import end
from doctor_stage import examine
from doctor_stage import seen
from doctor_stage import Stage
from doctor_stage import write_calibration
from doctor_stage import write_hardware
from feetech_driver.connection import make_bus
import pytest

pytestmark = pytest.mark.timeout(120)
PORTS = ('--only', 'ports')
BUS = ('--only', 'bus')
# As a terminal program does, which opens a port, and as one that also locks it.
OPENS = 'import fcntl, os, sys; port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); '
LOCKS = OPENS + 'fcntl.flock(port, fcntl.LOCK_EX); '
WAITS = 'print(flush=True); sys.stdin.read()'


@pytest.fixture
def line() -> Iterator[str]:
    """Give a port on which nothing answers."""
    far, near = os.openpty()
    yield os.ttyname(near)
    os.close(near)
    os.close(far)


@contextmanager
def holding(port: str, code: str = OPENS) -> Iterator[int]:
    """Have another program open a port; give its process id."""
    process = subprocess.Popen([sys.executable, '-c', code + WAITS, port], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline()
        yield process.pid
    finally:
        end(process)


def test_one_arm_without_a_port_is_told(line: str, capsys: Any, tmp_path: Path) -> None:
    """The leader was forgotten; the follower's port is free."""
    hardware = write_hardware(tmp_path / 'h.yaml', follower=(line, tmp_path / 'none.json'))
    code, found = examine(capsys, hardware, *PORTS)
    assert code == 0 and found['port-not-configured']['level'] == 'WARN'
    assert 'no port for leader' in found['port-not-configured']['what']
    assert found['port-free']['where'] == f'follower, {line}'


def test_two_names_of_one_port_are_found_out(line: str, capsys: Any, tmp_path: Path) -> None:
    """A link and what it leads to are the same port."""
    link = tmp_path / 'link'
    link.symlink_to(line)
    none = tmp_path / 'none.json'
    hardware = write_hardware(tmp_path / 'h.yaml', leader=(line, none), follower=(str(link), none))
    finding = seen(capsys, hardware, 'port-twice', *PORTS)
    assert finding['level'] == 'ERROR' and 'leader and follower' in finding['what']


def test_a_port_name_that_may_move_is_told(capsys: Any, tmp_path: Path) -> None:
    """The kernel numbers ports by the order of plugging; any terminal of the host shows it."""
    hardware = write_hardware(tmp_path / 'h.yaml', follower=('/dev/tty', tmp_path / 'none.json'))
    finding = seen(capsys, hardware, 'unstable-name', *PORTS)
    assert finding['level'] == 'WARN' and '/dev/serial/by-id' in finding['expected']


def test_other_programs_on_a_port_are_named(line: str, capsys: Any, tmp_path: Path) -> None:
    """One is to be stopped, and its lock keeps the bus from being read; two are worse."""
    hardware = write_hardware(tmp_path / 'h.yaml', follower=(line, tmp_path / 'none.json'))
    with holding(line, LOCKS) as first:
        _code, found = examine(capsys, hardware, *PORTS, *BUS)
        assert found['port-held']['level'] == 'ERROR'
        assert found['port-held']['cure'].endswith(f'kill {first}')
        assert found['bus-not-read']['level'] == 'ERROR'
        assert f'in use by process {first}' in found['bus-not-read']['found']
        with holding(line) as second:
            finding = seen(capsys, hardware, 'port-shared', *PORTS)
    assert finding['level'] == 'ERROR'
    assert f'process {first} ' in finding['found'] and f'process {second} ' in finding['found']


def test_two_motors_of_one_id(stage: Stage, capsys: Any) -> None:
    """A motor that came with the factory id of another is named."""
    stage.arm.bus.attach(Servo(STS3215, 4, 'twin'))
    finding = seen(capsys, stage.hardware, 'duplicated-id', *BUS)
    assert finding['level'] == 'ERROR' and finding['what'].endswith('one id: 4')
    assert 'connect one at a time' in finding['cure']


def test_firmware_of_several_ages_behind_an_echo(tmp_path: Path, capsys: Any) -> None:
    """One motor is older than what is known to answer well; the adapter echoes, which is fine."""
    servos = so_arm('follower')
    servos[2].set('firmware_minor', 9)
    calibration = write_calibration(tmp_path / 'follower.json', 'follower')
    with servo_bus(servos, tmp_path / 'follower', echo=True) as arm:
        hardware = write_hardware(tmp_path / 'h.yaml', follower=(arm.port, calibration))
        _code, found = examine(capsys, hardware, *BUS)
    assert found['firmware-mix']['level'] == found['firmware-old']['level'] == 'WARN'
    assert 'elbow_flex 3.9' in found['firmware-mix']['what']
    assert found['echo']['level'] == 'OK' and 'all-well' not in found


def test_a_supply_that_is_too_weak(stage: Stage, capsys: Any) -> None:
    """The span is told, and the alarm that the motors raise themselves."""
    for servo in stage.arm.servos.values():
        servo.voltage_v = 3.8
    _code, found = examine(capsys, stage.hardware, *BUS)
    assert found['supply-voltage']['level'] == 'WARN'
    assert found['supply-voltage']['found'] == '3.8 to 3.8 V'
    assert 'voltage' in found['alarm']['found'] and 'motors' not in found


def test_a_motor_that_does_not_tell_its_torque(stage: Stage, capsys: Any) -> None:
    """What was not answered is not taken for off."""
    stage.arm.faults.add(Action.DROP, ids=[5], address=40)
    _code, found = examine(capsys, stage.hardware, *BUS)
    assert found['torque-unknown']['found'] == '5 of 6' and 'all-well' not in found


def test_a_cable_pulled_while_it_is_read(stage: Stage, capsys: Any) -> None:
    """One error, and no verdict on what was not read."""
    stage.arm.faults.add(Action.UNPLUG, address=56, skip=40, count=1)
    code, found = examine(capsys, stage.hardware, *BUS)
    assert code == 2 and 'unplugged' in found['bus-lost']['found']
    assert 'torque-off' not in found and 'all-well' not in found


def test_an_adapter_that_holds_answers_back(tmp_path: Path) -> None:
    """The number and the stable name of the port lead to the same timer."""
    device = tmp_path / 'sys/class/tty/ttyUSB7/device'
    device.mkdir(parents=True)
    (device / 'latency_timer').write_text('16\n')
    link = tmp_path / 'usb-arm'
    link.symlink_to('/dev/ttyUSB7')
    for port in ('/dev/ttyUSB7', str(link)):
        arm = Arm('follower', 'follower', port)
        question = Question(Robot(Path('h.yaml')), root=tmp_path)
        found = {item.name: item for item in bus.latency(make_bus(arm.config()), '', question)}
        assert found['latency-timer'].found == '16 ms'
        assert '/sys/bus/usb-serial/devices/ttyUSB7/' in found['latency-timer'].cure


def test_a_calibration_that_is_odd_of_a_motor_that_is_silent(stage: Stage, capsys: Any) -> None:
    """A range of 5 degrees is doubted; nothing is compared with a motor that does not answer."""
    write_calibration(stage.calibration, 'follower', range_min=2000, range_max=2060)
    stage.arm.bus.silence('gripper')
    code, found = examine(capsys, stage.hardware, '--only', 'calibration')
    assert code == 0 and found['calibration-odd']['level'] == 'WARN'
    assert 'joint gripper' in found['calibration-odd']['what']
    assert found['calibration-not-compared']['level'] == 'WARN'
    assert 'gripper' in found['calibration-not-compared']['found']
