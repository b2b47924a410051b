# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A node's process starts, stops and fails with the right exit code and without noise."""
from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from domain_coordinator import domain_id
import pytest

NODE = Path(__file__).with_name('sample_node.py')
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give a process a domain of its own."""
    with domain_id() as domain:
        yield {**os.environ, 'ROS_DOMAIN_ID': str(domain)}


def start(environment: dict[str, str], *parameters: str) -> subprocess.Popen[str]:
    """Start the node with parameters in the form name:=value."""
    arguments = [part for parameter in parameters for part in ('-p', parameter)]
    return subprocess.Popen(
        [sys.executable, str(NODE), '--ros-args', *arguments], text=True, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Read standard output up to a line."""
    for found in process.stdout:
        if found.strip() == line:
            return
    raise AssertionError(f'{line!r} never came: {process.stderr.read()}')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_releases_and_exits_with_zero(
    environment: dict[str, str], number: signal.Signals,
) -> None:
    """Either signal ends an active node at once, without a word on standard error."""
    process = start(environment)
    wait_for(process, 'activate')
    begin = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out.split(), err) == (0, ['release', 'released'], '')
    assert time.monotonic() - begin < 3.0


def test_repeated_signals_never_cut_the_release(environment: dict[str, str]) -> None:
    """Whoever presses Ctrl-C again and again still gets the whole release."""
    process = start(environment, 'release_s:=1.0')
    wait_for(process, 'activate')
    process.send_signal(signal.SIGINT)
    wait_for(process, 'release')
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGINT):
        process.send_signal(number)
        time.sleep(0.05)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out.split(), err) == (0, ['released'], '')


def test_bad_parameters_exit_with_two(environment: dict[str, str]) -> None:
    """Each problem is one line that names node and key; no hook runs."""
    process = start(environment, 'gian:=2.0', 'release_s:=soon')
    out, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert out == ''
    assert "/sample: parameter 'gian' does not exist; did you mean 'gain'?" in err
    assert "'release_s': found 'soon' (str), expected a number of at least 0" in err
    assert 'Traceback' not in err


def test_bad_arguments_exit_with_two(environment: dict[str, str]) -> None:
    """A parameter file that does not exist is told in words."""
    process = subprocess.Popen(
        [sys.executable, str(NODE), '--ros-args', '--params-file', '/nowhere.yaml'],
        text=True, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert '/nowhere.yaml' in err
    assert 'Traceback' not in err


def test_empty_lists_and_integers_in_a_file_are_accepted(
    environment: dict[str, str], tmp_path: Path,
) -> None:
    """What YAML leaves untyped takes the declared type."""
    file = tmp_path / 'parameters.yaml'
    file.write_text('/**:\n  ros__parameters:\n    pose: []\n    gain: 2\n')
    process = subprocess.Popen(
        [sys.executable, str(NODE), '--ros-args', '--params-file', str(file)],
        text=True, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(process, 'activate')
    process.terminate()
    assert process.communicate(timeout=20)[1] == ''
    assert process.returncode == 0


@pytest.mark.parametrize('hook', ['configure', 'activate'])
def test_failed_autostart_exits_with_one(environment: dict[str, str], hook: str) -> None:
    """An expected error is one line, and what was acquired is given back."""
    process = start(environment, f'refuse:={hook}')
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert 'released' in out.split()
    assert f'cannot {hook}: the port is gone' in err
    assert 'Traceback' not in err


def test_unexpected_exception_shows_its_traceback(environment: dict[str, str]) -> None:
    """By itself rclpy would swallow it."""
    process = start(environment, 'crash:=activate')
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert 'Traceback' in err and 'ZeroDivisionError: never thought of' in err
    assert 'released' in out.split()


def test_failed_release_exits_with_one(environment: dict[str, str]) -> None:
    """A signal does not hide that the release went wrong."""
    process = start(environment, 'refuse:=release')
    wait_for(process, 'activate')
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert 'cannot shut down: the port is gone' in err


def test_without_autostart_the_node_waits_unconfigured(environment: dict[str, str]) -> None:
    """No hook runs before a manager asks; a signal still ends it."""
    process = start(environment, 'autostart:=false')
    time.sleep(1.5)
    assert process.poll() is None
    process.terminate()
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out.split(), err) == (0, ['release', 'released'], '')
