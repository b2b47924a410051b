# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One parameter whose value is the text of an argument."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node


def generate_launch_description() -> LaunchDescription:
    """Start a node with the parameter."""
    return LaunchDescription([
        DeclareLaunchArgument('text', default_value=''),
        Node(package='conformance_probe', executable='probe',
             parameters=[{'value': LaunchConfiguration('text')}]),
    ])
