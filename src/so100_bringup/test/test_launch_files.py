# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The launch files as an operator starts them; nothing here gets as far as a node."""

from __future__ import annotations

from pathlib import Path
import subprocess

from ament_index_python.packages import get_package_share_directory
import pytest
import yaml

pytestmark = pytest.mark.timeout(60)
ARGUMENTS = {
    'namespace', 'params_file', 'hardware_file', 'hardware', 'robot_id', 'arm', 'seed',
    'use_sim_time', 'autostart', 'log_level', 'security', 'keystore'}


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `ros2 launch` to its end."""
    return subprocess.run(
        ['ros2', 'launch', *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=40)


def refusal(*arguments: str) -> str:
    """Launch, expect a failure before any process started, and return the output."""
    result = launch('so100_bringup', *arguments)
    assert result.returncode == 1, result.stdout
    assert 'process started' not in result.stdout
    return result.stdout


@pytest.mark.parametrize('file, own', [
    ('teleop.launch.py', {'leader_port', 'follower_port', 'side', 'cameras', 'view'}),
    ('driver.launch.py', {'role', 'port'}),
    ('record.launch.py', {'leader_port', 'follower_port', 'side', 'cameras', 'view', 'dataset',
                          'task', 'contract', 'preflight'}),
])
def test_every_argument_has_a_description(file: str, own: set[str]) -> None:
    """The list that --show-args prints is complete."""
    result = launch('so100_bringup', file, '--show-args')
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    shown = {line.strip(" ':"): lines[number + 1].strip()
             for number, line in enumerate(lines) if line.startswith("    '")}
    assert set(shown) == ARGUMENTS | own
    assert all(len(text) > 10 and text != 'no description given' for text in shown.values())


@pytest.mark.parametrize('file, argument', [
    ('teleop.launch.py', 'follower_port:=/dev/nowhere'),
    ('driver.launch.py', 'port:=/dev/nowhere'),
    ('record.launch.py', 'follower_port:=/dev/nowhere dataset:=unused'),
])
def test_a_missing_port_ends_the_launch(file: str, argument: str) -> None:
    """Non-zero, nothing started, no simulation instead."""
    output = refusal(file, *argument.split())
    assert 'port /dev/nowhere of the follower arm is not there' in output
    assert 'SIMULATION' not in output


def test_ports_in_the_hardware_file_count_as_configured(tmp_path: Path) -> None:
    """The operator's file alone is enough to leave the simulation."""
    path = tmp_path / 'hardware.yaml'
    path.write_text('version: 1\nleader: {port: /dev/n1}\nfollower: {port: /dev/n2}\n')
    output = refusal('teleop.launch.py', f'hardware_file:={path}')
    assert 'port /dev/n1 of the leader arm is not there' in output
    assert 'port /dev/n2 of the follower arm is not there' in output


@pytest.mark.parametrize('arguments, message', [
    (['hardware:=real'], 'no port configured for the leader arm'),
    (['hardware:=sim', 'leader_port:=/dev/null'], 'contradicts'),
    (['hardware:=maybe'], 'maybe'),
    (['params_file:=/nowhere.yaml'], 'params_file:=/nowhere.yaml: there is no such file'),
    (['hardware_file:=/nowhere.yaml'], 'hardware_file:=/nowhere.yaml: there is no such file'),
    (['seed:=x'], 'seed:=x: expected an integer'),
    (['cameras:=top'], 'no camera top; there is front, wrist'),
])
def test_a_wrong_argument_is_refused(arguments: list[str], message: str) -> None:
    """One error says which argument and what would be right."""
    assert message in refusal('teleop.launch.py', *arguments)


def test_recording_asks_for_a_folder_and_a_contract_that_is_there() -> None:
    """Neither is guessed."""
    assert 'dataset' in refusal('record.launch.py', 'hardware:=sim')
    output = refusal('record.launch.py', 'dataset:=unused', 'contract:=/nowhere.yaml')
    assert 'contract:=/nowhere.yaml: there is no such file' in output


def test_the_operators_file_as_shipped_configures_nothing() -> None:
    """A fresh clone starts the simulation."""
    path = Path(get_package_share_directory('so100_bringup')) / 'config' / 'hardware.yaml'
    document = yaml.safe_load(path.read_text())
    assert (document['leader']['port'], document['follower']['port']) == ('', '')
    assert document['cameras'] == {}


def test_every_block_of_the_parameter_file_follows_a_namespace() -> None:
    """A block without the wildcard would be lost under `namespace:=...`."""
    path = Path(get_package_share_directory('so100_bringup')) / 'config' / 'params.yaml'
    blocks = yaml.safe_load(path.read_text())
    assert blocks
    for name, block in blocks.items():
        assert name.startswith('/**/')
        assert list(block) == ['ros__parameters']
