# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The launch files are the SO-100's with other defaults."""

from __future__ import annotations

import subprocess

import pytest

pytestmark = pytest.mark.timeout(60)


def show(package: str, file: str) -> list[str]:
    """Return the lines that --show-args prints."""
    result = subprocess.run(
        ['ros2', 'launch', package, file, '--show-args'], capture_output=True, text=True,
        timeout=40)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def names(lines: list[str]) -> set[str]:
    """Return the names of the arguments."""
    return {line.strip(" ':") for line in lines if line.startswith("    '")}


@pytest.mark.parametrize('file', ['teleop.launch.py', 'driver.launch.py', 'record.launch.py'])
def test_the_arguments_are_the_same(file: str) -> None:
    """Nothing to learn twice."""
    assert names(show('so101_bringup', file)) == names(show('so100_bringup', file))


@pytest.mark.parametrize('file', ['teleop.launch.py', 'driver.launch.py', 'record.launch.py'])
def test_the_defaults_are_the_so101s(file: str) -> None:
    """Its own model and its own hardware file."""
    text = '\n'.join(show('so101_bringup', file))
    assert "(default: 'so101')" in text
    assert 'share/so101_bringup/config/hardware.yaml' in text


@pytest.mark.parametrize('launch', ['teleop.launch.py', 'record.launch.py dataset:=unused'])
def test_it_looks_for_its_own_ports(launch: str) -> None:
    """A missing port is looked up in the right file, and nothing starts."""
    result = subprocess.run(
        ['ros2', 'launch', 'so101_bringup', *launch.split(), 'leader_port:=/dev/nowhere'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=40)
    assert result.returncode == 1
    assert 'port /dev/nowhere of the leader arm is not there' in result.stdout
    assert 'process started' not in result.stdout
