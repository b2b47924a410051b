# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The launch files over any robot find the robot, and refuse what they cannot start."""

from __future__ import annotations

from pathlib import Path
import subprocess

import pytest


def refusal(file: str, *arguments: str) -> str:
    """Launch, expect a failure before any process started, and return the output."""
    result = subprocess.run(
        ['ros2', 'launch', 'apprentice', file, *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    assert result.returncode == 1, result.stdout
    assert 'process started' not in result.stdout
    return result.stdout


@pytest.mark.parametrize('robot', ['so100', 'so101'])
@pytest.mark.parametrize('file', ['teleop.launch.py', 'record.launch.py'])
def test_a_robot_is_found_and_gets_its_arguments(robot: str, file: str) -> None:
    """The refusal is the robot's own, about an argument that only its launch file knows."""
    output = refusal(file, f'robot:={robot}', 'dataset:=unused', 'follower_port:=/dev/nowhere')
    assert 'port /dev/nowhere of the follower arm is not there' in output


def test_a_robot_brings_its_contract_unless_one_is_given(tmp_path: Path) -> None:
    """A contract that is given is the one that counts."""
    missing = tmp_path / 'mine.yaml'
    output = refusal('record.launch.py', 'robot:=so100', 'dataset:=unused', 'hardware:=sim',
                     f'contract:={missing}')
    assert f'contract:={missing}: there is no such file' in output


@pytest.mark.parametrize('file', ['teleop.launch.py', 'record.launch.py'])
def test_an_unknown_robot_is_named(file: str) -> None:
    """With what is missing for it."""
    output = refusal(file, 'robot:=walker', 'dataset:=unused')
    assert 'there is no package walker_bringup' in output


def test_recording_without_robot_and_contract_is_refused() -> None:
    """Neither is guessed."""
    output = refusal('record.launch.py', 'dataset:=unused')
    assert 'neither robot:= nor contract:= is given' in output
