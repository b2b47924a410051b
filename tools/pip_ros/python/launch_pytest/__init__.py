# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Stand-in for the parts of ROS 2's launch_pytest that this workspace uses."""

from __future__ import annotations

from launch._missing import refuse_missing

from . import actions
from .fixture import fixture

__all__ = ['actions', 'fixture']
__getattr__ = refuse_missing(__name__)
