# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What is shown of what processes print."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import ExecuteProcess
from launch_ros.actions import Node

WORDS = ['say', 'one', 'complain', 'two', 'say', 'three  ', 'say', '', 'complain', 'four',
         'partial', 'last']


def probe(**options: object) -> Node:
    """Return a node of the probe package that prints on both streams."""
    return Node(package='conformance_probe', executable='probe', arguments=WORDS, **options)


def generate_launch_description() -> LaunchDescription:
    """Print with every kind of output."""
    return LaunchDescription([
        probe(),
        probe(output='screen'),
        probe(output='log'),
        probe(output='both'),
        ExecuteProcess(cmd=['/bin/sh', '-c', 'echo out $0; echo err >&2; exit 5', 'argument'],
                       name='shell', output='screen'),
        ExecuteProcess(cmd=['sh', '-c', 'kill -9 $$'], output='screen'),
    ])
