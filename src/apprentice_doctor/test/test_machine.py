# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The machine, its disk, its middleware and what keeps its clock."""
from __future__ import annotations

import json
import os
from pathlib import Path
import resource
from typing import Any

from apprentice_doctor import clocks
from apprentice_doctor import machine
from apprentice_doctor.finding import Finding
from apprentice_doctor.robot import Question
from apprentice_doctor.robot import Robot
from doctor_stage import as_nobody
from doctor_stage import examine
from doctor_stage import program
from doctor_stage import write_hardware
import pytest

pytestmark = pytest.mark.timeout(120)
LARGEST_FILE = 1 << 20
AS_NOBODY = """
from pathlib import Path
import sys
from apprentice_doctor import machine
from apprentice_doctor.robot import Question, Robot
question = Question(Robot(Path('h.yaml')), folder=Path(sys.argv[1]))
print(*(f'{item.level.name} {item.name}' for item in machine.check(question)), sep='\\n')
"""


def test_machine_and_middleware_can_be_looked_at(tmp_path: Path, capsys: Any) -> None:
    """Encoder, disk and a second process are measured; nothing is left behind."""
    hardware = write_hardware(tmp_path / 'h.yaml')
    _code, found = examine(capsys, hardware, '--only', 'machine', '--only', 'dds',
                           '--folder', str(tmp_path))
    assert {'encoder', 'disk-speed', 'disk-space', 'cores', 'governor', 'realtime', 'domain',
            'interfaces', 'multicast', 'discovery', 'loss'} <= found.keys(), found
    assert 'check-failed' not in found
    assert [path.name for path in tmp_path.iterdir()] == ['h.yaml']


def test_a_folder_of_somebody_else_is_told(tmp_path: Path) -> None:
    """Nothing is measured there, and the rest is told all the same."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    tmp_path.chmod(0o555)
    out = as_nobody(AS_NOBODY, str(tmp_path))
    assert 'folder-not-writable' in out and 'ERROR' in out
    assert 'cores' in out and 'disk' not in out


def test_a_disk_that_takes_no_more_is_told(tmp_path: Path) -> None:
    """A quota ends the first block; the checks that follow are done."""
    result = program(
        '--hardware', str(write_hardware(tmp_path / 'h.yaml')), '--only', 'machine', '--folder',
        str(tmp_path), '--json', preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE)))
    found = {item['name']: item for item in json.loads(result.stdout)['findings']}
    assert result.returncode == 2 and found['disk-fails']['where'] == str(tmp_path)
    assert 'too large' in found['disk-fails']['found'] and 'cores' in found


@pytest.mark.parametrize('governors, driver, level', [
    (['powersave', 'powersave'], 'acpi-cpufreq', 'WARN'),
    (['powersave', 'powersave'], 'intel_pstate', 'OK'),
    (['schedutil', None], 'acpi-cpufreq', 'OK'), ([], '', 'OK')])
def test_a_processor_at_its_lowest_clock_is_told(
    tmp_path: Path, governors: list[str | None], driver: str, level: str,
) -> None:
    """A governor of that name that adapts is fine, and so is a core that does not tell."""
    for number, governor in enumerate(governors):
        folder = tmp_path / f'sys/devices/system/cpu/cpu{number}/cpufreq'
        folder.mkdir(parents=True)
        (folder / 'scaling_driver').write_text(f'{driver}\n')
        if governor is None:
            (folder / 'scaling_governor').mkdir()
        else:
            (folder / 'scaling_governor').write_text(f'{governor}\n')
    found = {item.name: item for item in machine.processor(tmp_path)}
    assert found['governor'].level.name == level


def clock(folder: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> Finding:
    """Return what is found on a machine with these programs alone, by what they print."""
    for name, text in programs.items():
        path = folder / name
        path.write_text(f'#!/bin/sh\nprintf "{text}"\n')
        path.chmod(0o755)
    monkeypatch.setenv('PATH', str(folder))
    question = Question(Robot(Path('h.yaml')), hosts=('127.0.0.1:x',))
    found = {item.name: item for item in clocks.check(question)}
    assert 'clock-offset' in found
    return found['clock-sync']


@pytest.mark.parametrize('programs, level, word', [
    ({}, 'WARN', 'no chrony'),
    ({'timedatectl': 'NTPSynchronized=no'}, 'WARN', 'no chrony'),
    ({'timedatectl': 'NTPSynchronized=yes'}, 'OK', 'synchronised'),
    ({'chronyc': 'System time : 0.0 seconds slow\\nLeap status : Normal\\n'}, 'OK', '0.0 seconds'),
    ({'chronyc': '\\377Leap status : Not synchronised\\n'}, 'WARN', 'not synchronised')])
def test_what_keeps_the_clock_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: dict[str, str], level: str,
    word: str,
) -> None:
    """With another host to compare with, nothing that keeps it is a warning."""
    finding = clock(tmp_path, monkeypatch, **programs)
    assert finding.level.name == level and word in finding.what + finding.found


def test_a_domain_that_cannot_be_is_told(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before the middleware fails on it."""
    monkeypatch.setenv('ROS_DOMAIN_ID', 'seven')
    code, found = examine(capsys, write_hardware(tmp_path / 'h.yaml'), '--only', 'dds')
    assert code == 2 and found['domain']['what'] == 'ROS_DOMAIN_ID is not usable'
    assert os.environ['ROS_DOMAIN_ID'] == found['domain']['found']
