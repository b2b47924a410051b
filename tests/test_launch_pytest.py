# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The stand-in for launch_pytest runs launches beside tests.

The tests of each fixture, run alone, pass with upstream's (and pytest 7) too. Together they do
not: it shares event loops between fixtures, keeps the environment, and waits for ever for a
launch that failed.
"""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import subprocess
import sys

from launch import LaunchContext
from launch import LaunchDescription
from launch import LaunchService
from launch.actions import ExecuteProcess
from launch.actions import SetEnvironmentVariable
from launch.actions import TimerAction
import launch_pytest
from launch_pytest.actions import ReadyToTest
import pytest

# A mark: upstream's plug-in takes a skip of the whole module for an end of the collection.
pytestmark = [pytest.mark.timeout(30), pytest.mark.skipif(
    'pip_ros' not in Path(launch_pytest.__file__).parts, reason="launch_pytest is upstream's")]
EVENTS: list[str] = []
FAILING = """
from launch import LaunchDescription
from launch.actions import ExecuteProcess, OpaqueFunction, TimerAction
import launch_pytest
from launch_pytest.actions import ReadyToTest
import pytest
import time

fails = OpaqueFunction(function=lambda context: 1 / 0)

@launch_pytest.fixture
def at_once():
    return LaunchDescription([fails, ReadyToTest()])

@launch_pytest.fixture
def later():
    return LaunchDescription([
        ExecuteProcess(cmd=['sleep', '60']), ReadyToTest(),
        TimerAction(period=0.1, actions=[fails])])

@launch_pytest.fixture
def over():
    return LaunchDescription([])

@pytest.mark.launch(fixture=at_once)
def test_never_runs():
    raise AssertionError

@pytest.mark.launch(fixture=later)
def test_runs():
    time.sleep(0.5)

@pytest.mark.launch(fixture=over)
def test_runs_too():
    pass
"""


def write(path: Path, text: str) -> ExecuteProcess:
    """Return a process that writes a file and stays until it is told to end."""
    return ExecuteProcess(
        cmd=['sh', '-c', f'trap "rm {path}; exit 0" INT; echo {text} > {path}; '
                         'while :; do sleep 0.05; done'])


@launch_pytest.fixture
def one_file(tmp_path: Path) -> tuple[LaunchDescription, Path]:
    """Write a file and be ready a little later."""
    path = tmp_path / 'file'
    return LaunchDescription([
        SetEnvironmentVariable('CASE_IN_LAUNCH', '1'), write(path, 'one'),
        TimerAction(period=0.5, actions=[ReadyToTest()])]), path


@launch_pytest.fixture(scope='module')
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LaunchDescription, Path]]:
    """Run for all tests of this file."""
    path = tmp_path_factory.mktemp('shared') / 'file'
    EVENTS.append('begin')
    yield LaunchDescription([
        write(path, 'two'), TimerAction(period=0.5, actions=[ReadyToTest()])]), path
    EVENTS.append('end')


@pytest.mark.launch(fixture=one_file)
def test_runs_beside_the_launch(one_file: tuple[LaunchDescription, Path],
                                launch_context: LaunchContext) -> None:
    """The test begins at ReadyToTest and gets what the fixture returns."""
    assert one_file[1].read_text() == 'one\n'
    assert isinstance(launch_context, LaunchContext)


@pytest.mark.launch(fixture=one_file, shutdown=True)
def test_runs_after_the_shutdown(one_file: tuple[LaunchDescription, Path],
                                 launch_service: LaunchService) -> None:
    """With shutdown=True the processes have ended before the test begins."""
    assert not one_file[1].exists()
    assert isinstance(launch_service, LaunchService)


@pytest.mark.launch(fixture=shared)
def test_shares_a_launch_first(shared: tuple[LaunchDescription, Path]) -> None:
    """A launch of module scope begins before its first test."""
    assert EVENTS == ['begin']
    assert shared[1].read_text() == 'two\n'


@pytest.mark.launch(fixture=shared)
def test_shares_a_launch_again(shared: tuple[LaunchDescription, Path]) -> None:
    """The next test meets the same launch."""
    assert EVENTS == ['begin']
    assert shared[1].read_text() == 'two\n'


def test_without_a_launch() -> None:
    """A test without the mark has no launch, and sees none of its environment."""
    assert 'CASE_IN_LAUNCH' not in os.environ


def test_a_failing_launch_is_an_error(tmp_path: Path) -> None:
    """A launch that fails before, or beside, its test makes an error; one that ends well none."""
    file = tmp_path / 'test_failing.py'
    file.write_text(FAILING)
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(file)],
        capture_output=True, text=True, timeout=30)
    assert done.stdout.splitlines()[-1].startswith('2 passed, 2 errors'), done.stdout
    assert "the launch of fixture 'at_once' ended with exit code 1" in done.stdout
