# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Publish an arm's description and link poses where robot_state_publisher is installed."""
from __future__ import annotations

from ament_index_python.packages import get_package_prefix
from ament_index_python.packages import get_package_share_directory
from ament_index_python.packages import PackageNotFoundError
from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import LogInfo
from launch.actions import OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

WITHOUT = (
    'robot_state_publisher is not installed here: it comes with a ROS 2 distribution '
    '(apt install ros-jazzy-robot-state-publisher) and is not on PyPI. '
    'The description itself is ')


def publisher(context: LaunchContext) -> list:
    """Return the publisher of the chosen arm, or one line that says why there is none."""
    arm = LaunchConfiguration('arm').perform(context)
    path = f'{get_package_share_directory("so_arm_description")}/urdf/{arm}.urdf'
    try:
        get_package_prefix('robot_state_publisher')
    except PackageNotFoundError:
        return [LogInfo(msg=WITHOUT + path)]
    with open(path, encoding='utf-8') as file:
        description = file.read()
    return [Node(
        package='robot_state_publisher', executable='robot_state_publisher', output='screen',
        namespace=LaunchConfiguration('namespace'),
        parameters=[{'robot_description': description}])]


def generate_launch_description() -> LaunchDescription:
    """Describe the launch: one robot_state_publisher that listens to <namespace>/joint_states."""
    return LaunchDescription([
        DeclareLaunchArgument(
            'arm', default_value='so101', choices=['so100', 'so101'],
            description='Which arm to show.'),
        DeclareLaunchArgument(
            'namespace', default_value='follower',
            description='Namespace of the arm whose joint_states move the links.'),
        OpaqueFunction(function=publisher),
    ])
