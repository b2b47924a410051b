# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Record any robot that runs already, by its contract: the recorder alone."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import GroupAction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.actions import PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the recorder."""
    arguments = [
        DeclareLaunchArgument(
            'contract', description='Contract file of the robot: which topics become which '
                                    'features, see docs/contract.md'),
        DeclareLaunchArgument(
            'dataset', description='Folder of the dataset; resumed if it is there'),
        DeclareLaunchArgument(
            'task', default_value='', description='What the robot is about to do'),
        DeclareLaunchArgument(
            'namespace', default_value='',
            description='Namespace before the recorder and before every topic of the contract'),
        DeclareLaunchArgument(
            'preflight', default_value='true', choices=['true', 'false'],
            description='Refuse to start an episode while something is not as it must be'),
        DeclareLaunchArgument(
            'use_sim_time', default_value='false', choices=['true', 'false'],
            description='Take /clock for the time of messages without a stamp'),
        DeclareLaunchArgument(
            'autostart', default_value='true', choices=['true', 'false'],
            description='Configure and activate the recorder at once'),
        DeclareLaunchArgument(
            'log_level', default_value='info', choices=['debug', 'info', 'warn', 'error'],
            description='Log level of the recorder'),
    ]
    recorder = Node(
        package='apprentice_recorder', executable='recorder', name='recorder',
        parameters=[
            # A task such as "123" or "on" is a text all the same.
            {name: ParameterValue(LaunchConfiguration(name), value_type=str)
             for name in ('contract', 'dataset', 'task')},
            {name: LaunchConfiguration(name)
             for name in ('preflight', 'use_sim_time', 'autostart')}],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        output='screen',
        # Longer than the publication of an episode that was open takes.
        sigterm_timeout='30',
    )
    return LaunchDescription([
        *arguments,
        GroupAction([PushRosNamespace(LaunchConfiguration('namespace')), recorder])])
