# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What happened to a camera's pictures."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counters:
    """
    Count pictures; each field has one writing thread.

    `lost` never reached us: gaps in the camera's numbers. `skipped` gave way to a newer one.
    `damaged` could not be used. `late` had waited so long that they were no longer fresh.
    """

    received: int = 0
    lost: int = 0
    skipped: int = 0
    damaged: int = 0
    late: int = 0
    undecodable: int = 0
    reconnects: int = 0
