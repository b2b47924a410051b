# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Stand-in for the parts of ROS 2's launch_ros that this workspace uses."""

from __future__ import annotations

from . import actions
from . import parameter_descriptions
from . import substitutions

__all__ = ['actions', 'parameter_descriptions', 'substitutions']
