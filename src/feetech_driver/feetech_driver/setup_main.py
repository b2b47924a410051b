# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Entry point; the node is imported late, so that a signal during the import is harmless."""
from __future__ import annotations

from apprentice_node.signals import exit_quietly_until_run


def main() -> int:
    """Run the set-up node."""
    exit_quietly_until_run()
    from apprentice_node.runner import run
    from feetech_driver.setup_node import SetupNode
    return run(SetupNode)
