# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Building and testing with colcon."""

from __future__ import annotations

from pathlib import Path
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
LANES = (
    # Tests that compute, and have no deadlines.
    (['apprentice_dataset'],
     ['apprentice_contract', 'apprentice_control', 'apprentice_policies', 'apprentice_training']),
    # Tests that mostly wait, on less than a third of a core.
    (['feetech_driver'],
     ['apprentice_doctor', 'apprentice_msgs', 'apprentice_node', 'apprentice_sim',
      'opencv_camera_driver', 'so_arm_description']))
"""
Packages whose tests run side by side: the lists of a row do, the packages of a list do not.

All others are tested one at a time: a recorder or a control loop that waits for a core is late.
colcon by itself would let tests wait for those of what their package depends on, which leaves a
core without work.
"""


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
        statuses = _colcon_tests(env, packages)
    else:
        statuses = [status for lanes in (*LANES, [_others()])
                    for status in _colcon_tests(env, *lanes)]
        statuses.append(_test_workspace(env))
    statuses.append(subprocess.call(
        [*_COLCON, 'test-result', '--test-result-base', str(BUILD), '--verbose'],
        env=env, cwd=ROOT))
    failed = any(statuses)
    step('Some tests failed: see above' if failed else 'All tests passed')
    return int(failed)


def _others() -> list[str]:
    named = {name for lanes in LANES for lane in lanes for name in lane}
    return sorted({path.parent.name for path in (ROOT / 'src').glob('*/package.xml')} - named)


def _colcon_tests(env: dict[str, str], *lanes: list[str]) -> list[int]:
    """Test lists of packages side by side; return the exit codes."""
    commands = [_test_command(number, len(lanes) > 1, lane) for number, lane in enumerate(lanes)]
    running = [subprocess.Popen(command, env=env, cwd=ROOT) for command in commands]
    statuses = [process.wait() for process in running]
    for number, status in enumerate(statuses):
        crashed = _crashed(number) if status else []
        if crashed:
            # Of a package whose tests died nothing was tried again, and rclpy may crash where a
            # node is destroyed. What failed in others is told by `colcon test-result`.
            step(f'Testing again what ended by a signal: {" ".join(crashed)}')
            statuses[number] = subprocess.call(_test_command(number, False, crashed), env=env,
                                               cwd=ROOT)
    return statuses


def _test_command(number: int, beside_others: bool, packages: list[str]) -> list[str]:
    return [*_COLCON, '--log-base', str(_log(number)), 'test', *_BASE, '--executor', 'sequential',
            '--return-code-on-test-failure',
            # Real processes with deadlines on a host that others use: a second failure counts.
            '--retest-until-pass', '1', '--event-handlers',
            'console_cohesion+' if beside_others else 'console_direct+',
            '--packages-select', *packages,
            '--pytest-args', '-p', 'no:cacheprovider', '--timeout=300']


def _log(number: int) -> Path:
    return LOG / f'test_{number}'


def _crashed(number: int) -> list[str]:
    """Return the packages whose tests a signal ended in the last run of a lane."""
    events = _log(number) / 'latest_test' / 'events.log'
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
