# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""An SO-101 pair, cameras, teleoperation and a recorder: the SO-100 launch with other defaults."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration


def generate_launch_description() -> LaunchDescription:
    """Declare what differs; the included file declares the other arguments."""
    share = Path(get_package_share_directory('so101_bringup'))
    so100 = Path(get_package_share_directory('so100_bringup'))
    return LaunchDescription([
        DeclareLaunchArgument(
            'arm', default_value='so101', choices=['so100', 'so101'],
            description='Model of the simulated arms'),
        DeclareLaunchArgument(
            'hardware_file', default_value=str(share / 'config' / 'hardware.yaml'),
            description='Ports, ids and cameras of the real robot'),
        DeclareLaunchArgument(
            'contract', default_value=str(share / 'config' / 'contract.yaml'),
            description='Which topics become which features of the dataset'),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(so100 / 'launch' / 'record.launch.py')),
            # What has no default must be handed on by name.
            launch_arguments=[('dataset', LaunchConfiguration('dataset'))]),
    ])
