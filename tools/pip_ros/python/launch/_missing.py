# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A clear answer to imports that the stand-ins do not offer."""

from __future__ import annotations

from collections.abc import Callable


def refuse_missing(module: str) -> Callable[[str], object]:
    """Return a module-level __getattr__ that says why a public name is absent."""
    def refuse(name: str) -> object:
        if name.startswith('_'):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        raise ImportError(
            f"'{name}' is not in this workspace's stand-in for {module}, which holds only what "
            'its own launch files use; run with a ROS 2 distribution, or add it under '
            'tools/pip_ros/python', name=module)
    return refuse
