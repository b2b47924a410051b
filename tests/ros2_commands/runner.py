# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run the cases of cases.yaml: shared by the recording from upstream and by the tests."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from typing import TextIO

import yaml

HERE = Path(__file__).resolve().parent
LIMIT_S = 40.0

# What differs from run to run, by name: pattern and what replaces it.
MASKS = {
    'gid': (r'GID: [0-9a-f.]+', 'GID: <gid>'),
    'goal_id': (r'ID: [0-9a-f]{32}', 'ID: <id>'),
    'stamps': (r'sec=\d+, nanosec=\d+', 'sec=<n>, nanosec=<n>'),
    'prefix': (r'(?m)^/.*?(?=$|/share)', '<prefix>'),
    'rates': (r'-?\d+(\.\d+)?', '<n>'),
    'blocks': (r'(?m)^(.*\n\t.*\n)\1+', r'\1'),
    'warning': (r'(?m)^WARNING: topic .* does not appear to be published yet\n', ''),
    'own_counts': (r'(?m)^( \* /(?:rosout|parameter_events) .*?\]) .*$', r'\1 <n>'),
    'waits': (r'(?m)^(Waiting for .*\n)\1+', r'\1'),
    'repeats': (r'(?ms)^(publishing #1: [^\n]*\n)\n.*', r'\1'),
}
PARAMETER_FILES = {
    'load.yaml': '/arm/fixture:\n  ros__parameters:\n    rate_hz: 60.0\n    level: 5\n'
                 '    robot:\n      id: right\n    model: other\n',
    'wildcard.yaml': '/**:\n  ros__parameters:\n    rate_hz: 61.0\n',
    'other.yaml': '/arm/other:\n  ros__parameters:\n    rate_hz: 61.0\n',
}


@dataclass(frozen=True)
class Case:
    """Say what to run, and what of its output to compare."""

    name: str
    argv: tuple[str, ...]
    interrupt_s: float | None
    interrupt_lines: int
    stdin: str
    masks: tuple[str, ...]
    ours: Mapping[str, object]


@dataclass(frozen=True)
class Outcome:
    """Hold what a command printed and how it ended."""

    rc: int
    stdout: str
    stderr: str
    wall_s: float


def load_cases(tmp: Path) -> dict[str, list[Case]]:
    """Read the cases by group; `{tmp}` in a command becomes the folder of the parameter files."""
    for name, text in PARAMETER_FILES.items():
        (tmp / name).write_text(text)
    groups = yaml.safe_load((HERE / 'cases.yaml').read_text())
    del groups['reasons']
    return {group: [_case(f'{group}/{name}', entry, tmp) for name, entry in entries.items()]
            for group, entries in groups.items()}


def _case(name: str, entry: str | dict, tmp: Path) -> Case:
    fields = {'argv': entry} if isinstance(entry, str) else dict(entry)
    argv = tuple(a.replace('{tmp}', str(tmp)) for a in shlex.split(fields.pop('argv')))
    case = Case(name, argv, fields.pop('interrupt_s', None),
                fields.pop('interrupt_lines', 0), fields.pop('stdin', ''),
                tuple(fields.pop('masks', ())), fields.pop('ours', {}))
    fields.pop('because', None)
    if fields:
        raise ValueError(f'cases.yaml: {name}: unknown keys {sorted(fields)}')
    return case


def run(case: Case, ros2: Sequence[str], environment: Mapping[str, str]) -> Outcome:
    """Run one case to its end, interrupting it where it asks for that."""
    start = time.monotonic()
    with tempfile.TemporaryFile('w+') as out, tempfile.TemporaryFile('w+') as err:
        process = subprocess.Popen([*ros2, *case.argv], env=dict(environment), text=True,
                                   stdin=subprocess.PIPE, stdout=out, stderr=err)
        try:
            process.stdin.write(case.stdin)
            process.stdin.close()
            _wait(process, case, out)
        finally:
            process.kill()
            process.wait()
        return Outcome(process.returncode, _text(out), _text(err), time.monotonic() - start)


def _wait(process: subprocess.Popen, case: Case, out: TextIO) -> None:
    start = time.monotonic()
    while process.poll() is None and time.monotonic() - start < LIMIT_S:
        late = case.interrupt_s is not None and time.monotonic() - start > case.interrupt_s
        if late or 0 < case.interrupt_lines <= _text(out).count('\n'):
            process.send_signal(signal.SIGINT)
            process.wait(LIMIT_S)
        time.sleep(0.05)


def _text(file: TextIO) -> str:
    # Its own offset, for the child writes at the shared one.
    return os.pread(file.fileno(), 10**7, 0).decode()


def masked(case: Case, text: str, tmp: Path) -> str:
    """Replace what may differ from run to run."""
    text = text.replace(str(tmp), '{tmp}')
    for name in case.masks:
        text = re.sub(*MASKS[name], text)
    return text


@contextmanager
def fixture_graph(environment: Mapping[str, str], silent: bool = False) -> Iterator[None]:
    """Run fixture_node.py until the block ends."""
    command = [sys.executable, str(HERE / 'fixture_node.py'), *(['--silent'] if silent else [])]
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline() != 'ready\n':
            raise RuntimeError(f'{command} did not start: exit code {process.wait()}')
        yield
    finally:
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
