# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run a launch file with some `ros2` and describe what could be seen, free of chance."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
import json
import os
from pathlib import Path
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import yaml

HERE = Path(__file__).parent
PACKAGE = 'conformance_probe'
TIME_LIMIT_S = 40.0
# Upstream prints a line twice when a signal comes while it prints.
SETTLE_S = 0.2
# Set by shells, by the PyPI wheels, and by this workspace's launch on purpose.
NOT_COMPARED = {'_', 'SHLVL', 'PWD', 'OLDPWD', 'LD_LIBRARY_PATH', 'PYTHONUNBUFFERED',
                '_ROS_WHEELS_BOOTSTRAP_COMPLETE', 'LC_CTYPE'}
LOG_LINE = re.compile(r'^\[(DEBUG|INFO|WARNING|ERROR)\] \[([^\]]+)\]: (.*)$')
PROCESS_LINE = re.compile(r'^\[([^\] ]+-\d+)\] (.*)$')
STARTED = re.compile(r'process started with pid \[(\d+)\]')


@dataclass(frozen=True)
class Step:
    """A signal, sent to the launch process once a line has been seen."""

    when: str
    send: str


@dataclass(frozen=True)
class Case:
    """What is run: arguments of `ros2 launch`, changes of the environment, signals."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    signals: Sequence[Step] = ()
    timed: bool = False

    @classmethod
    def load(cls, path: Path) -> Case:
        """Read the case from a file of cases/."""
        data = json.loads(path.read_text())
        return cls(
            path.stem, data['command'], data.get('environment', {}),
            [Step(**step) for step in data.get('signals', [])], data.get('timed', False))


@dataclass
class Run:
    """The raw results of one run."""

    exit_code: int
    seconds: float
    lines: list[str]
    errors: list[str]
    base: dict[str, str]


class SyntaxTolerantLoader(yaml.SafeLoader):
    """Reads YAML as rcl does, which takes upstream's tuple tag for a plain list."""


SyntaxTolerantLoader.add_constructor(
    'tag:yaml.org,2002:python/tuple',
    lambda loader, node: loader.construct_sequence(node))


def observe(case: Case, ros2: Sequence[str], environment: Mapping[str, str],
            folder: Path) -> dict[str, Any]:
    """Run the case in an empty folder and return what could be seen."""
    prefix = make_package(folder / 'prefix')
    for name in ('reports', 'logs', 'tmp', 'cwd'):
        (folder / name).mkdir()
    run = run_case(case, ros2, environment, folder, prefix)
    return describe(case, run, folder)


def make_package(prefix: Path) -> Path:
    """Install the package that holds the probe and the launch files of the cases."""
    share, lib = prefix / 'share' / PACKAGE, prefix / 'lib' / PACKAGE
    marker = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages' / PACKAGE
    for path in (marker.parent, lib):
        path.mkdir(parents=True)
    marker.touch()
    shutil.copytree(HERE / 'launch', share / 'launch')
    shutil.copytree(HERE / 'config', share / 'config')
    (share / 'package.xml').write_text(
        f'<package format="3"><name>{PACKAGE}</name><version>0.1.0</version>'
        '<description>Probe</description><license>Apache-2.0</license>'
        '<maintainer email="maintainers@apprentice.invalid">apprentice maintainers</maintainer>'
        '</package>')
    probe = lib / 'probe'
    probe.write_text(f'#!{sys.executable} -IS\n{(HERE / "probe.py").read_text()}')
    probe.chmod(0o755)
    return prefix


def run_case(case: Case, ros2: Sequence[str], environment: Mapping[str, str], folder: Path,
             prefix: Path) -> Run:
    """Run the case's command and send its signals; raises TimeoutError when it hangs."""
    base = {name: value for name, value in environment.items() if name not in (
        'PYTHONUNBUFFERED', 'OVERRIDE_LAUNCH_PROCESS_OUTPUT')}
    base |= {
        'AMENT_PREFIX_PATH': f"{prefix}:{environment['AMENT_PREFIX_PATH']}",
        'PROBE_REPORTS': str(folder / 'reports'), 'ROS_LOG_DIR': str(folder / 'logs'),
        'TMPDIR': str(folder / 'tmp'), **case.environment}
    start = time.monotonic()
    process = subprocess.Popen(
        [*ros2, 'launch', *case.command], env=base, cwd=folder / 'cwd', text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, preexec_fn=_reset_sigint)
    lines, errors = _Reader(process.stdout), _Reader(process.stderr)
    try:
        for step in case.signals:
            lines.wait_for(step.when, start + TIME_LIMIT_S)
            time.sleep(SETTLE_S)
            process.send_signal(signal.Signals[step.send])
        exit_code = process.wait(max(0.1, start + TIME_LIMIT_S - time.monotonic()))
        seconds = time.monotonic() - start
    finally:
        _kill_session(process.pid)
        process.wait()
    return Run(exit_code, seconds, lines.finish(), errors.finish(), base)


def describe(case: Case, run: Run, folder: Path) -> dict[str, Any]:
    """Sort the lines by who wrote them and replace what differs from run to run."""
    clean = _Cleaner(folder)
    launch, text, started = [], [], []
    processes: dict[str, dict[str, Any]] = {}
    pids = {}
    traceback = False
    for line in run.lines:
        log, printed = LOG_LINE.match(line), PROCESS_LINE.match(line)
        if log and re.search(r'-\d+$', log[2]):
            process = processes.setdefault(log[2], {'log': [], 'output': []})
            process['log'].append(clean(f'[{log[1]}] {log[3]}'))
            if match := STARTED.search(line):
                started.append(log[2])
                pids[log[2]] = match[1]
        elif log:
            launch.append(clean(line))
        elif printed:
            process = processes.setdefault(printed[1], {'log': [], 'output': []})
            process['output'].append(clean(printed[2]))
        # Of a traceback only its first and last line: the rest is the source of whoever raised.
        elif not traceback or not line.startswith('  '):
            traceback = line.startswith('Traceback ')
            text.append(clean(line))
    for name, process in processes.items():
        # The two streams are separate pipes: only the order within each is certain.
        process['output'].sort(key=lambda line: line.startswith('err'))
        report = folder / 'reports' / pids.get(name, 'none')
        if report.is_file():
            process |= _describe_report(json.loads(report.read_text()), run.base, clean)
    result = {'exit_code': run.exit_code, 'launch': launch, 'started': started,
              'processes': dict(sorted(processes.items())), 'text': text,
              'stderr': [clean(line) for line in run.errors],
              'log_file': _log_lines(folder, clean)}
    return result | ({'seconds': round(run.seconds, 1)} if case.timed else {})


def _describe_report(report: dict[str, Any], base: Mapping[str, str],
                     clean: _Cleaner) -> dict[str, Any]:
    added = {name: clean(value) for name, value in report['environment'].items()
             if base.get(name) != value and name not in NOT_COMPARED}
    removed = sorted(set(base) - set(report['environment']) - NOT_COMPARED)
    return {
        'argv': [clean(word) for word in report['argv']], 'cwd': clean(report['cwd']),
        'environment': {'added': dict(sorted(added.items())), 'removed': removed},
        'parameters': [text if text is None else yaml.load(text, SyntaxTolerantLoader)
                       for text in report['parameters']]}


def _log_lines(folder: Path, clean: _Cleaner) -> list[str]:
    files = list((folder / 'logs').glob('*/launch.log'))
    lines = [line for file in files for line in file.read_text().splitlines()]
    # Only what processes printed: all else is on the screen too.
    texts = [re.sub(r'^[\d.]+ ', '', line) for line in lines]
    # Upstream writes each of them twice.
    return sorted({clean(text) for text in texts if PROCESS_LINE.match(text)})


class _Cleaner:
    """Replaces paths, ids and times by names."""

    def __init__(self, folder: Path) -> None:
        self._rules = [
            (re.escape(str(folder / 'prefix')), '{prefix}'),
            (re.escape(str(folder / 'logs')) + r'/[^/\s]+', '{logs}'),
            (re.escape(str(folder / 'tmp')) + r'/launch_params_\w+', '{parameters}'),
            (re.escape(str(folder)), '{folder}'),
            (re.escape(sys.executable), '{python}'),
            (r'\bpid (\[?)\d+', r'pid \1{pid}'),
            (r'0x[0-9a-f]+', '{address}'),
            (r'searching: \[.*\]', 'searching: {places}'),
        ]

    def __call__(self, text: str) -> str:
        for pattern, name in self._rules:
            text = re.sub(pattern, name, text)
        return text


class _Reader:
    """Collects the lines of a pipe in a thread."""

    def __init__(self, pipe: Any) -> None:
        self._queue: queue.Queue[str] = queue.Queue()
        self._seen: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def wait_for(self, text: str, deadline: float) -> None:
        """Wait for a line that contains the text."""
        while time.monotonic() < deadline:
            try:
                self._seen.append(self._queue.get(timeout=0.05))
            except queue.Empty:
                continue
            if text in self._seen[-1]:
                return
        raise TimeoutError(f'no line contains {text!r}; seen: {self._seen}')

    def finish(self) -> list[str]:
        """Return all lines."""
        self._thread.join(timeout=5.0)
        while not self._queue.empty():
            self._seen.append(self._queue.get())
        return self._seen

    def _read(self, pipe: Any) -> None:
        for line in pipe:
            self._queue.put(line.rstrip('\n'))


def _reset_sigint() -> None:
    # A shell's background jobs inherit an ignored SIGINT.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _kill_session(pid: int) -> None:
    for entry in os.listdir('/proc'):
        if entry.isdigit() and int(entry) != pid:
            try:
                if os.getsid(int(entry)) == pid:
                    os.kill(int(entry), signal.SIGKILL)
            except ProcessLookupError:
                continue
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
