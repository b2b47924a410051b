# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The actions that launch files use."""

from __future__ import annotations

from .declare_launch_argument import DeclareLaunchArgument
from .execute_process import ExecuteProcess
from .group_action import GroupAction
from .include_launch_description import IncludeLaunchDescription
from .log_info import LogInfo
from .opaque_function import OpaqueFunction
from .register_event_handler import RegisterEventHandler
from .set_environment_variable import SetEnvironmentVariable
from .set_launch_configuration import SetLaunchConfiguration
from .shutdown_action import Shutdown
from .timer_action import TimerAction
from .._missing import refuse_missing

__all__ = [
    'DeclareLaunchArgument', 'ExecuteProcess', 'GroupAction', 'IncludeLaunchDescription',
    'LogInfo', 'OpaqueFunction', 'RegisterEventHandler', 'SetEnvironmentVariable',
    'SetLaunchConfiguration', 'Shutdown', 'TimerAction']
__getattr__ = refuse_missing(__name__)
