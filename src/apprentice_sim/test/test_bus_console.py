# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands change the chain, the supply and the cable of a served bus."""
from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import subprocess
import sys

from apprentice_sim.bus import ServoBus
from apprentice_sim.bus_console import BusConsole
from apprentice_sim.presets import chain
from apprentice_sim.pty import PtyBus
import pytest

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[BusConsole]:
    """Return the console of a bus with one fresh motor."""
    with PtyBus(ServoBus(chain('sts3215:1')), tmp_path / 'bus') as pty:
        yield BusConsole(pty)


def test_motors_come_and_go(console: BusConsole) -> None:
    """A motor that was taken off comes back as it was."""
    assert console.do('detach all') == 'on the chain: nothing'
    assert console.do('attach sts3215:9@500000 spare') == 'on the chain: spare id 9 at 500000'
    assert console.do('attach servo_1').endswith('spare id 9 at 500000, servo_1 id 1 at 1000000')
    assert console.do('detach spare') == 'on the chain: servo_1 id 1 at 1000000'
    assert console.do('') == ''


def test_supply_and_cable(console: BusConsole, tmp_path: Path) -> None:
    """Voltage, power and the USB cable act at once."""
    servo, = console._bus.servos
    console.do('voltage 4.1')
    assert servo.voltage_v == 4.1
    console.do('attach sts3215:2 late')
    assert console._bus.by_name['late'].voltage_v == 4.1
    servo.write(40, b'\1', 1)
    console.do('power')
    assert servo.get('torque_enable') == 0
    console.do('unplug')
    assert not os.path.lexists(tmp_path / 'bus')
    console.do('replug')
    assert os.path.exists(tmp_path / 'bus')


@pytest.mark.parametrize(('line', 'message'), [
    ('explode', "'explode' is no command"),
    ('detach', 'is no command'),
    ('detach ghost', "no motor 'ghost' on the chain; on the chain: servo_1"),
    ('attach xl330:1', "servo 'xl330:1': expected MODEL:ID"),
    ('attach sts3215:1@9600', 'BAUD one of 1000000'),
    ('attach sts3215:1 servo_1', "a servo named 'servo_1' is on the chain already"),
    ('voltage much', 'could not convert'),
])
def test_mistakes_are_named(console: BusConsole, line: str, message: str) -> None:
    """A command that makes no sense says why."""
    with pytest.raises(ValueError, match=message):
        console.do(line)


def test_the_program_takes_commands(tmp_path: Path) -> None:
    """With --console lines on standard input are done; their end does not end the program."""
    link = tmp_path / 'bus'
    with subprocess.Popen(
            [sys.executable, '-m', 'apprentice_sim.bus_main', '--link', str(link),
             '--servos', 'sts3215:1', '--console'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write('attach sts3215:7\nnonsense\ndetach servo_1\n')
        process.stdin.close()
        said = ''
        while not said.endswith('on the chain: servo_2 id 7 at 1000000\n'):
            line = process.stdout.readline()
            assert line, said
            said += line
        assert "'nonsense' is no command" in said and process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
