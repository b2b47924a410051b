# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Two leader-follower pairs in the namespaces `left` and `right`, and a recorder if wanted."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import Action
from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from so100_bringup.bimanual import pair_command
from so100_bringup.bimanual import Pairs
from so100_bringup.hardware import choose
from so100_bringup.hardware import load_common_cameras
from so100_bringup.hardware import load_hardware
from so100_bringup.hardware import Mode
from so100_bringup.hardware import ROLES
from so100_bringup.hardware import select_cameras
from so100_bringup.hardware import SIDES
from so100_bringup.nodes import Fleet
from so100_bringup.settings import declare_common
from so100_bringup.settings import existing
from so100_bringup.settings import flag
from so100_bringup.settings import read_common
from so100_bringup.settings import value_of

SIMULATED_CAMERAS = tuple(f'{side}/{name}' for side in SIDES for name in ('front', 'wrist'))


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; everything else depends on their values."""
    config = Path(get_package_share_directory('so100_bringup')) / 'config'
    return LaunchDescription([
        DeclareLaunchArgument(
            'hardware_file', default_value=str(config / 'bimanual_hardware.yaml'),
            description='Ports, ids and cameras of the real robot'),
        *declare_common(),
        *(DeclareLaunchArgument(
            f'{side}_{role}_port', default_value='',
            description=f"Serial port of the {side} {role}: path, or the adapter's USB serial "
                        'number') for side in SIDES for role in ROLES),
        DeclareLaunchArgument(
            'cameras', default_value='',
            description='Cameras to start: all, none, or names separated by commas, such as '
                        'front,left/wrist; by default all real ones, and none in simulation'),
        DeclareLaunchArgument(
            'dataset', default_value='',
            description='Folder of the dataset, resumed if it is there; without it nothing is '
                        'recorded'),
        DeclareLaunchArgument(
            'task', default_value='', description='What the robot is about to do'),
        DeclareLaunchArgument(
            'contract', default_value=str(config / 'bimanual_contract.yaml'),
            description='Which topics become which features of the dataset'),
        DeclareLaunchArgument(
            'preflight', default_value='true', choices=['true', 'false'],
            description='Refuse to start an episode while something is not as it must be'),
        OpaqueFunction(function=bring_up),
    ])


def bring_up(context: LaunchContext) -> list[Action]:
    """Check everything, then start the pairs, the cameras that both share, and the recorder."""
    settings = read_common(context)
    given = {f'{side}_{role}': value_of(context, f'{side}_{role}_port')
             for side in SIDES for role in ROLES}
    pairs = {side: load_hardware(settings.hardware_file, side) for side in SIDES}
    common = load_common_cameras(settings.hardware_file)
    ports = {f'{side} {role}': given[f'{side}_{role}'] or pairs[side].arm(role).port
             for side in SIDES for role in ROLES}
    if choose(settings.hardware, ports, any(given.values())) is Mode.SIM:
        available, default = SIMULATED_CAMERAS, 'none'
    else:
        available, default = (
            *(camera.name for camera in common),
            *(f'{side}/{camera.name}' for side in SIDES for camera in pairs[side].cameras)), 'all'
    wanted = select_cameras(value_of(context, 'cameras') or default, available)
    fleet = Fleet(settings)
    for camera in common:
        if camera.name in wanted:
            fleet.add_camera(camera)
    if value_of(context, 'dataset'):
        fleet.add_recorder(
            existing(context, 'contract'),
            Path(value_of(context, 'dataset')).expanduser().absolute(),
            value_of(context, 'task'), flag(value_of(context, 'preflight')))
    commands = {side: pair_command(side, settings, given, wanted) for side in SIDES}
    return [*Pairs(commands).actions(), *fleet.actions()]
