# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Entry points; the nodes are imported late, so that a signal during the import is harmless."""

from __future__ import annotations

from argparse import ArgumentParser
import sys

from apprentice_node.signals import exit_quietly_until_run


def teleop() -> int:
    """Run the teleoperation node."""
    exit_quietly_until_run()
    from apprentice_node.priority import raise_priority
    from apprentice_node.runner import run
    from apprentice_teleop.teleop_node import TeleopNode
    raise_priority()
    return run(TeleopNode)


def view() -> int:
    """Run the viewer; `--save FILE.rrd` is short for the parameter `save`."""
    exit_quietly_until_run()
    parser = ArgumentParser(add_help=False)
    parser.add_argument('--save')
    options, arguments = parser.parse_known_args(sys.argv)
    if options.save:
        arguments += ['--ros-args', '-p', f'save:={options.save}']
    from apprentice_node.runner import run
    from apprentice_teleop.view_node import ViewNode
    return run(ViewNode, arguments)
