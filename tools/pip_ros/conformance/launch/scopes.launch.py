# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Groups, namespaces, environment and includes."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import GroupAction
from launch.actions import IncludeLaunchDescription
from launch.actions import LogInfo
from launch.actions import SetEnvironmentVariable
from launch.actions import SetLaunchConfiguration
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch.substitutions import ThisLaunchFileDir
from launch_ros.actions import Node
from launch_ros.actions import PushRosNamespace


def probe(name: str, **options: object) -> Node:
    """Return a node of the probe package."""
    return Node(package='conformance_probe', executable='probe', name=name, **options)


def show(label: str) -> LogInfo:
    """Return a message with the values that scopes change."""
    return LogInfo(msg=[
        label, ': who=', LaunchConfiguration('who', default='-'),
        ' color=', LaunchConfiguration('color', default='-'),
        ' top=', LaunchConfiguration('top', default='-')])


def included(**arguments: str) -> IncludeLaunchDescription:
    """Return an include of the inner launch file."""
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource([ThisLaunchFileDir(), '/inner.launch.py']),
        launch_arguments=arguments.items())


def generate_launch_description() -> LaunchDescription:
    """Nest groups and includes."""
    return LaunchDescription([
        DeclareLaunchArgument('top', default_value='t'),
        show('start'),
        GroupAction([
            PushRosNamespace('outer'),
            SetEnvironmentVariable('CASE_GROUP', LaunchConfiguration('top')),
            SetLaunchConfiguration('color', 'red'),
            probe('in_group'),
            probe('relative', namespace='room'),
            probe('absolute', namespace='/room'),
            GroupAction([PushRosNamespace('inner'), probe('deep')]),
            GroupAction([PushRosNamespace('/reset'), probe('reset')]),
            GroupAction([PushRosNamespace(''), probe('nothing')]),
            included(who='grouped'),
            show('end of group'),
        ]),
        show('after group'),
        probe('outside'),
        GroupAction([SetLaunchConfiguration('color', 'blue'), show('unscoped')], scoped=False),
        show('after unscoped'),
        GroupAction([show('not forwarded'), probe('alone')], forwarding=False,
                    launch_configurations={'who': LaunchConfiguration('color')}),
        GroupAction([show('with values')], launch_configurations={'who': 'given'}),
        included(who='first'),
        included(who='second', color='white'),
        show('end'),
    ])
