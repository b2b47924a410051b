# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Included by others."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import LogInfo
from launch.actions import SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch.substitutions import ThisLaunchFileDir
from launch_ros.actions import Node


def generate_launch_description() -> LaunchDescription:
    """Show what an included file sees, and change things."""
    return LaunchDescription([
        DeclareLaunchArgument('who', description='Who is it'),
        DeclareLaunchArgument('color', default_value='green', description='Its color'),
        LogInfo(msg=['inner: who=', LaunchConfiguration('who'), ' color=',
                     LaunchConfiguration('color'), ' dir=', ThisLaunchFileDir()]),
        SetEnvironmentVariable('CASE_INNER', LaunchConfiguration('who')),
        Node(package='conformance_probe', executable='probe', name='inner'),
    ])
