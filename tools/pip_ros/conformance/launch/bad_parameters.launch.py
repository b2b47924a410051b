# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters that no node can have."""

from __future__ import annotations

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

BAD = {
    'mixed_list': lambda: [{'mixed': [1, 'a']}],
    'wrong_type': lambda: [{'whole': ParameterValue('x', value_type=int)}],
    'wrong_text': lambda: [{'whole': ParameterValue(LaunchConfiguration('bad'), value_type=int)}],
    'missing_file': lambda: ['/nowhere/parameters.yaml'],
    'tuple': lambda: ({'a': 1},),
    'none': lambda: [{'a': None}],
    'empty_list': lambda: [{'a': []}],
}


def generate_launch_description() -> LaunchDescription:
    """Start a node with the parameters chosen by the argument `bad`."""
    return LaunchDescription([
        DeclareLaunchArgument('bad', choices=list(BAD)),
        OpaqueFunction(function=start),
    ])


def start(context: LaunchContext) -> list[Node]:
    """Return the node."""
    bad = BAD[LaunchConfiguration('bad').perform(context)]()
    return [Node(package='conformance_probe', executable='probe', parameters=bad)]
