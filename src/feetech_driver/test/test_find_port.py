# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The program find_port: a table of who answers where, and the port that a pulled cable names."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import subprocess
import sys
import threading
import time

from apprentice_sim.presets import chain
from apprentice_sim.presets import so_arm
from apprentice_sim.testing import servo_bus
from apprentice_sim.testing import SimArm
from conftest import Line
from feetech_driver import port as port_module
from feetech_driver.devices import SerialDevice
from feetech_driver.find_port import main
from feetech_driver.find_port_survey import looks_like
from feetech_driver.find_port_survey import motors_text
from feetech_driver.find_port_survey import notes
from feetech_driver.find_port_survey import survey
from feetech_driver.scan import FoundMotor
import pytest

pytestmark = pytest.mark.timeout(60)
ADAPTER = SerialDevice(
    '/dev/ttyACM7', '/dev/serial/by-id/usb-1a86_USB_Single_Serial_58FA-if00', '1a86:55d3',
    '58FA', 'USB Single Serial')


def motor(ident: int = 1, volts: float | None = 7.4, baud: int = 1_000_000) -> FoundMotor:
    return FoundMotor(ident, baud, 'sts3215', (3, 10), volts, 30, 0)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[SimArm, SimArm]]:
    """Serve a follower on 12 V and a board with a fresh motor."""
    with servo_bus(so_arm('follower', voltage_v=12.1), tmp_path / 'left') as left, \
            servo_bus(chain('sts3215:1@500000'), tmp_path / 'right') as right:
        yield left, right


def test_the_table_says_who_answers_where(
        two: tuple[SimArm, SimArm], capsys: pytest.CaptureFixture[str]) -> None:
    """Ids, models, rates and what the supply tells, for every port; nothing is written."""
    left, right = two
    assert main(['--port', left.port, '--port', right.port]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ['PORT', 'ADAPTER', 'SERIAL', 'NUMBER', 'ACCESS', 'MOTORS']
    assert lines[1].startswith(left.port)
    assert lines[1].endswith('ok      ids 1-6, sts3215, 1000000 baud')
    assert lines[2].endswith('ok      id 1, sts3215, 500000 baud')
    text = '\n'.join(lines)
    assert 'follower-like: 12.1 V supply' in text
    assert 'leader or follower: 7.4 V supply, which fits both' in text
    assert left.taps.events == right.taps.events == []


def test_a_silent_port_has_its_reason(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody answers the code is 1 and the note says what to check."""
    assert main(['--port', line.path]) == 1
    assert 'Is the motor supply on' in capsys.readouterr().out


def test_a_busy_port_names_its_holder(
        two: tuple[SimArm, SimArm], capsys: pytest.CaptureFixture[str]) -> None:
    """Another process that has the port is named by its command; the other port is looked at."""
    left, right = two
    holder = subprocess.Popen(
        [sys.executable, '-c', 'import serial, sys, time\n'
         f'line = serial.Serial({left.port!r}, exclusive=True)\n'
         'print(flush=True)\ntime.sleep(60)'], stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        assert main(['--port', left.port, '--port', right.port]) == 0
    finally:
        holder.kill()
        holder.communicate()
    out = capsys.readouterr().out
    assert f'is in use by process {holder.pid} ({sys.executable}' in out
    assert 'in use  -\n' in out and 'id 1, sts3215, 500000 baud' in out


def test_a_port_without_permission_has_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """EACCES names the group, the command that joins it, and the udev rule of the adapter."""
    def refuse(*_: object, **__: object) -> None:
        raise port_module.serial.SerialException(13, 'Permission denied')
    monkeypatch.setattr(port_module.serial, 'Serial', refuse)
    report, = survey((ADAPTER,))
    assert report.access == 'no permission' and report.motors == ()
    text = '\n'.join(notes(report))
    assert f'stable name: {ADAPTER.by_id}' in text and 'usermod -aG' in text
    assert ('SUBSYSTEM=="tty", ATTRS{idVendor}=="1a86", ATTRS{idProduct}=="55d3", '
            'TAG+="uaccess"') in text


@pytest.mark.parametrize(('volts', 'text'), [
    (12.1, 'follower-like'), (7.4, 'leader or follower'), (5.0, 'leader-like'),
    (3.1, 'too low'), (None, 'do not tell')])
def test_the_supply_tells_no_more_than_it_can(volts: float | None, text: str) -> None:
    """12 V is a follower's, 5 V may be either's, and an unknown one is nobody's."""
    assert text in looks_like((motor(volts=volts),))
    assert '7.4 V motors can look the same' in looks_like((motor(volts=5.0),))


def test_motors_are_grouped() -> None:
    """Ids in a row are joined; other rates and shared ids stand apart."""
    twin = FoundMotor(1, 1_000_000, '', (0, 0), None, None, 0, duplicated=True)
    assert motors_text(()) == 'none'
    assert motors_text(tuple(map(motor, (1, 2, 3, 6)))) == 'ids 1-3, 6, sts3215, 1000000 baud'
    assert motors_text((motor(4, baud=57_600), twin)) == (
        'id 4, sts3215, 57600 baud; '
        'id 1, 1000000 baud, two or more motors answer under this id')


def test_no_port_at_all_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no port is there the cable comes first."""
    assert main(['--port', str(tmp_path / 'absent')]) == 1
    assert 'no serial port is there' in capsys.readouterr().err


def pull(*arms: SimArm) -> threading.Thread:
    """Pull cables a moment later, as somebody does who has read what to do."""
    def work() -> None:
        time.sleep(0.5)
        for arm in arms:
            arm.unplug()
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize(('pulled', 'code', 'message'), [
    ((), 1, 'no port vanished. Pull the USB cable itself'),
    ((1,), 0, 'The port of the arm is'),
    ((0, 1), 1, '2 ports vanished'),
])
def test_a_pulled_cable_names_its_port(
        two: tuple[SimArm, SimArm], capsys: pytest.CaptureFixture[str],
        pulled: tuple[int, ...], code: int, message: str) -> None:
    """One port that vanishes is the arm's; none and two are told, with what to do."""
    patience = '30' if pulled else '0.5'
    thread = pull(*(two[index] for index in pulled))
    assert main(['--unplug', '--yes', '--timeout', patience,
                 '--port', two[0].port, '--port', two[1].port]) == code
    thread.join()
    out, err = capsys.readouterr()
    assert message in out + err
    if code == 0:
        assert f'The port of the arm is {two[1].port}\n' in out


def test_the_dialogue_waits_for_enter(two: tuple[SimArm, SimArm]) -> None:
    """With a keyboard the program asks, and looks after Enter."""
    left, right = two
    with subprocess.Popen(
            [sys.executable, '-m', 'feetech_driver.find_port', '--unplug',
             '--port', left.port, '--port', right.port], env=os.environ, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        said = ''
        while not said.endswith('press Enter: '):
            letter = process.stdout.read(1)
            assert letter, said
            said += letter
        left.unplug()
        said, _ = process.communicate('\n', timeout=30.0)
    assert process.returncode == 0 and f'The port of the arm is {left.port}' in said


@pytest.mark.parametrize(('arguments', 'message'), [
    (['--yes'], '--yes goes with --unplug'),
    (['--unplug', '--yes', '--timeout', '-1'], 'found -1, expected 0 to 3600 seconds'),
])
def test_wrong_arguments(
        capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """Exit code 2 and what would be right."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and message in capsys.readouterr().err
