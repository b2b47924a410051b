# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Building and testing with colcon."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import tempfile

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
"""Packages whose tests compute and have no deadlines: they go beside the others' waiting."""


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
    aside = [] if packages else COMPUTING
    step('Testing the packages: colcon test')
    with _in_background(env, aside) as finished:
        choice = ['--packages-select', *packages] if packages else ['--packages-skip', *aside]
        statuses = [subprocess.call(_colcon_test(choice), env=env, cwd=ROOT)]
        if not packages:
            statuses.append(_test_workspace(env))
        statuses.append(finished())
    statuses.append(subprocess.call(
        [*_COLCON, 'test-result', '--test-result-base', str(BUILD), '--verbose'],
        env=env, cwd=ROOT))
    failed = any(statuses)
    step('Some tests failed: see above' if failed else 'All tests passed')
    return int(failed)


def _colcon_test(choice: list[str]) -> list[str]:
    # One package at a time: tests with deadlines must not compete for two cores.
    return [*_COLCON, 'test', *_BASE, '--executor', 'sequential', '--return-code-on-test-failure',
            # Real processes with deadlines on a host that others use: a second failure counts.
            '--retest-until-pass', '1', '--event-handlers', 'console_direct+', *choice,
            '--pytest-args', '-p', 'no:cacheprovider', '--timeout=300']


def _test_workspace(env: dict[str, str]) -> int:
    step('Testing the workspace: tests/')
    report = BUILD / 'workspace' / 'pytest.xml'
    return subprocess.call(
        ['python', '-m', 'pytest', str(ROOT / 'tests'), '--ignore',
         str(ROOT / 'tests' / 'reference'), '-p', 'no:cacheprovider',
         '--timeout=300', '--reruns', '1', f'--junit-xml={report}', '-o',
         'junit_suite_name=workspace'],
        env=env, cwd=ROOT)


@contextmanager
def _in_background(env: dict[str, str], packages: list[str]) -> Iterator[Callable[[], int]]:
    """Test packages on whatever the others leave idle; give what waits, prints and returns."""
    if not packages:
        yield lambda: 0
        return
    with tempfile.TemporaryFile('w+') as output:
        process = subprocess.Popen(
            _colcon_test(['--packages-select', *packages]), env=env, cwd=ROOT, text=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=_give_way)

        def finished() -> int:
            step(f'Waiting for the tests beside: {" ".join(packages)}')
            status = process.wait()
            output.seek(0)
            sys.stdout.write(output.read())
            sys.stdout.flush()
            return status
        try:
            yield finished
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()


def _give_way() -> None:
    """Take the lowest priority, also of the session as a whole, where Linux weighs those."""
    os.nice(19)
    with suppress(OSError):
        Path('/proc/self/autogroup').write_text('19')


def clean(everything: bool) -> None:
    """Remove what was built; with `everything` the virtual environment too."""
    for path in [BUILD, INSTALL, LOG, ROOT / 'demo', *([VENV] if everything else [])]:
        if path.exists():
            step(f'Removing {path.relative_to(ROOT)}/')
            shutil.rmtree(path)
