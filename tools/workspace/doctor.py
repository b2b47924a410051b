# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Start the doctor in the sourced environment."""

from __future__ import annotations

from collections.abc import Sequence


def command(arguments: Sequence[str]) -> list[str]:
    """Return what `ws doctor` becomes."""
    # Not by `ros2 run`: upstream's adds a line of its own to every exit code but 0.
    return ['python', '-m', 'apprentice_doctor.doctor', *arguments]
