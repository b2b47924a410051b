# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Start a robot and record it, or record one that runs already, by its contract."""

from __future__ import annotations

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from ament_index_python.packages import PackageNotFoundError
from launch import Action
from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import GroupAction
from launch.actions import IncludeLaunchDescription
from launch.actions import OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.actions import PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue
from so100_bringup.security import MODES
from so100_bringup.security import Security


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments of the recorder; those of a robot go to its own launch file."""
    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='',
            description='Robot to start, such as so100; its other arguments: '
                        'ros2 launch <robot>_bringup record.launch.py --show-args. Without it '
                        'the recorder starts alone, for a robot that runs already'),
        DeclareLaunchArgument(
            'contract', default_value='',
            description='Contract file: which topics become which features, see '
                        'docs/contract.md; with robot:= its own is the default'),
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
        DeclareLaunchArgument(
            'security', default_value='off', choices=list(MODES),
            description='Authenticate, encrypt and restrict every node: see docs/security.md'),
        DeclareLaunchArgument(
            'keystore', default_value='',
            description='Folder with the keys of the nodes, for security:=permissive|enforce'),
        OpaqueFunction(function=start),
    ])


def start(context: LaunchContext) -> list[Action]:
    """Include the robot's launch file, or start the recorder alone."""
    robot = LaunchConfiguration('robot').perform(context)
    contract = LaunchConfiguration('contract').perform(context)
    if robot:
        return [include_robot(robot, contract)]
    if not contract:
        raise ValueError('neither robot:= nor contract:= is given: expected robot:=so100 to start '
                         'a robot and record it, or contract:=FILE for one that runs already')
    return [recorder_alone(context)]


def include_robot(robot: str, contract: str) -> Action:
    """Return the robot's own record.launch.py, with its own contract unless one is given."""
    try:
        share = Path(get_package_share_directory(f'{robot}_bringup'))
    except PackageNotFoundError:
        raise ValueError(f'robot:={robot}: there is no package {robot}_bringup; expected a robot '
                         'with one, such as so100') from None
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share / 'launch' / 'record.launch.py')),
        launch_arguments=[('contract', contract or str(share / 'config' / 'contract.yaml')),
                          ('dataset', LaunchConfiguration('dataset'))])


def recorder_alone(context: LaunchContext) -> Action:
    """Return the recorder in its namespace."""
    security = Security(*(LaunchConfiguration(name).perform(context) for name in (
        'security', 'keystore', 'namespace')), os.environ)
    recorder = Node(
        package='apprentice_recorder', executable='recorder', name='recorder',
        parameters=[
            # A task such as "123" or "on" is a text all the same.
            {name: ParameterValue(LaunchConfiguration(name), value_type=str)
             for name in ('contract', 'dataset', 'task')},
            {name: LaunchConfiguration(name)
             for name in ('preflight', 'use_sim_time', 'autostart')}],
        ros_arguments=['--log-level', LaunchConfiguration('log_level'),
                       *security.arguments('recorder')],
        additional_env=security.environment,
        output='screen',
        # Longer than the publication of an episode that was open takes.
        sigterm_timeout='30',
    )
    return GroupAction([PushRosNamespace(LaunchConfiguration('namespace')), recorder])
