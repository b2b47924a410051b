# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The program: its table, its exit codes, and what it makes of a broken world."""
from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from apprentice_doctor import doctor
from apprentice_doctor import ports
from apprentice_doctor import report
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from doctor_stage import as_nobody
from doctor_stage import examine
from doctor_stage import program
from doctor_stage import write_hardware
from feetech_driver.devices import SerialDevice
from feetech_driver.find_port_survey import udev_rule
import pytest

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize('text, word', [
    ('version: 2', 'version is 2'), ('[', 'is not YAML'), ('follower: 3\nversion: 1', 'mapping'),
    ('version: 1\nfollower: {port: 7}', 'in quotes'),
    ('version: 1\ncameras: {a: {parameters: {fps: fast}}}', 'fps')])
def test_a_broken_hardware_file_is_one_error(
    tmp_path: Path, capsys: Any, text: str, word: str,
) -> None:
    """File and key are named, what needs no file goes on, exit code 2."""
    path = tmp_path / 'hardware.yaml'
    path.write_text(text)
    code, found = examine(capsys, path, '--only', 'ports', '--only', 'clocks')
    finding = found['hardware-file']
    assert code == 2 and word in finding['found'] and finding['where'] == str(path)
    assert found.keys() == {'hardware-file', 'clock-sync', 'scenarios'}


@pytest.mark.parametrize('arguments, word', [
    (('--hardware', '/nowhere.yaml'), 'No such file'),
    (('--robot', 'nobody'), 'so100 or so101'), (('--robot', '../x'), 'so100 or so101')])
def test_no_file_and_no_robot_are_told(
    capsys: Any, arguments: tuple[str, ...], word: str,
) -> None:
    """The one error on the table says what is there."""
    assert doctor.main([*arguments, '--only', 'ports']) == 2
    text = ' '.join(capsys.readouterr().out.split())
    assert 'ERROR hardware-file' in text and word in text
    assert text.endswith('1 error, 0 warnings, 0 fine')


@pytest.mark.parametrize('arguments, word', [
    (('--seconds', '0'), 'above 0'), (('--seconds', 'nan'), 'above 0'),
    (('--seconds', 'x'), 'above 0'), (('--only', 'luck'), "'ports', 'bus'"),
    (('--folder', '/nowhere'), 'expected a folder that is there'), (('--bogus',), '--bogus')])
def test_wrong_arguments_exit_with_2(
    capsys: Any, arguments: tuple[str, ...], word: str,
) -> None:
    """The message says what is allowed."""
    with pytest.raises(SystemExit) as ended:
        doctor.main(arguments)
    assert ended.value.code == 2
    assert word in capsys.readouterr().err.splitlines()[-1]


def test_no_permission_gives_a_cure_to_paste(tmp_path: Path) -> None:
    """Group and mode are named, and the command that mends it."""
    far, near = os.openpty()
    path = os.ttyname(near)
    hardware = write_hardware(tmp_path / 'h.yaml', follower=(path, tmp_path / 'none.json'))
    mode = 0o600 if os.geteuid() == 0 else 0o000
    os.chmod(path, mode)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    out = as_nobody('import sys; print("code", apprentice_doctor.doctor.main(sys.argv[1:]))',
                    '--hardware', str(hardware), '--only', 'ports')
    os.close(near)
    os.close(far)
    assert 'no-permission' in out and 'code 2' in out
    assert f'mode {mode:04o}' in out and 'sudo usermod -aG' in out


def test_the_udev_rule_is_printed_in_full() -> None:
    """A shell that pastes it writes the rule that udev reads as one line."""
    device = SerialDevice('/dev/null', None, '1a86:55d3', None, '')
    finding = ports.denied('follower', '/dev/null', device)
    pasted = '\n'.join(line[2:] for line in finding.cure.splitlines() if line.startswith('  '))
    echo = pasted[pasted.index('echo'):pasted.index('| ')]
    written = subprocess.run(['sh', '-c', echo], capture_output=True, text=True).stdout
    assert ' '.join(written.replace('\\\n', '').split()) == udev_rule(device)


def test_ctrl_c_on_a_terminal_is_one_line(tmp_path: Path) -> None:
    """What was found stays shown, in colour; the progress line goes; exit code 130."""
    hardware = write_hardware(tmp_path / 'h.yaml')
    far, near = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != 'NO_COLOR'}
    process = subprocess.Popen(
        [sys.executable, '-m', 'apprentice_doctor.doctor', '--hardware', str(hardware),
         '--only', 'ports', '--only', 'graph', '--seconds', '60'],
        env=environment, preexec_fn=lambda: os.login_tty(near))
    os.close(near)
    shown = b''
    try:
        while b'graph ...' not in shown:
            shown += os.read(far, 4096)
        assert b'\r\033[Kports\r\n  \033[32mok   \033[0m no-arm' in shown
        os.write(far, b'\x03')
        rest = b''
        while b'\n' not in rest:
            rest += os.read(far, 4096)
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.wait()
        os.close(far)
    line = b'\r\033[Kdoctor: interrupted; what is not shown was not looked at\r\n'
    assert rest.replace(b'^C', b'') == line


def test_a_pipe_gets_neither_colour_nor_progress(tmp_path: Path) -> None:
    """The table alone, and the exit code of its worst line."""
    hardware = write_hardware(tmp_path / 'h.yaml', follower=('/nowhere', tmp_path / 'none.json'))
    result = program('--hardware', str(hardware), '--only', 'ports')
    assert result.returncode == 2 and not result.stderr
    assert '\033' not in result.stdout and '...' not in result.stdout
    assert 'ERROR unplugged' in result.stdout


def test_a_check_that_fails_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:
    """An unforeseen error is a finding."""
    def broken(_question: object) -> list[Finding]:
        raise ValueError('unforeseen')
    monkeypatch.setitem(doctor.CHECKS, 'bus', broken)
    hardware = write_hardware(tmp_path / 'h.yaml')
    arguments = ['--hardware', str(hardware), '--only', 'bus', '--only', 'ports']
    assert doctor.main(arguments) == 2
    out = capsys.readouterr().out
    assert 'check-failed' in out and 'unforeseen' in out and 'no-arm' in out


def test_warnings_count_only_under_strict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:
    """0 without, 1 with --strict; JSON says the same."""
    monkeypatch.setitem(doctor.CHECKS, 'bus', lambda _question: iter(
        [Finding(Level.WARN, 'overload', 'warm')]))
    hardware = write_hardware(tmp_path / 'h.yaml')
    arguments = ['--hardware', str(hardware), '--only', 'bus', '--json']
    assert doctor.main(arguments) == 0
    content = json.loads(capsys.readouterr().out)
    assert content['findings'][0]['level'] == 'WARN' and content['scenarios'] == [8]
    assert doctor.main([*arguments, '--strict']) == 1


def test_the_table_fits_80_columns_and_leaves_pasted_lines_alone() -> None:
    """Words wrap; commands do not."""
    command = '  sudo tee /etc/udev/rules.d/60-arm.rules'
    long = Finding(Level.ERROR, 'no-permission', 'word ' * 40, 'where', 'found ' * 30, 'yes',
                   f'do this:\n{command}')
    text = report.section('ports', [long, fine('port-free', 'free ' * 30, 'follower')], False)
    assert all(len(line) <= report.WIDTH for line in text.splitlines())
    assert command.strip() in [line.strip() for line in text.splitlines()]
    assert report.summary({'a': [long], 'b': []}) == '1 error, 0 warnings, 0 fine\n'
