# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The launch_ros actions that launch files use."""

from __future__ import annotations

from launch._missing import refuse_missing

from .node import Node
from .push_ros_namespace import PushRosNamespace

__all__ = ['Node', 'PushRosNamespace']
__getattr__ = refuse_missing(__name__)
