# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Teleoperate and record: teleop.launch.py with a recorder beside it."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import Action
from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.actions import OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from so100_bringup.nodes import Fleet
from so100_bringup.settings import declare_common
from so100_bringup.settings import existing
from so100_bringup.settings import flag
from so100_bringup.settings import read_common
from so100_bringup.settings import value_of


def generate_launch_description() -> LaunchDescription:
    """Declare what recording needs; teleop.launch.py declares the rest."""
    share = Path(get_package_share_directory('so100_bringup'))
    return LaunchDescription([
        *declare_common(),
        DeclareLaunchArgument(
            'dataset', description='Folder of the dataset; resumed if it is there'),
        DeclareLaunchArgument(
            'task', default_value='', description='What the robot is about to do'),
        DeclareLaunchArgument(
            'contract', default_value=str(share / 'config' / 'contract.yaml'),
            description='Which topics become which features of the dataset'),
        DeclareLaunchArgument(
            'preflight', default_value='true', choices=['true', 'false'],
            description='Refuse to start an episode while something is not as it must be'),
        OpaqueFunction(function=check),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(share / 'launch' / 'teleop.launch.py'))),
        OpaqueFunction(function=add_recorder),
    ])


def check(context: LaunchContext) -> list[Action]:
    """Refuse what the recorder could not do before anything starts."""
    add_recorder(context)
    return []


def add_recorder(context: LaunchContext) -> list[Action]:
    """Start the recorder; the arms outlive it."""
    settings = read_common(context)
    dataset = Path(value_of(context, 'dataset')).expanduser().absolute()
    fleet = Fleet(settings)
    fleet.add_recorder(
        existing(context, 'contract'), dataset, value_of(context, 'task'),
        flag(value_of(context, 'preflight')))
    return fleet.actions()
