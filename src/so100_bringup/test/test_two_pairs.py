# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Two pairs: the operator's file, the commands that start them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import subprocess

from ament_index_python.packages import get_package_share_directory
import pytest
from so100_bringup.bimanual import pair_command
from so100_bringup.hardware import Arm
from so100_bringup.hardware import Camera
from so100_bringup.hardware import HardwareError
from so100_bringup.hardware import load_common_cameras
from so100_bringup.hardware import load_hardware
from so100_bringup.settings import Settings
import yaml

pytestmark = pytest.mark.timeout(60)
SHARE = Path(get_package_share_directory('so100_bringup'))
SETTINGS = Settings(
    '', Path('/p.yaml'), Path('/h.yaml'), 'auto', '', 'so100', 5, False, True, 'info')
NO_PORTS = {f'{side}_{role}': '' for side in ('left', 'right') for role in ('leader', 'follower')}
FILE = """
version: 1
left: {leader: {port: /dev/a, robot_id: red_left}, cameras: {wrist: {package: p, executable: e}}}
right: {follower: {port: '5A7C'}}
cameras: {front: {package: p, executable: e}}
"""


def refusal(*arguments: str) -> str:
    """Launch, expect a failure before any process started, and return the output."""
    result = subprocess.run(
        ['ros2', 'launch', 'so100_bringup', 'bimanual.launch.py', *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=40)
    assert result.returncode == 1, result.stdout
    assert 'process started' not in result.stdout and 'SIMULATION' not in result.stdout
    return result.stdout


def test_each_side_of_a_file_is_a_pair_of_its_own(tmp_path: Path) -> None:
    """And the cameras beside them belong to neither."""
    path = tmp_path / 'hardware.yaml'
    path.write_text(FILE)
    left, right = (load_hardware(path, side) for side in ('left', 'right'))
    assert (left.leader, left.follower) == (Arm('/dev/a', 'red_left'), Arm())
    assert (right.leader, right.follower) == (Arm(), Arm('5A7C'))
    assert (left.cameras, right.cameras) == ((Camera('wrist', 'p', 'e'),), ())
    assert load_common_cameras(path) == (Camera('front', 'p', 'e'),)


@pytest.mark.parametrize('text, message', [
    ('version: 1\nleft: {leader: {prot: x}}', 'unknown key prot in left.leader'),
    ('version: 1\nleft: {follower: {port: 7}}', 'left.follower.port is 7'),
    ('version: 1\nleft: [x]', r"left is \['x'\]"),
    ('version: 1\nleft: {version: 1}', 'unknown key version in left'),
    ('version: 1\nleft: {cameras: {wrist: {package: p}}}', 'left.cameras.wrist.executable is'),
    ('version: 1\nleader: {port: x}', 'unknown key leader in the file; known are cameras, left'),
    ('left: {}', 'version is None, expected 1'),
])
def test_a_faulty_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """One error names the file and the side."""
    path = tmp_path / 'hardware.yaml'
    path.write_text(text)
    with pytest.raises(HardwareError, match=f'{path}: .*{message}'):
        load_hardware(path, 'left')


def words(side: str, settings: Settings, ports: dict[str, str], *cameras: str) -> dict[str, str]:
    """Return the arguments of a pair's launch."""
    command = pair_command(side, settings, {**NO_PORTS, **ports}, cameras)
    assert command[:4] == ['ros2', 'launch', 'so100_bringup', 'teleop.launch.py']
    return dict(word.split(':=') for word in command[4:])


def test_a_pair_gets_what_is_its_own() -> None:
    """Its namespace, ports, LeRobot's id of its side, its cameras, and a world of its own."""
    settings = replace(
        SETTINGS, namespace='robot1', robot_id='red', hardware='real', security='enforce',
        keystore='/keys')
    found = words('right', settings, {'left_leader': 'a', 'right_follower': 'b'},
                  'front', 'left/wrist', 'right/wrist', 'right/top')
    assert found == {
        'namespace': 'robot1/right', 'side': 'right', 'hardware_file': '/h.yaml',
        'params_file': '/p.yaml', 'hardware': 'real', 'arm': 'so100', 'seed': '6',
        'use_sim_time': 'false', 'autostart': 'true', 'log_level': 'info',
        'security': 'enforce', 'keystore': '/keys',
        'cameras': 'wrist,top', 'robot_id': 'red_right', 'follower_port': 'b'}


def test_a_pair_without_wishes_follows_the_file() -> None:
    """What was not given is not passed on; no camera of its side means none."""
    found = words('left', SETTINGS, {}, 'right/wrist')
    assert not {'robot_id', 'leader_port', 'follower_port'} & set(found)
    assert (found['namespace'], found['cameras'], found['seed']) == ('left', 'none', '5')


@pytest.mark.parametrize('arguments, message', [
    (['hardware:=real'], 'no port configured for the left leader arm; no port configured for the '
                         'left follower'),
    (['right_follower_port:=/dev/nowhere'], 'port /dev/nowhere of the right follower arm is not'),
    (['hardware:=sim', 'left_leader_port:=/dev/null'], 'contradicts'),
    (['hardware:=sim', 'cameras:=front'], 'no camera front; there is left/front, left/wrist'),
    (['hardware:=sim', 'dataset:=unused', 'contract:=/nowhere.yaml'],
     'contract:=/nowhere.yaml: there is no such file'),
])
def test_a_wrong_argument_is_refused(arguments: list[str], message: str) -> None:
    """Before either pair starts, and naming the arm."""
    assert message in refusal(*arguments)


def test_every_argument_has_a_description() -> None:
    """The list that --show-args prints is complete."""
    result = subprocess.run(
        ['ros2', 'launch', 'so100_bringup', 'bimanual.launch.py', '--show-args'],
        stdout=subprocess.PIPE, text=True, timeout=40)
    lines = result.stdout.splitlines()
    shown = {line.strip(" ':"): lines[number + 1].strip()
             for number, line in enumerate(lines) if line.startswith("    '")}
    assert {f'{name}_port' for name in NO_PORTS} <= set(shown)
    assert {'dataset', 'contract', 'cameras', 'hardware_file', 'namespace'} <= set(shown)
    assert all(len(text) > 10 and text != 'no description given' for text in shown.values())


def test_the_operators_file_as_shipped_configures_nothing() -> None:
    """A fresh clone starts the simulation; the file has each side's arms."""
    document = yaml.safe_load((SHARE / 'config' / 'bimanual_hardware.yaml').read_text())
    assert document['cameras'] == {}
    for side in ('left', 'right'):
        pair = load_hardware(SHARE / 'config' / 'bimanual_hardware.yaml', side)
        assert (pair.leader, pair.follower, pair.cameras) == (Arm(), Arm(), ())
        assert set(document[side]) == {'leader', 'follower', 'cameras'}
