# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Conditions."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import GroupAction
from launch.actions import LogInfo
from launch.conditions import IfCondition
from launch.conditions import UnlessCondition
from launch.substitutions import EqualsSubstitution
from launch.substitutions import LaunchConfiguration
from launch.substitutions import NotEqualsSubstitution


def generate_launch_description() -> LaunchDescription:
    """Show which conditions hold for `value`."""
    value = LaunchConfiguration('value')
    return LaunchDescription([
        DeclareLaunchArgument('value', default_value='true', description='A truth value'),
        LogInfo(msg='if', condition=IfCondition(value)),
        LogInfo(msg='unless', condition=UnlessCondition(value)),
        GroupAction([LogInfo(msg='group')], condition=IfCondition(value)),
        *(LogInfo(msg=['equals ', str(other)], condition=IfCondition(
            EqualsSubstitution(value, other))) for other in ('true', 'True', '1', '1.0', True)),
        LogInfo(msg='differs', condition=IfCondition(NotEqualsSubstitution(value, 'true'))),
    ])
