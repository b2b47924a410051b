# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The command serves a port until it is told to stop."""
from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from apprentice_sim.frames import with_checksum
from apprentice_sim.tap_file import read_taps
from apprentice_sim.taps import TapKind
from apprentice_sim.testing import so_arm_process
import pytest
import serial

pytestmark = pytest.mark.timeout(20)
PING = bytes.fromhex('FF FF 06 02 01 F6')
PONG = bytes.fromhex('FF FF 06 02 00 F7')


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, '-m', 'apprentice_sim.bus_main', *arguments],
        capture_output=True, text=True, timeout=15, check=False)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_serves_until_a_signal(tmp_path: Path, number: int) -> None:
    """It answers, ends with 0 on a signal, says where the port was and removes the link."""
    with so_arm_process('leader', tmp_path) as (port, process):
        with serial.Serial(port, 1_000_000, timeout=2.0) as line:
            line.write(PING)
            assert line.read(6) == PONG
        process.send_signal(number)
        out, error = process.communicate(timeout=5.0)
    assert (process.returncode, error) == (0, '')
    assert out.startswith(f'{port}: 1 shoulder_pan, 2 shoulder_lift')
    assert not os.path.lexists(port)


def test_script_injects_faults(tmp_path: Path) -> None:
    """A fault script acts on the port."""
    script = tmp_path / 'faults.yaml'
    script.write_text('faults: [{action: drop, ids: [6], count: 1}]')
    with so_arm_process('follower', tmp_path, '--script', str(script)) as (port, _):
        with serial.Serial(port, 1_000_000, timeout=0.2) as line:
            line.write(PING)
            assert line.read(6) == b''
            line.timeout = 2.0
            line.write(PING)
            assert line.read(6) == PONG


def test_register_changes_go_to_a_file(tmp_path: Path) -> None:
    """A goal that the host writes is in the file, with the time at which it came."""
    taps = tmp_path / 'taps'
    goal = with_checksum(b'\xff\xff\x01\x05\x03\x2a\x34\x08\x00')
    with so_arm_process('follower', tmp_path, '--taps', str(taps)) as (port, _):
        before_ns = time.monotonic_ns()
        with serial.Serial(port, 1_000_000, timeout=2.0) as line:
            line.write(goal)
            assert len(line.read(6)) == 6
        after_ns = time.monotonic_ns()
    goals = [tap for tap in read_taps(taps) if tap.kind is TapKind.GOAL]
    assert [(tap.name, tap.value) for tap in goals] == [('shoulder_pan', 0x834)]
    assert before_ns < goals[0].t_ns < after_ns


@pytest.mark.parametrize(('arguments', 'message'), [
    (('--taps', 'absent/taps'), 'absent/taps: register changes cannot be written'),
    (('--servos', 'xl330:1'), "servo 'xl330:1': expected MODEL:ID"),
    (('--script', 'absent.yaml'), 'absent.yaml'),
    (('--calibration', 'absent.json'), 'absent.json'),
    (('--adapter-latency-ms', '-1'), 'expected 0 to 1000'),
])
def test_bad_input_is_one_clear_error(
        tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """Exit code 2, the mistake named, no traceback, no link left."""
    ended = run('--link', str(tmp_path / 'bus'), *arguments)
    assert ended.returncode == 2
    assert message in ended.stderr and 'Traceback' not in ended.stderr
    assert not os.path.lexists(tmp_path / 'bus')


def test_impossible_link_is_named(tmp_path: Path) -> None:
    """A folder that does not exist is named in the error."""
    ended = run('--link', str(tmp_path / 'absent' / 'bus'))
    assert ended.returncode == 2
    assert 'absent/bus' in ended.stderr and 'Traceback' not in ended.stderr
