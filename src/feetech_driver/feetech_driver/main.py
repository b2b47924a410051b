# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Entry point; the node is imported late, so that a signal during the import is harmless."""
from __future__ import annotations

from apprentice_node.signals import exit_quietly_until_run


def main() -> int:
    """Run the driver."""
    exit_quietly_until_run()
    from apprentice_node.priority import raise_priority
    from apprentice_node.runner import run
    from feetech_driver.node import FeetechDriver
    # Every thread must have it: one that is put off while it holds the interpreter lock stops
    # the bus thread as well.
    raise_priority()
    return run(FeetechDriver)
