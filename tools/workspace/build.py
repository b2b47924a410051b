# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Building and testing with colcon."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess

from workspace import environment
from workspace import home
from workspace.console import step
from workspace.console import timed
from workspace.console import WorkspaceError
from workspace.paths import BUILD
from workspace.paths import INSTALL
from workspace.paths import LOG
from workspace.paths import ROOT
from workspace.paths import VENV

# Under the environment's own Python, wherever colcon itself comes from: the executables that it
# makes and the tests that it runs then find what only .venv has.
_COLCON = ['python', '-c', 'from colcon_core.command import main; raise SystemExit(main())']
_BASE = ['--base-paths', str(ROOT / 'src')]
COMPUTING = ['apprentice_control', 'apprentice_contract', 'apprentice_dataset',
             'apprentice_policies', 'apprentice_training']
"""Packages whose tests compute and have no deadlines: two are tested at once."""


def build(env: dict[str, str], packages: list[str],
          only_if_missing: bool = False) -> dict[str, str]:
    """Build the workspace, or `packages` and what they need; return the sourced environment."""
    if only_if_missing and (INSTALL / 'local_setup.bash').is_file():
        return env
    choice = ['--packages-up-to', *packages] if packages else []
    with home.lock(), timed('Building with colcon'):
        result = subprocess.run(
            [*_COLCON, 'build', *_BASE, '--symlink-install', '--event-handlers',
             'console_cohesion-', 'console_start_end-', 'status-', 'summary-', *choice],
            env=env, cwd=ROOT, text=True, capture_output=True)
        if result.returncode != 0:
            tail = '\n'.join((result.stdout + result.stderr).splitlines()[-40:])
            raise WorkspaceError(f'colcon build failed:\n{tail}')
    return environment.current()


def test(env: dict[str, str], packages: list[str]) -> int:
    """Run colcon test, then tests/ unless only some packages are asked for; return 0 or 1."""
    # A shell starts what goes to its background with Ctrl-C ignored, and children inherit that;
    # the tests press Ctrl-C on what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    step('Testing the packages: colcon test')
    if packages:
        statuses = [_colcon_test(env, 1, '--packages-select', *packages)]
    else:
        statuses = [_colcon_test(env, 2, '--packages-select', *COMPUTING),
                    # One at a time: tests with deadlines must not compete for two cores.
                    _colcon_test(env, 1, '--packages-skip', *COMPUTING),
                    _test_workspace(env)]
    statuses.append(subprocess.call(
        [*_COLCON, 'test-result', '--test-result-base', str(BUILD), '--verbose'],
        env=env, cwd=ROOT))
    failed = any(statuses)
    step('Some tests failed: see above' if failed else 'All tests passed')
    return int(failed)


def _colcon_test(env: dict[str, str], workers: int, *choice: str) -> int:
    command = [
        *_COLCON, 'test', *_BASE, '--executor', 'parallel', '--parallel-workers', str(workers),
        '--return-code-on-test-failure',
        # Real processes with deadlines on a host that others use: a second failure counts.
        '--retest-until-pass', '1', '--event-handlers',
        'console_direct+' if workers == 1 else 'console_cohesion+', *choice,
        '--pytest-args', '-p', 'no:cacheprovider', '--timeout=300']
    status = subprocess.call(command, env=env, cwd=ROOT)
    crashed = _crashed() if status else []
    if crashed:
        # Of a package whose tests died nothing was tried again, and rclpy may crash where a node
        # is destroyed. What failed in others is told by `colcon test-result`.
        step(f'Testing again what ended by a signal: {" ".join(crashed)}')
        again = command.index(choice[0])
        command[again:again + len(choice)] = ['--packages-select', *crashed]
        status = subprocess.call(command, env=env, cwd=ROOT)
    return status


def _crashed() -> list[str]:
    """Return the packages whose tests a signal ended in the last run."""
    events = LOG / 'latest_test' / 'events.log'
    text = events.read_text() if events.is_file() else ''
    return re.findall(r"JobEnded: \{'identifier': '(\w+)', 'rc': -\d+\}", text)


def _test_workspace(env: dict[str, str]) -> int:
    step('Testing the workspace: tests/')
    report = BUILD / 'workspace' / 'pytest.xml'
    return subprocess.call(
        ['python', '-m', 'pytest', str(ROOT / 'tests'), '--ignore',
         str(ROOT / 'tests' / 'reference'), '-p', 'no:cacheprovider',
         '--timeout=300', '--reruns', '1', f'--junit-xml={report}', '-o',
         'junit_suite_name=workspace'],
        env=env, cwd=ROOT)


def clean(everything: bool) -> None:
    """Remove what was built; with `everything` the virtual environment too."""
    for path in [BUILD, INSTALL, LOG, ROOT / 'demo', *([VENV] if everything else [])]:
        if path.exists():
            step(f'Removing {path.relative_to(ROOT)}/')
            shutil.rmtree(path)
