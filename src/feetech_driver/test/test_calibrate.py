# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`calibrate` on a terminal, from the first screen to the file, and whatever comes in between."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re
import signal
import subprocess
import sys

from apprentice_control.calibration import load_calibration
from apprentice_control.zero_check import zero_verified
from apprentice_sim.faults import Action
from apprentice_sim.frames import Instruction
from apprentice_sim.mechanism import Mount
from calibration_bench import assert_close
from calibration_bench import calibrate
from calibration_bench import calibrated
from calibration_bench import environment
from calibration_bench import file_of
from calibration_bench import home
from calibration_bench import MIDDLE
from calibration_bench import MOUNTS
from calibration_bench import read
from calibration_bench import User
from calibration_bench import Workbench
from calibration_bench import workbench
import pytest

IDS = {name: ident for ident, name in enumerate(MOUNTS, 1)}
MAX_LIMIT = 11


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """Give an arm fresh from the workshop."""
    with workbench(tmp_path) as made:
        yield made


def test_an_arm_is_calibrated(bench: Workbench, tmp_path: Path) -> None:
    """File and registers are those that a flawless calibration gives; torque stays off."""
    user = User(bench, tmp_path)
    calibrate(user, bench)
    assert user.end() == 0, user.text
    path = file_of(tmp_path)
    found = read(path)
    assert_close(found, bench.truth())
    assert bench.registers() == {
        name: (joint['homing_offset'], joint['range_min'], joint['range_max'])
        for name, joint in found.items()}
    assert f'written: {path}' in user.text and 'torque is off' in user.text
    assert not any(bench.arm.registers('torque_enable').values())
    # What was written must outlive the supply.
    before = bench.registers()
    bench.arm.power_cycle()
    assert bench.registers() == before
    # LeRobot's own text: four spaces, no line break at the end.
    assert path.read_text().startswith('{\n    "shoulder_pan": {\n        "id": 1,\n')
    assert path.read_text().endswith('    }\n}')


def test_a_range_over_the_seam_keeps_its_width(tmp_path: Path) -> None:
    """A middle far from the middle moves the offset, not the range; the end is told."""
    middle = {**MIDDLE, 'elbow_flex': 1050.0, 'shoulder_lift': -1100.0}
    with workbench(tmp_path, phase=28) as bench:
        user = User(bench, tmp_path, '--no-directions')
        home(user, bench, middle)
        bench.sweep()
        user.sees('seam')
        user.types('\n')
        assert user.end() == 0, user.text
        assert "elbow_flex: its range crosses the encoder's seam" in user.text
        assert_close(read(file_of(tmp_path)), bench.truth(middle))
        assert set(bench.arm.registers('phase').values()) == {12}


def test_bad_joints_are_refused_by_name(tmp_path: Path) -> None:
    """Not moved, too little, too far, round or mirrored: named, with what was expected."""
    mounts = {'shoulder_pan': Mount(100, -3000, 3000), 'shoulder_lift': Mount(100, -300, 300),
              'elbow_flex': Mount(100, -1500, 1500), 'gripper': Mount(100, -5, 5),
              'wrist_flex': Mount(700, -1080, 1080, mirrored=True)}
    with workbench(tmp_path, mounts) as bench:
        before = bench.registers()
        user = User(bench, tmp_path)
        calibrate(user, bench)
        user.sees('AGAIN: confirm to calibrate every joint but wrist_roll again')
        user.types('q')
        assert user.end() == 1
        text = ' '.join(user.text.split())
        for seen in ('shoulder_pan: turned through 527 degrees, expected about 220 (154 to 286)',
                     'shoulder_lift: was moved through 53 degrees, expected about 200',
                     'elbow_flex: was moved through 264 degrees, expected about 194',
                     'wrist_flex: runs the wrong way: with the gripper bent down it reads 1347, '
                     'in the lower half of 967 to 3127, expected the upper half',
                     'gripper: was not moved: it stayed within 0.9 degrees, expected about 110',
                     'add --accept wrist_flex', '5 of 6 joints were not calibrated'):
            assert seen in text
        assert re.search(r'wrist_flex [ \d]+ OTHER SIDE', text)
        assert bench.registers() == before and not file_of(tmp_path).exists()


def test_refused_joints_are_redone_in_place(bench: Workbench, tmp_path: Path) -> None:
    """Only the joint that was forgotten is calibrated again; the others keep their values."""
    user = User(bench, tmp_path, '--no-directions')
    home(user, bench)
    bench.sweep(*(name for name in IDS if name != 'wrist_flex'))
    user.types('\n')
    user.sees('AGAIN: confirm to calibrate wrist_flex again')
    user.types('\n')
    user.sees('MIDDLE POSE')
    user.types('\n')
    user.sees('RANGES: move slowly from stop to stop: wrist_flex')
    bench.sweep('wrist_flex')
    user.types('\n')
    assert user.end() == 0, user.text
    assert_close(read(file_of(tmp_path)), bench.truth())


def test_one_joint_is_redone_later(bench: Workbench, tmp_path: Path) -> None:
    """`--joints` changes one member of the file and keeps the file before as backup."""
    path = calibrated(bench, tmp_path)
    first = path.read_text()
    bench.lead(dict.fromkeys(IDS, 0.0))
    user = User(bench, tmp_path, '--joints', 'gripper', '--no-directions')
    user.sees('MIDDLE POSE.*gripper')
    bench.lead({'gripper': -200.0})
    user.types('\n')
    user.sees('RANGES')
    bench.sweep('gripper')
    user.types('\n')
    assert user.end() == 0, user.text
    assert_close(read(path), bench.truth({**MIDDLE, 'gripper': -200.0}))
    assert path.with_name('my_arm.json.bak').read_text() == first


@pytest.mark.parametrize('phase, number', [
    ('MIDDLE POSE', signal.SIGTERM), ('RANGES', signal.SIGINT)])
def test_a_signal_leaves_everything_as_it_was(
    bench: Workbench, tmp_path: Path, phase: str, number: signal.Signals,
) -> None:
    """Stopped anywhere, registers and file are those of before and torque is off."""
    for index, name in enumerate(IDS):
        bench.arm.set(name, 'homing_offset', 100 * index - 250)
        bench.arm.set(name, 'max_position_limit', 3000 + index)
    before = bench.registers()
    file_of(tmp_path).parent.mkdir(parents=True)
    file_of(tmp_path).write_text('the old file')
    user = User(bench, tmp_path)
    user.sees('MIDDLE POSE')
    if phase != 'MIDDLE POSE':
        bench.lead(MIDDLE)
        user.types('\n')
        user.sees('RANGES')
    assert bench.registers() != before
    user.types('\x03') if number is signal.SIGINT else user.process.send_signal(number)
    assert user.end() == 130
    assert 'the servos are as they were before, and the file too' in user.text
    assert bench.registers() == before
    assert file_of(tmp_path).read_text() == 'the old file'
    assert not any(bench.arm.registers('torque_enable').values())


def test_a_closed_terminal_leaves_everything_as_it_was(bench: Workbench, tmp_path: Path) -> None:
    """Nobody is left to tell, the registers are put back all the same."""
    before = bench.registers()
    user = User(bench, tmp_path)
    home(user, bench)
    assert bench.registers() != before
    user.hang_up()
    assert user.process.wait(30) == 130
    assert bench.registers() == before


def test_power_lost_while_registers_are_written(bench: Workbench, tmp_path: Path) -> None:
    """Motors silent in the last writes: the file is the old one, and registers are listed."""
    path = calibrated(bench, tmp_path)
    text = path.read_text()
    user = User(bench, tmp_path, '--no-directions')
    home(user, bench, dict.fromkeys(IDS, 0.0))
    bench.sweep()
    # The supply goes when the gripper's upper limit, the last register of all, is to be written.
    bench.arm.faults.add(
        Action.BREAK_CHAIN, ids=[6], instructions=[Instruction.WRITE], address=MAX_LIMIT, value=1)
    user.types('\n')
    assert user.end() == 1
    said = ' '.join(user.text.split())
    assert 'motors do not answer, so these registers could not be put back' in said
    assert 'gripper: max_position_limit was' in said and path.read_text() == text
    bench.arm.faults.clear()
    bench.arm.bus.mend_chain()
    bench.arm.power_cycle()
    mended = User(bench, tmp_path, '--write')
    assert mended.end() == 0, mended.text
    bench.arm.power_cycle()
    assert bench.registers() == {
        name: (joint['homing_offset'], joint['range_min'], joint['range_max'])
        for name, joint in read(path).items()}


def test_a_servo_that_forgets_is_written_again(bench: Workbench, tmp_path: Path) -> None:
    """Its supply fails within a write and takes the write before with it; the file is right."""
    user = User(bench, tmp_path, '--no-directions')
    home(user, bench)
    bench.sweep()
    bench.arm.faults.add(
        Action.POWER_LOSS, ids=[6], instructions=[Instruction.WRITE], address=MAX_LIMIT, value=2,
        count=1)
    user.types('\n')
    assert user.end() == 0, user.text
    assert bench.arm.faults.fired[Action.POWER_LOSS] == 1
    assert_close(read(file_of(tmp_path)), bench.truth())
    bench.arm.power_cycle()
    assert bench.registers() == {
        name: (joint['homing_offset'], joint['range_min'], joint['range_max'])
        for name, joint in read(file_of(tmp_path)).items()}


def test_a_silent_motor_ends_it(bench: Workbench, tmp_path: Path) -> None:
    """A plug that comes out shows on its row; back in, its registers are put back as well."""
    before = bench.registers()
    user = User(bench, tmp_path)
    home(user, bench)
    bench.arm.bus.silence('gripper')
    user.sees('SILENT')
    user.sees('putting the registers back')
    bench.arm.bus.restore('gripper')
    assert user.end() == 1
    assert 'gripper (id 6): no answer for 3 s' in user.text
    assert bench.registers() == before


def test_a_full_disk_costs_nothing(bench: Workbench, tmp_path: Path) -> None:
    """Where the file cannot be written, that is said before the arm is moved."""
    (tmp_path / 'robots').write_text('a file where a folder should be')
    user = User(bench, tmp_path)
    assert user.end() == 2
    assert 'cannot be written' in user.text and 'HF_LEROBOT_CALIBRATION' in user.text


def test_an_arm_with_torque_is_let_go_after_a_word(bench: Workbench, tmp_path: Path) -> None:
    """An arm that holds itself is released only when somebody holds it."""
    bench.arm.set('shoulder_lift', 'torque_enable', 1)
    user = User(bench, tmp_path)
    user.sees('SUPPORT THE ARM: torque is on at shoulder_lift')
    assert bench.arm.register('shoulder_lift', 'torque_enable') == 1
    user.types('\n')
    user.sees('MIDDLE POSE')
    assert not any(bench.arm.registers('torque_enable').values())
    user.types('q')
    assert user.end() == 130


def test_file_and_servos_are_compared_and_settled(bench: Workbench, tmp_path: Path) -> None:
    """A difference is told by joint and ticks; each of the three cures is one key or flag."""
    path = calibrated(bench, tmp_path)
    right = read(path)
    offset = right['wrist_flex']['homing_offset']
    bench.arm.set('wrist_flex', 'homing_offset', offset + 7)
    user = User(bench, tmp_path, '--compare')
    user.sees(f'wrist_flex: homing_offset is {offset} in the file and {offset + 7} in the servo, '
              '7 ticks apart')
    user.sees('r calibrate again')
    user.types('f')
    assert user.end() == 0, user.text
    assert bench.arm.register('wrist_flex', 'homing_offset') == offset
    bench.arm.set('wrist_flex', 'homing_offset', offset + 7)
    user = User(bench, tmp_path, '--from-servos')
    assert user.end() == 0, user.text
    assert read(path)['wrist_flex']['homing_offset'] == offset + 7
    assert read(path.with_name('my_arm.json.bak')) == right
    bench.arm.set('wrist_flex', 'homing_offset', offset)
    user = User(bench, tmp_path, '--compare', '--yes')
    assert user.end() == 1 and '--from-servos' in user.text and '--write' in user.text
    bench.arm.set('wrist_flex', 'homing_offset', offset + 7)
    user = User(bench, tmp_path, '--compare')
    assert user.end() == 0 and 'file and servos agree' in user.text


def test_a_file_of_an_older_release_is_found(bench: Workbench, tmp_path: Path) -> None:
    """The old folder is read with a notice, once, and can be named to be written."""
    path = calibrated(bench, tmp_path)
    old = tmp_path / 'robots' / 'so101_follower' / 'my_arm.json'
    old.parent.mkdir()
    path.rename(old)
    user = User(bench, tmp_path, '--compare')
    assert user.end() == 0, user.text
    text = ' '.join(user.text.split())
    assert text.count('lies in the folder of an older LeRobot release') == 1
    user = User(bench, tmp_path, '--from-servos', '--folder', 'so101_follower')
    assert user.end() == 0 and not path.exists()
    assert old.with_name('my_arm.json.bak').exists()


def test_factory_values_are_no_calibration(bench: Workbench, tmp_path: Path) -> None:
    """Servos that were never calibrated do not make a file."""
    user = User(bench, tmp_path, '--from-servos')
    assert user.end() == 1
    assert 'shoulder_pan: the servo holds a range of 0 to 4095' in user.text
    assert not file_of(tmp_path).exists()


def test_zero_is_verified_for_this_calibration(bench: Workbench, tmp_path: Path) -> None:
    """Off by more than ten degrees is refused by joint; what passes is noted beside the file."""
    path = calibrated(bench, tmp_path)
    bench.lead({**dict.fromkeys(IDS, 0.0), 'elbow_flex': 180.0})
    user = User(bench, tmp_path, '--verify-zero')
    user.sees(r'elbow_flex .*\+16 deg from zero')
    user.types('\n')
    assert user.end() == 1
    assert 'elbow_flex: +15.8 degrees from zero, expected 0 within 10' in user.text
    calibration = load_calibration(path, IDS)
    assert not zero_verified(path, calibration)
    bench.lead(dict.fromkeys(IDS, 0.0))
    user = User(bench, tmp_path, '--verify-zero')
    user.sees('ZERO POSE')
    user.sees(r'elbow_flex .*[+-]0 deg from zero')
    user.types('\n')
    assert user.end() == 0, user.text
    assert zero_verified(path, calibration)


def test_a_leader_is_calibrated_without_a_terminal(bench: Workbench, tmp_path: Path) -> None:
    """By LeRobot's names, on pipes, by time: lines come instead of a table."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'feetech_driver.calibrate', f'--teleop.port={bench.arm.port}',
         '--teleop.id=my_arm', '--teleop.type=so101_leader', '--yes', '--middle-s', '1',
         '--record-s', '5'],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment(tmp_path))
    bench.lead(MIDDLE)
    for line in process.stdout:
        if line.startswith('RANGES'):
            break
    bench.sweep()
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert '\x1b[' not in said
    assert re.search(r'shoulder_pan \d+ \(\d+\.\.\d+\) ok, 220 of 220 deg \| ', said)
    assert_close(read(file_of(tmp_path, 'leader')), bench.truth())


def test_nobody_at_the_keyboard_is_noticed(bench: Workbench, tmp_path: Path) -> None:
    """Without a terminal and without --yes it says so instead of waiting for ever."""
    before = bench.registers()
    result = subprocess.run(
        [sys.executable, '-m', 'feetech_driver.calibrate', '--port', bench.arm.port, '--id', 'a'],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(tmp_path),
        timeout=30, check=False)
    assert result.returncode == 2 and '--yes' in result.stderr
    assert bench.registers() == before


@pytest.mark.parametrize('arguments, text', [
    (['--id', 'a', '--joints', 'elbow'], 'joints: found elbow, expected names among shoulder_pan'),
    (['--id', 'a', '--joints', 'gripper'], 'no calibration file whose other joints'),
    (['--id', 'a', '--folder', 'so101_leader'], "folder is 'so101_leader', expected one of"),
    (['--id', '../a'], "robot_id is '../a', expected a plain file name"),
    ([], 'neither an id nor a calibration file'),
    (['--id', 'a', '--robot.type', 'koch'], "invalid choice: 'koch'"),
    (['--id', 'a', '--yes', '--middle-s', '-1'], 'found -1, expected 0 to 3600'),
])
def test_bad_arguments_are_told(tmp_path: Path, arguments: list[str], text: str) -> None:
    """Each ends with 2 and one message, before any port is opened."""
    result = subprocess.run(
        [sys.executable, '-m', 'feetech_driver.calibrate', '--port', '/nonexistent', *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(tmp_path),
        timeout=30, check=False)
    assert result.returncode == 2
    assert text in result.stderr and 'Traceback' not in result.stderr


def test_a_motor_is_missing(bench: Workbench, tmp_path: Path) -> None:
    """The handshake's words come through, and nothing was written."""
    before = bench.registers()
    bench.arm.bus.break_chain(4)
    user = User(bench, tmp_path, '--connect-timeout-s', '0.5')
    assert user.end() == 1
    assert 'The chain is broken between id 3 (elbow_flex) and id 4 (wrist_flex)' in user.text
    assert bench.registers() == before
