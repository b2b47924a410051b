# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The program: its table, its exit codes, and what it makes of a broken world."""
from __future__ import annotations

import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time

from apprentice_doctor import doctor
from apprentice_doctor import ports
from apprentice_doctor import report
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from doctor_stage import program
from doctor_stage import write_hardware
from feetech_driver.devices import SerialDevice
from feetech_driver.find_port_survey import udev_rule
import pytest

pytestmark = pytest.mark.timeout(120)
PAGE = Path(__file__).resolve().parents[3] / 'docs' / 'doctor.md'
NOBODY = 65534


@pytest.mark.parametrize('text, word', [
    ('version: 2', 'version is 2'), ('[', 'is not YAML'), ('follower: 3\nversion: 1', 'mapping'),
    ('version: 1\nfollower: {port: 7}', 'in quotes'),
    ('version: 1\ncameras: {a: {parameters: {fps: fast}}}', 'fps')])
def test_a_broken_hardware_file_is_one_error(tmp_path: Path, text: str, word: str) -> None:
    """File and key are named, the other checks go on, exit code 2."""
    path = tmp_path / 'hardware.yaml'
    path.write_text(text)
    result = program('--hardware', str(path), '--only', 'ports')
    assert result.returncode == 2 and 'Traceback' not in result.stderr
    text = ' '.join(result.stdout.split())
    assert word in text and 'hardware-file' in text and 'no-arm' in text


def test_no_file_and_no_robot_are_told() -> None:
    """A path or a robot that is not there is the same kind of error."""
    for arguments in (('--hardware', '/nowhere.yaml'), ('--robot', 'nobody')):
        result = program(*arguments, '--only', 'ports')
        assert result.returncode == 2 and 'Traceback' not in result.stderr
        assert 'hardware-file' in result.stdout


@pytest.mark.parametrize('arguments', [
    ('--seconds', '0'), ('--seconds', 'nan'), ('--only', 'luck'), ('--bogus',)])
def test_wrong_arguments_exit_with_2(arguments: tuple[str, ...]) -> None:
    """The message says what is allowed."""
    result = program(*arguments)
    assert result.returncode == 2 and 'Traceback' not in result.stderr and result.stderr


def test_no_permission_gives_a_cure_to_paste(tmp_path: Path) -> None:
    """Group and mode are named, and the command that mends it."""
    far, near = os.openpty()
    path = os.ttyname(near)
    hardware = write_hardware(tmp_path / 'h.yaml', follower=(path, tmp_path / 'none.json'))
    link = 'import sys; from apprentice_doctor.doctor import main; sys.exit(main(sys.argv[1:]))'
    user = f'import os; os.geteuid() or os.setuid({NOBODY}); '
    mode = 0o600 if os.geteuid() == 0 else 0o000
    os.chmod(path, mode)
    # Imported before the change of user, which may not be allowed to read our packages.
    command = f'import apprentice_doctor.doctor; {user}{link}'
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    result = subprocess.run(
        [sys.executable, '-c', command, '--hardware', str(hardware), '--only', 'ports'],
        text=True, capture_output=True, timeout=60)
    os.close(near)
    os.close(far)
    assert result.returncode == 2, result.stderr
    assert 'no-permission' in result.stdout
    assert f'mode {mode:04o}' in result.stdout and 'sudo usermod -aG' in result.stdout


def test_the_udev_rule_is_printed_in_full() -> None:
    """A shell that pastes it writes the rule that udev reads as one line."""
    device = SerialDevice('/dev/null', None, '1a86:55d3', None, '')
    finding = ports.denied('follower', '/dev/null', device)
    pasted = '\n'.join(line[2:] for line in finding.cure.splitlines() if line.startswith('  '))
    echo = pasted[pasted.index('echo'):pasted.index('| ')]
    written = subprocess.run(['sh', '-c', echo], capture_output=True, text=True).stdout
    assert ' '.join(written.replace('\\\n', '').split()) == udev_rule(device)


def test_ctrl_c_is_one_line(tmp_path: Path) -> None:
    """What was found stays shown; exit code 130."""
    hardware = write_hardware(tmp_path / 'h.yaml')
    process = subprocess.Popen(
        [sys.executable, '-m', 'apprentice_doctor.doctor', '--hardware', str(hardware),
         '--only', 'ports', '--only', 'graph', '--seconds', '60'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    shown = ''
    while 'no-arm' not in shown:
        line = process.stdout.readline()
        assert line, process.communicate()
        shown += line
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and 'Traceback' not in err
    assert err.strip() == 'doctor: interrupted; what is not shown was not looked at'


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


def test_machine_and_middleware_can_be_looked_at(tmp_path: Path) -> None:
    """Encoder, disk and a second process are measured; nothing is left behind."""
    hardware = write_hardware(tmp_path / 'h.yaml')
    result = program('--hardware', str(hardware), '--only', 'machine', '--only', 'dds', '--only',
                     'graph', '--folder', str(tmp_path), '--json', '--seconds', '0.5')
    found = {item['name']: item for item in json.loads(result.stdout)['findings']}
    assert {'encoder', 'disk-speed', 'disk-space', 'cores', 'realtime', 'domain', 'discovery',
            'loss', 'no-graph'} <= found.keys(), found
    assert 'check-failed' not in found
    assert [path.name for path in tmp_path.iterdir()] == ['h.yaml']


def test_a_domain_that_cannot_be_is_told(tmp_path: Path) -> None:
    """Before the middleware fails on it."""
    hardware = write_hardware(tmp_path / 'h.yaml')
    result = program('--hardware', str(hardware), '--only', 'dds',
                     env={**os.environ, 'ROS_DOMAIN_ID': 'seven'})
    assert result.returncode == 2 and 'Traceback' not in result.stderr
    assert 'ROS_DOMAIN_ID is not usable' in result.stdout


def test_the_page_explains_every_finding() -> None:
    """A name that the code can print stands in docs/doctor.md."""
    page = PAGE.read_text()
    folder = Path(doctor.__file__).parent
    source = '\n'.join(path.read_text() for path in folder.glob('*.py'))
    names = set(re.findall(r"(?:Level\.\w+|Level\(level\)), '([a-z-]+)'", source))
    names |= set(re.findall(r"fine\(\s*'([a-z-]+)'", source))
    assert len(names) > 40
    assert not (lacking := sorted(name for name in names if f'`{name}`' not in page)), lacking
