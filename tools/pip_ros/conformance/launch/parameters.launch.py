# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters: files, inline values, substitutions."""

from __future__ import annotations

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import GroupAction
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.actions import PushRosNamespace
from launch_ros.parameter_descriptions import ParameterFile
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

CONFIG = Path(__file__).parent.parent / 'config' / 'probe.yaml'


def probe(*parameters: object, **options: object) -> Node:
    """Return a node of the probe package with parameters."""
    return Node(
        package='conformance_probe', executable='probe', parameters=list(parameters), **options)


def generate_launch_description() -> LaunchDescription:
    """Start nodes with parameters of every kind."""
    number, text = LaunchConfiguration('number'), LaunchConfiguration('text')
    return LaunchDescription([
        DeclareLaunchArgument('number', default_value='7'),
        DeclareLaunchArgument('text', default_value='some words'),
        probe(str(CONFIG)),
        probe(CONFIG, {'a': 1}, name='order'),
        probe({'a': 1}, CONFIG, {'a': 2}, name='order', namespace='deep/er'),
        probe(PathJoinSubstitution([FindPackageShare('conformance_probe'), 'config',
                                    'probe.yaml'])),
        probe(ParameterFile(str(CONFIG))),
        probe({'a': 1}),
        probe({'a': 1}, namespace='room'),
        probe({'a': 1}, name='at_root', namespace=''),
        GroupAction([PushRosNamespace('outer'), probe({'a': 1}, name='pushed'),
                     probe({'a': 1}, name='pushed_too', namespace='')]),
        probe({
            'truth': True, 'whole': 3, 'real': 0.5, 'tiny': 1e-5, 'word': 'w', 'empty': '',
            'looks_whole': '5', 'looks_true': 'true', 'unicode': 'Grüße', 'colon': 'a: b',
            'nested': {'one': 1, 'deep': {'two': 'zwei'}}}),
        probe({
            'whole': [1, 2], 'real': [1.0, 2.5], 'mixed': [1, 2.5], 'words': ['a', 'b'],
            'truths': [True, False], 'tuple': (1, 2), 'looks': ['1', '2']}),
        probe({
            'number': number, 'text': text, 'joined': [text, '!'], 'digits': [number, '5'],
            'list': ['[', number, ', 8]'], 'as_text': ParameterValue(number, value_type=str),
            'as_real': ParameterValue(number, value_type=float),
            'as_whole': ParameterValue([number, '0'], value_type=int),
            'plain': ParameterValue('12', value_type=str), 'untyped': ParameterValue(number)}),
    ])
