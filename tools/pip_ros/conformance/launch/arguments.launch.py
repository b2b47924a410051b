# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Declared arguments: defaults, requirements, choices."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import LogInfo
from launch.substitutions import LaunchConfiguration


def generate_launch_description() -> LaunchDescription:
    """Declare one argument of each kind and show the values."""
    return LaunchDescription([
        DeclareLaunchArgument('plain', default_value='one', description='Has a default.'),
        DeclareLaunchArgument('needed', description='Has none.'),
        DeclareLaunchArgument(
            'choice', default_value='a', choices=['a', 'b'], description='One of two'),
        DeclareLaunchArgument('silent', default_value=''),
        DeclareLaunchArgument(
            'derived', default_value=[LaunchConfiguration('plain'), '_more'],
            description='Made from another one'),
        *(LogInfo(msg=[name, '=', LaunchConfiguration(name)])
          for name in ('plain', 'needed', 'choice', 'silent', 'derived')),
    ])
