# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One camera; every parameter of its node is an argument."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from opencv_camera_driver.parameters import SPECS


def generate_launch_description() -> LaunchDescription:
    """Declare the camera's name, which is its namespace, and its parameters."""
    return LaunchDescription([
        DeclareLaunchArgument(
            'name', default_value='camera',
            description='Name of the camera: its topics are <name>/image_raw and so on'),
        DeclareLaunchArgument(
            'log_level', default_value='info', choices=['debug', 'info', 'warn', 'error'],
            description='Log level of the node'),
        *(DeclareLaunchArgument(
            spec.name, default_value=_text(spec.default), description=spec.description,
            **({'choices': list(spec.choices)} if spec.choices else {})) for spec in SPECS),
        Node(
            package='opencv_camera_driver', executable='camera', name='camera',
            namespace=LaunchConfiguration('name'), exec_name=LaunchConfiguration('name'),
            parameters=[{
                # A serial number such as 0123 is a text all the same.
                spec.name: ParameterValue(
                    LaunchConfiguration(spec.name), value_type=type(spec.default))
                for spec in SPECS}],
            ros_arguments=['--log-level', LaunchConfiguration('log_level')],
            output='screen'),
    ])


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
