# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Names on the ROS graph."""

from __future__ import annotations


def join_namespace(base: str | None, namespace: str) -> str:
    """Return the absolute namespace that results from `namespace` inside `base`."""
    if namespace.startswith('/'):
        return namespace.rstrip('/') or '/'
    parts = [part for text in (base or '', namespace) for part in text.split('/') if part]
    return '/' + '/'.join(parts)


def full_node_name(namespace: str, name: str) -> str:
    """Return the absolute name of a node."""
    return f"{namespace.rstrip('/')}/{name}"
