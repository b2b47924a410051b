# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Clocks: are they synchronised, and how far apart are those of two hosts."""
from __future__ import annotations

from collections.abc import Iterator
import shutil
import subprocess

from apprentice_doctor.clock_echo import TOKEN
from apprentice_doctor.clock_wire import ask
from apprentice_doctor.clock_wire import PORT
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from apprentice_doctor.robot import Question

# The recorder refuses what is further ahead: clock_offset_ms of the contract.
_LARGEST_S = 0.020


def check(question: Question) -> Iterator[Finding]:
    """Ask the hosts given, and what keeps this host's clock."""
    yield from _synchronised(bool(question.hosts))
    for host in question.hosts:
        yield _offset(host, question.token)


def _synchronised(matters: bool) -> Iterator[Finding]:
    tracking = _output('chronyc', '-n', 'tracking')
    if tracking:
        rows = dict(line.split(':', 1) for line in tracking.splitlines() if ':' in line)
        rows = {key.strip(): value.strip() for key, value in rows.items()}
        if rows.get('Leap status') == 'Normal':
            yield fine('clock-sync', f'chrony, {rows.get("System time", "")}')
            return
    elif 'yes' in _output('timedatectl', 'show', '-p', 'NTPSynchronized'):
        yield fine('clock-sync', 'the clock is synchronised')
        return
    if matters:
        yield Finding(
            Level.WARN, 'clock-sync', 'nothing keeps this clock with others', '',
            'chrony is not synchronised' if tracking else 'no chrony, no synchronised timedatectl',
            'chrony on both hosts',
            'docs/two-hosts.md has the files:\n  sudo apt-get install chrony')
    else:
        yield fine('clock-sync', 'not synchronised; one host alone does not need it')


def _offset(host: str, token: str) -> Finding:
    name, _, port = host.partition(':')
    if port and not port.isdigit():
        return Finding(Level.ERROR, 'clock-offset', 'the host is not usable', host, port,
                       'HOST or HOST:PORT', 'give a port number')
    try:
        offset = ask(name, token, int(port or PORT))
    except (OSError, OverflowError) as error:
        return Finding(
            Level.ERROR, 'clock-offset', 'the host cannot be reached', host, str(error),
            'a host of the network', 'check name and cable')
    if offset is None:
        return Finding(
            Level.ERROR, 'clock-offset', 'the host does not tell its time', host, 'no answer',
            'answers of clock_echo', f'start it there, with the same {TOKEN} on both:\n'
            '  ros2 run apprentice_doctor clock_echo --bind 0.0.0.0')
    text = (f'{offset.offset_s * 1e3:+.2f} ms, sure to {offset.uncertainty_s * 1e3:.2f} ms '
            f'({offset.answers} answers)')
    if abs(offset.offset_s) + offset.uncertainty_s <= _LARGEST_S:
        return fine('clock-offset', text, host)
    return Finding(
        Level.ERROR if abs(offset.offset_s) - offset.uncertainty_s > _LARGEST_S else Level.WARN,
        'clock-offset', 'the clocks are too far apart, or the network too slow to tell', host,
        text, f'within {_LARGEST_S * 1e3:g} ms', 'run chrony on both: docs/two-hosts.md')


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ''
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors='replace', timeout=5).stdout
    except (OSError, subprocess.SubprocessError):
        return ''
