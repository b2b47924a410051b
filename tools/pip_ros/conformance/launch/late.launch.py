# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Actions that run when their launch file has long been visited."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import GroupAction
from launch.actions import LogInfo
from launch.actions import RegisterEventHandler
from launch.actions import SetLaunchConfiguration
from launch.actions import TimerAction
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration
from launch.substitutions import ThisLaunchFileDir
from launch_ros.actions import Node


def generate_launch_description() -> LaunchDescription:
    """Show what is left of the scope after a while."""
    node = Node(package='conformance_probe', executable='probe', arguments=['exit', '0'])
    shown = LogInfo(msg=['color=', LaunchConfiguration('color', default='-'),
                         ' top=', LaunchConfiguration('top', default='-')])
    where = LogInfo(msg=ThisLaunchFileDir())
    return LaunchDescription([
        DeclareLaunchArgument('top', default_value='t'),
        GroupAction([
            SetLaunchConfiguration('color', 'red'), node,
            RegisterEventHandler(OnProcessExit(target_action=node, on_exit=[
                LogInfo(msg='after the process'), shown])),
            TimerAction(period=0.5, actions=[LogInfo(msg='after the timer'), shown]),
        ]),
        TimerAction(period=1.0, actions=[where]),
    ])
