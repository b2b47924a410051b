# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Event handlers."""

from __future__ import annotations

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import ExecuteProcess
from launch.actions import LogInfo
from launch.actions import RegisterEventHandler
from launch.actions import Shutdown
from launch.actions import TimerAction
from launch.event_handlers import OnProcessExit
from launch.event_handlers import OnProcessStart
from launch.event_handlers import OnShutdown
from launch.events import Shutdown as ShutdownEvent
from launch.events.process import ProcessExited
from launch.events.process import ProcessStarted
from launch_ros.actions import Node


def probe(*arguments: str, **options: object) -> Node:
    """Return a node of the probe package."""
    return Node(package='conformance_probe', executable='probe', arguments=arguments, **options)


def told(event: ProcessExited, context: LaunchContext) -> LogInfo:
    """Return a message about the end of a process."""
    return LogInfo(msg=f'{event.process_name} ended with {event.returncode}, shutting down: '
                       f'{context.is_shutdown}')


def began(event: ProcessStarted, context: LaunchContext) -> list[LogInfo]:
    """Return a message about the start of a process."""
    return [LogInfo(msg=f'{event.process_name} began {event.cmd[1:3]} {event.pid > 0}')]


def ending(event: ShutdownEvent, context: LaunchContext) -> list[LogInfo]:
    """Return a message about the end of the launch."""
    return [LogInfo(msg=f'ending: {event.reason}')]


def generate_launch_description() -> LaunchDescription:
    """Chain processes: the third starts when the second ended, and ends all."""
    first, second = ExecuteProcess(cmd=['sleep', '30', '0']), probe('exit', '4')
    third = probe('say', 'third', on_exit=[LogInfo(msg='own handler'), TimerAction(
        period=0.2, actions=[LogInfo(msg='later'), Shutdown(reason='the third is done')])])
    return LaunchDescription([
        RegisterEventHandler(OnShutdown(on_shutdown=ending)),
        RegisterEventHandler(OnShutdown(on_shutdown=[LogInfo(msg='second to be registered')])),
        RegisterEventHandler(OnProcessStart(target_action=first, on_start=[
            LogInfo(msg='first began'), second])),
        RegisterEventHandler(OnProcessStart(on_start=began)),
        RegisterEventHandler(OnProcessExit(target_action=second, on_exit=[third])),
        RegisterEventHandler(OnProcessExit(on_exit=told)),
        RegisterEventHandler(OnProcessExit(
            target_action=lambda action: action is third, on_exit=LogInfo(msg='by function'))),
        RegisterEventHandler(OnProcessExit(
            target_action=ExecuteProcess(cmd=['none']), on_exit=[LogInfo(msg='never')])),
        first,
        TimerAction(period=30.0, actions=[LogInfo(msg='too late')]),
        LogInfo(msg='visited'),
    ])
