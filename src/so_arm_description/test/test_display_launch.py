# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What the display launch file does with and without robot_state_publisher."""
from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from ament_index_python.packages import get_package_share_directory
from ament_index_python.packages import PackageNotFoundError
import pytest

pytest.importorskip('launch_ros')


def launch_file() -> ModuleType:
    """Import the installed launch file."""
    path = Path(get_package_share_directory('so_arm_description'), 'launch', 'display.launch.py')
    spec = importlib.util.spec_from_file_location('display_launch', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def context_for(arm: str) -> object:
    """Return a launch context with the arguments set."""
    from launch import LaunchContext
    context = LaunchContext()
    context.launch_configurations.update({'arm': arm, 'namespace': 'follower'})
    return context


def test_says_where_the_publisher_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without robot_state_publisher one line says so and names the file."""
    from launch.actions import LogInfo
    module = launch_file()

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, 'get_package_prefix', missing)
    actions = module.publisher(context_for('so100'))
    assert [type(action) for action in actions] == [LogInfo]


def test_starts_the_publisher_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With robot_state_publisher one node is started."""
    from launch_ros.actions import Node
    module = launch_file()
    monkeypatch.setattr(module, 'get_package_prefix', lambda name: '/opt/ros')
    actions = module.publisher(context_for('so101'))
    assert [type(action) for action in actions] == [Node]
