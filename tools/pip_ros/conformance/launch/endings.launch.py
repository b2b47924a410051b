# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The ways in which a launch can end."""

from __future__ import annotations

from launch import Action
from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import ExecuteProcess
from launch.actions import IncludeLaunchDescription
from launch.actions import LogInfo
from launch.actions import OpaqueFunction
from launch.actions import RegisterEventHandler
from launch.actions import Shutdown
from launch.actions import TimerAction
from launch.event_handlers import OnProcessExit
from launch.event_handlers import OnProcessStart
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node


def probe(*arguments: str, **options: object) -> Node:
    """Return a node of the probe package."""
    return Node(package='conformance_probe', executable='probe', arguments=arguments,
                output='screen', **options)


def fail(*_: object) -> None:
    """Raise."""
    raise ValueError('failed on purpose')


def endings() -> dict[str, list[Action]]:
    """Return the actions for each value of `how`."""
    stays, dies = ExecuteProcess(cmd=['sleep', '30']), probe('exit', '3')
    return {
        'nothing': [],
        'process_fails': [dies, probe('exit', '0')],
        'shutdown': [Shutdown(reason='at once'), LogInfo(msg='behind')],
        'shutdown_before_start': [stays, Shutdown(), LogInfo(msg='behind')],
        'shutdown_on_exit': [stays, probe('exit', '3', on_exit=Shutdown(reason='it died'))],
        'start_while_ending': [
            stays, RegisterEventHandler(OnProcessExit(target_action=stays, on_exit=[
                LogInfo(msg='one more'), probe('say', 'more')])),
            TimerAction(period=0.5, actions=[Shutdown()])],
        'raise_in_function': [LogInfo(msg='before'), OpaqueFunction(function=fail),
                              LogInfo(msg='behind')],
        'raise_in_handler': [
            stays, RegisterEventHandler(OnProcessExit(target_action=dies, on_exit=fail)), dies],
        'raise_after_start': [
            stays, RegisterEventHandler(OnProcessStart(
                target_action=stays, on_start=[OpaqueFunction(function=fail)]))],
        'no_program': [stays, ExecuteProcess(cmd=['/no/such/program', 'x'])],
        'no_folder': [probe('exit', '0', cwd='/no/such/folder')],
        'no_executable': [Node(package='conformance_probe', executable='other')],
        'no_package': [Node(package='no_such_package', executable='probe')],
        'no_file': [IncludeLaunchDescription(PythonLaunchDescriptionSource('/no/such.launch.py'))],
        'wrong_return': [OpaqueFunction(function=lambda context: ['text'])],
    }


def generate_launch_description() -> LaunchDescription:
    """End in the way that `how` says."""
    return LaunchDescription([
        DeclareLaunchArgument('how', default_value='nothing'),
        OpaqueFunction(function=choose),
    ])


def choose(context: LaunchContext) -> list[Action]:
    """Return the chosen actions."""
    return endings()[LaunchConfiguration('how').perform(context)]
