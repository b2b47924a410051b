# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Launch arguments: their declaration, and their values parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from so100_bringup.security import MODES


def declare_common() -> list[DeclareLaunchArgument]:
    """Declare the arguments that every launch file of the robot has."""
    share = Path(get_package_share_directory('so100_bringup'))
    return [
        DeclareLaunchArgument(
            'namespace', default_value='',
            description='Namespace before every node and topic of this robot'),
        DeclareLaunchArgument(
            'params_file', default_value=str(share / 'config' / 'params.yaml'),
            description='Parameters of all nodes'),
        DeclareLaunchArgument(
            'hardware_file', default_value=str(share / 'config' / 'hardware.yaml'),
            description='Ports, ids and cameras of the real robot'),
        DeclareLaunchArgument(
            'hardware', default_value='auto', choices=['auto', 'real', 'sim'],
            description='auto: real if a port is configured (argument or hardware file), else '
                        'simulation'),
        DeclareLaunchArgument(
            'robot_id', default_value='',
            description='Name under which LeRobot calibrated the arms; replaces the hardware '
                        "file's"),
        DeclareLaunchArgument(
            'arm', default_value='so100', choices=['so100', 'so101'],
            description='Model of the simulated arms'),
        DeclareLaunchArgument(
            'seed', default_value='0',
            description="Seed of the simulated world's placement and appearance"),
        DeclareLaunchArgument(
            'use_sim_time', default_value='false', choices=['true', 'false'],
            description='Stamp messages with /clock; guard and watchdogs stay on the '
                        'monotonic clock'),
        DeclareLaunchArgument(
            'autostart', default_value='true', choices=['true', 'false'],
            description='Configure and activate the nodes at once'),
        DeclareLaunchArgument(
            'log_level', default_value='info', choices=['debug', 'info', 'warn', 'error'],
            description='Log level of every node'),
        DeclareLaunchArgument(
            'security', default_value='off', choices=list(MODES),
            description='Authenticate, encrypt and restrict every node: see docs/security.md'),
        DeclareLaunchArgument(
            'keystore', default_value='',
            description='Folder with the keys of the nodes, for security:=permissive|enforce'),
    ]


@dataclass(frozen=True)
class Settings:
    """Values of the common launch arguments."""

    namespace: str
    params_file: Path
    hardware_file: Path
    hardware: str
    robot_id: str
    arm: str
    seed: int
    use_sim_time: bool
    autostart: bool
    log_level: str
    security: str = 'off'
    keystore: str = ''


def read_common(context: LaunchContext) -> Settings:
    """Parse the common arguments; raises ValueError naming the argument."""
    values = {name: value_of(context, name) for name in Settings.__dataclass_fields__}
    params_file = existing(context, 'params_file')
    hardware_file = existing(context, 'hardware_file')
    try:
        seed = int(values['seed'])
    except ValueError:
        raise ValueError(f'seed:={values["seed"]}: expected an integer') from None
    return Settings(
        values['namespace'], params_file, hardware_file, values['hardware'],
        values['robot_id'], values['arm'], seed, flag(values['use_sim_time']),
        flag(values['autostart']), values['log_level'], values['security'], values['keystore'])


def value_of(context: LaunchContext, name: str) -> str:
    """Return a launch argument's value."""
    return LaunchConfiguration(name).perform(context)


def flag(text: str) -> bool:
    """Convert `true` or `false` (as the declarations' choices allow) to bool."""
    return text == 'true'


def existing(context: LaunchContext, name: str) -> Path:
    """Return the file that a launch argument names; raises ValueError if it is not there."""
    value = value_of(context, name)
    path = Path(value).expanduser()
    if not path.is_file():
        raise ValueError(f'{name}:={value}: there is no such file')
    return path
