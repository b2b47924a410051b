# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Teleoperate any robot that has a bring-up package with a teleop.launch.py."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from ament_index_python.packages import get_packages_with_prefixes
from launch import Action
from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.actions import OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration


def generate_launch_description() -> LaunchDescription:
    """Declare the robot; all other arguments go to its own launch file."""
    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='so100',
            description='Robot to start; its other arguments: '
                        'ros2 launch <robot>_bringup teleop.launch.py --show-args'),
        OpaqueFunction(function=include_robot),
    ])


def include_robot(context: LaunchContext) -> list[Action]:
    """Include the robot's own launch file."""
    robot = LaunchConfiguration('robot').perform(context)
    robots = find_robots()
    if robot not in robots:
        raise ValueError(
            f'robot:={robot}: there is no package {robot}_bringup with a teleop.launch.py; '
            f'known robots: {", ".join(sorted(robots)) or "none"}')
    return [IncludeLaunchDescription(PythonLaunchDescriptionSource(str(robots[robot])))]


def find_robots() -> dict[str, Path]:
    """Map each robot to its launch file."""
    files = {}
    for package in get_packages_with_prefixes():
        if package.endswith('_bringup'):
            path = Path(get_package_share_directory(package)) / 'launch' / 'teleop.launch.py'
            if path.is_file():
                files[package.removesuffix('_bringup')] = path
    return files
