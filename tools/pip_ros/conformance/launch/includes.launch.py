# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What `--show-args` knows of includes."""

from __future__ import annotations

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import GroupAction
from launch.actions import IncludeLaunchDescription
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

HERE = Path(__file__).parent


def generate_launch_description() -> LaunchDescription:
    """Include files in several ways."""
    return LaunchDescription([
        DeclareLaunchArgument('file', default_value='inner.launch.py', description='A file'),
        GroupAction([IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(HERE / 'inner.launch.py')),
            launch_arguments={'color': 'black'}.items())]),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(HERE / 'conditions.launch.py')),
            condition=IfCondition('false')),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource([str(HERE), '/', LaunchConfiguration('file')])),
        OpaqueFunction(function=lambda context: [DeclareLaunchArgument('hidden')]),
    ])
