# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A calibration whose host dies, or whose port goes away, leaves no arm that nobody notices."""
from __future__ import annotations

from collections.abc import Iterator
import json
import os
from pathlib import Path
import signal
import subprocess

from ament_index_python.packages import get_package_prefix
from apprentice_control.calibration import CalibrationError
from calibration_bench import assert_close
from calibration_bench import calibrated
from calibration_bench import environment
from calibration_bench import home
from calibration_bench import MIDDLE
from calibration_bench import read
from calibration_bench import User
from calibration_bench import Workbench
from calibration_bench import workbench
from domain_coordinator import domain_id
from feetech_driver.calibration_journal import Journal
from feetech_driver.calibration_journal import refuse_interrupted
import pytest

DAMAGED = ('', '[]', '{"file": ""}', '{"file": "", "registers": {"gripper": 3}}',
           '{"file": "", "registers": {"gripper": {"homing_offset": "x"}}}', '\xff')


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """Give an arm fresh from the workshop."""
    with workbench(tmp_path) as made:
        yield made


def driver_says(bench: Workbench, home_folder: Path) -> str:
    """Return what a driver says that must refuse the arm."""
    program = Path(get_package_prefix('feetech_driver'), 'lib', 'feetech_driver', 'driver')
    with domain_id() as domain:
        result = subprocess.run(
            [str(program), '--ros-args', '-p', f'port:={bench.arm.port}', '-p',
             'robot_id:=my_arm', '-p', 'write_calibration:=true'], capture_output=True, text=True,
            timeout=30, check=False,
            env={**environment(home_folder), 'ROS_DOMAIN_ID': str(domain)})
    assert result.returncode == 1 and 'Traceback' not in result.stderr
    return ' '.join(result.stderr.split())


def killed(bench: Workbench, folder: Path) -> tuple[Path, Journal]:
    """Let a calibration die where it records the ranges; return its file and its journal."""
    path = calibrated(bench, folder)
    user = User(bench, folder)
    home(user, bench)
    os.kill(user.process.pid, signal.SIGKILL)
    assert user.end() == -signal.SIGKILL
    return path, Journal(path)


def test_killed_it_is_refused_and_restored(bench: Workbench, tmp_path: Path) -> None:
    """The driver names the cure, the next `calibrate` offers it, and nothing is left behind."""
    path, journal = killed(bench, tmp_path)
    text = path.read_text()
    before = {name: (joint['homing_offset'], joint['range_min'], joint['range_max'])
              for name, joint in read(path).items()}
    assert bench.registers() != before and path.read_text() == text and journal.open
    said = driver_says(bench, tmp_path)
    assert f'calibration {path}: a calibration of this arm was interrupted' in said
    assert 'run "ros2 run feetech_driver calibrate" for this arm: with --restore' in said
    refused = User(bench, tmp_path, '--from-servos')
    assert refused.end() == 2 and 'is not worth a file' in ' '.join(refused.text.split())
    user = User(bench, tmp_path)
    user.sees('a calibration of this arm was interrupted')
    user.sees('r put the registers back as they were')
    user.types('r')
    assert user.end() == 0, user.text
    assert bench.registers() == before and path.read_text() == text
    assert not journal.path.exists()
    refuse_interrupted(path)
    again = User(bench, tmp_path, '--restore')
    assert again.end() == 2 and 'no interrupted calibration is to be undone' in again.text


def test_killed_twice_the_first_registers_come_back(bench: Workbench, tmp_path: Path) -> None:
    """Stopped after an interrupted one, a calibration restores what was there before both."""
    path, journal = killed(bench, tmp_path)
    user = User(bench, tmp_path)
    user.sees('c calibrate again')
    user.types('c')
    home(user, bench, dict.fromkeys(MIDDLE, 0.0))
    user.types('q')
    assert user.end() == 130, user.text
    assert bench.registers() == {
        name: (joint['homing_offset'], joint['range_min'], joint['range_max'])
        for name, joint in read(path).items()}
    assert not journal.path.exists()


def test_the_file_written_to_the_servos_ends_it(bench: Workbench, tmp_path: Path) -> None:
    """`--write` makes an arm of a half calibrated one, without a word of the journal."""
    path, journal = killed(bench, tmp_path)
    user = User(bench, tmp_path, '--write')
    assert user.end() == 0, user.text
    assert not journal.path.exists()
    assert {row[0] for row in bench.registers().values()} == {
        joint['homing_offset'] for joint in read(path).values()}


def test_unplugged_it_waits_and_goes_on(bench: Workbench, tmp_path: Path) -> None:
    """A plug pulled and put back within the ranges costs nothing, whatever its new number."""
    user = User(bench, tmp_path, '--no-directions')
    home(user, bench)
    bench.arm.unplug()
    user.sees('Plug it in again')
    bench.arm.replug()
    user.sees('is back; going on')
    bench.sweep()
    user.types('\n')
    assert user.end() == 0, user.text
    assert_close(read(tmp_path / 'robots/so_follower/my_arm.json'), bench.truth())


def test_unplugged_for_good_it_says_what_each_motor_holds(
        bench: Workbench, tmp_path: Path) -> None:
    """A port that stays away leaves a list, the old file, and the command that mends it."""
    path = calibrated(bench, tmp_path)
    before = bench.registers()
    text = path.read_text()
    user = User(bench, tmp_path, '--replug-timeout-s', '0.3')
    home(user, bench)
    bench.arm.unplug()
    assert user.end() == 1
    said = ' '.join(user.text.split())
    assert 'It did not come back within 0.3 s' in said
    assert 'the port is gone, so these registers could not be put back' in said
    limit = before['shoulder_pan'][1]
    assert f'shoulder_pan: min_position_limit was {limit}, may now be 0' in said
    assert '--id my_arm --restore' in said and path.read_text() == text
    bench.arm.replug()
    assert bench.registers() != before
    mended = User(bench, tmp_path, '--restore', '--plain')
    assert mended.end() == 0, mended.text
    assert bench.registers() == before and path.read_text() == text


def test_ctrl_c_ends_the_wait_for_the_port(bench: Workbench, tmp_path: Path) -> None:
    """Who does not want to wait need not; the journal stays for the next time."""
    path = calibrated(bench, tmp_path)
    user = User(bench, tmp_path)
    home(user, bench)
    bench.arm.unplug()
    user.sees('Plug it in again')
    user.types('\x03')
    assert user.end() == 130, user.text
    assert Journal(path).open


@pytest.mark.parametrize('text', DAMAGED)
def test_a_damaged_journal_refuses_and_says_so(tmp_path: Path, text: str) -> None:
    """Whatever lies there, the arm is not driven, and what is lost is told."""
    path = tmp_path / 'a.json'
    journal = Journal(path)
    journal.path.write_bytes(text.encode('latin-1'))
    with pytest.raises(CalibrationError, match='was interrupted'):
        refuse_interrupted(path)
    with pytest.raises(CalibrationError, match='calibrate all joints again'):
        journal.registers()


def test_a_journal_of_a_saved_calibration_is_over(tmp_path: Path) -> None:
    """Killed between the file and the end of its journal, the calibration is done."""
    path = tmp_path / 'a.json'
    journal = Journal(path)
    journal.write({('gripper', 'phase'): 12, ('gripper', 'homing_offset'): -7})
    assert journal.open and journal.registers()['gripper', 'homing_offset'] == -7
    path.write_text('{}')
    assert not journal.open
    refuse_interrupted(path)


def test_what_is_not_of_this_arm_is_not_restored(bench: Workbench, tmp_path: Path) -> None:
    """A journal of another joint or register is refused by name, and nothing is written."""
    path = calibrated(bench, tmp_path)
    journal = Journal(path)
    journal.write({('knee', 'phase'): 12, ('gripper', 'id'): 7})
    before = bench.registers()
    user = User(bench, tmp_path, '--restore')
    assert user.end() == 1
    said = ' '.join(user.text.split())
    assert 'found knee phase, gripper id, expected registers of a calibration' in said
    assert bench.registers() == before and json.loads(journal.path.read_text())
