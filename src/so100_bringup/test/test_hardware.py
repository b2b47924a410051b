# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The choice between hardware and simulation, and the operator's file behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from so100_bringup.hardware import Arm
from so100_bringup.hardware import Camera
from so100_bringup.hardware import choose
from so100_bringup.hardware import Hardware
from so100_bringup.hardware import HardwareError
from so100_bringup.hardware import load_hardware
from so100_bringup.hardware import Mode
from so100_bringup.hardware import select_cameras
from so100_bringup.ports import SerialPort

NONE = {'leader': '', 'follower': ''}
BOTH = {'leader': '/dev/a', 'follower': '/dev/b'}
FOUND = [SerialPort(Path('/dev/ttyACM3'), Path('/dev/serial/by-id/usb-X'), '5A7C')]


def decide(requested: str, ports: dict[str, str], there: tuple[str, ...], given: bool) -> Mode:
    """Choose on a machine with the ports `there`."""
    return choose(requested, ports, given, present=there.__contains__, found=lambda: FOUND)


@pytest.mark.parametrize('requested, ports, there, mode', [
    ('auto', NONE, (), Mode.SIM),
    ('auto', BOTH, ('/dev/a', '/dev/b'), Mode.REAL),
    ('real', BOTH, ('/dev/a', '/dev/b'), Mode.REAL),
    ('sim', NONE, (), Mode.SIM),
    ('sim', BOTH, ('/dev/a', '/dev/b'), Mode.SIM),
])
def test_what_is_configured_decides(
    requested: str, ports: dict[str, str], there: tuple[str, ...], mode: Mode,
) -> None:
    """Auto means real exactly when ports are configured; sim in so many words wins."""
    assert decide(requested, ports, there, given=False) is mode


@pytest.mark.parametrize('requested', ['auto', 'real'])
@pytest.mark.parametrize('there', [(), ('/dev/a',), ('/dev/b',)])
def test_a_missing_port_never_becomes_a_simulation(
    requested: str, there: tuple[str, ...],
) -> None:
    """It is an error that names the arm and lists the ports found."""
    with pytest.raises(HardwareError, match=r'arm is not there(.|\n)*/dev/ttyACM3(.|\n)*5A7C'):
        decide(requested, BOTH, there, given=False)


@pytest.mark.parametrize('ports, missing', [
    ({'leader': '/dev/a', 'follower': ''}, 'follower'),
    ({'leader': '', 'follower': '/dev/b'}, 'leader'),
])
def test_half_a_configuration_never_becomes_a_simulation(
    ports: dict[str, str], missing: str,
) -> None:
    """The arm without a port is named."""
    with pytest.raises(HardwareError, match=f'no port configured for the {missing} arm'):
        decide('auto', ports, ('/dev/a', '/dev/b'), given=False)


def test_real_without_ports_is_an_error() -> None:
    """Asking for hardware never gives a simulation."""
    with pytest.raises(HardwareError, match='leader arm; no port configured for the follower'):
        decide('real', NONE, (), given=False)


def test_sim_contradicts_a_port_argument() -> None:
    """Two arguments that exclude each other are not weighed."""
    with pytest.raises(HardwareError, match='contradicts'):
        decide('sim', BOTH, ('/dev/a', '/dev/b'), given=True)


def test_an_unplugged_machine_is_told_what_to_plug() -> None:
    """No list of ports, but the next step."""
    with pytest.raises(HardwareError, match='No serial port was found'):
        choose('auto', BOTH, False, present=lambda _: False, found=list)


def test_a_full_file_is_read(tmp_path: Path) -> None:
    """Arms and cameras arrive as typed values."""
    path = tmp_path / 'hardware.yaml'
    path.write_text("""
version: 1
leader: {port: /dev/a, robot_id: red}
follower: {port: '5A7C', calibration_file: /x.json}
cameras:
  front: {package: usb_cam, executable: usb_cam_node_exe, parameters: {framerate: 30.0}}
""")
    assert load_hardware(path) == Hardware(
        Arm('/dev/a', 'red', ''), Arm('5A7C', '', '/x.json'),
        (Camera('front', 'usb_cam', 'usb_cam_node_exe', {'framerate': 30.0}),))


def test_arguments_replace_the_files_values() -> None:
    """An empty argument keeps what the file says."""
    hardware = Hardware(Arm('/dev/a', 'red'), Arm('/dev/b', 'blue'))
    changed = hardware.with_arguments({'leader': '/dev/c', 'follower': ''}, '')
    assert (changed.leader, changed.follower) == (Arm('/dev/c', 'red'), Arm('/dev/b', 'blue'))
    assert hardware.with_arguments({}, 'green').follower == Arm('/dev/b', 'green')


@pytest.mark.parametrize('text, message', [
    ('', 'the file is None'),
    ('[1]', 'the file is'),
    ('version: 2', 'version is 2, expected 1'),
    ('version: 1\nleeder: {}', 'unknown key leeder'),
    ('version: 1\nleader: {prot: x}', 'unknown key prot in leader'),
    ('version: 1\nleader: {port: 7}', 'leader.port is 7'),
    ('version: 1\nfollower: [x]', 'follower is'),
    ('version: 1\ncameras: [front]', 'cameras is'),
    ('version: 1\ncameras: {front: {package: x}}', 'cameras.front.executable is missing'),
    ('version: 1\ncameras: {front: {package: x, executable: y, parameters: 3}}',
     'cameras.front.parameters is 3'),
    ('version: [', 'cannot be read as YAML'),
])
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file, the key and what was found."""
    path = tmp_path / 'hardware.yaml'
    path.write_text(text)
    with pytest.raises(HardwareError) as caught:
        load_hardware(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path is in the error."""
    with pytest.raises(HardwareError, match='nowhere.yaml'):
        load_hardware(tmp_path / 'nowhere.yaml')


@pytest.mark.parametrize('wanted, selected', [
    ('all', ('front', 'wrist')), ('none', ()), ('wrist', ('wrist',)),
    ('wrist, front', ('wrist', 'front')),
])
def test_cameras_are_selected_by_name(wanted: str, selected: tuple[str, ...]) -> None:
    """All, none, or a list."""
    assert select_cameras(wanted, ('front', 'wrist')) == selected


def test_an_unknown_camera_is_refused() -> None:
    """The error lists those there are."""
    with pytest.raises(HardwareError, match='no camera top; there is front, wrist'):
        select_cameras('front,top', ('front', 'wrist'))
