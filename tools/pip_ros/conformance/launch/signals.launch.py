# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Processes that end at once, late, or not at all when asked to."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node


def generate_launch_description() -> LaunchDescription:
    """Start a process that ends on SIGINT and one that ignores `ignored`."""
    return LaunchDescription([
        DeclareLaunchArgument('ignored', default_value=''),
        OpaqueFunction(function=start),
    ])


def start(context: object) -> list[Node]:
    """Return the two nodes."""
    names = LaunchConfiguration('ignored').perform(context).split()
    words = [word for name in names for word in ('ignore', name)]
    options = {'package': 'conformance_probe', 'executable': 'probe', 'output': 'screen',
               'sigterm_timeout': '1', 'sigkill_timeout': '1'}
    return [Node(arguments=['stay', '30'], **options),
            Node(arguments=[*words, 'stay', '30'], **options)]
