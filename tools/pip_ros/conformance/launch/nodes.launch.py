# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Nodes: arguments, names, namespaces, remappings."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node


def probe(*arguments: str, **options: object) -> Node:
    """Return a node of the probe package."""
    return Node(package='conformance_probe', executable='probe', arguments=arguments, **options)


def generate_launch_description() -> LaunchDescription:
    """Start one node of each kind."""
    word = LaunchConfiguration('word')
    return LaunchDescription([
        DeclareLaunchArgument('word', default_value='hello'),
        probe('exit', '0'),
        probe(name='named'),
        probe(namespace='room'),
        probe(name='both', namespace='room'),
        probe(name='empty', namespace=''),
        probe(name='slash', namespace='/'),
        probe(name='absolute', namespace='/a/b/'),
        probe(name='levels', ros_arguments=['--log-level', 'debug']),
        probe(ros_arguments=['--log-level', word]),
        probe(name='remapped', remappings=[('from', 'to'), ('~/x', ['/', word])]),
        probe('say', word, name=['name_', word], namespace=['ns_', word]),
        probe('say', 'x', cwd='/', additional_env={'CASE_ADDED': word}),
        Node(package='conformance_probe', executable=['pro', 'be'], env={
            'CASE_ONLY': '1', 'PROBE_REPORTS': [LaunchConfiguration('reports', default='/tmp')]}),
    ])
