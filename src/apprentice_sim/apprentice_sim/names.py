# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Where the simulation's topics lie on the graph."""
from __future__ import annotations

NAMESPACE = 'sim'


def beside(namespace: str, name: str) -> str:
    """
    Return the full name of a topic of the robot that a node of the simulation belongs to.

    The nodes live in `<robot>/sim`, the robot's topics (`front/image_raw`, `sim/reset`) beside.
    """
    parts = [part for part in namespace.split('/') if part]
    if parts and parts[-1] == NAMESPACE:
        parts.pop()
    return '/' + '/'.join([*parts, name])
