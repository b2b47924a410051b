# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Entry points; the nodes are imported late, so that a signal during the import is harmless."""

from __future__ import annotations

from apprentice_node.signals import exit_quietly_until_run


def teleop() -> int:
    """Run the teleoperation node."""
    exit_quietly_until_run()
    from apprentice_node.runner import run
    from apprentice_teleop.teleop_node import TeleopNode
    return run(TeleopNode)


def view() -> int:
    """Run the viewer."""
    exit_quietly_until_run()
    from apprentice_node.runner import run
    from apprentice_teleop.view_node import ViewNode
    return run(ViewNode)
