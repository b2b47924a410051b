# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Tell numbers that can be computed with from what JSON may hold besides."""

from __future__ import annotations

import math


def finite(value: object) -> float | None:
    """Return a finite number; None for anything else, truth values among them."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        # JSON's whole numbers have no end.
        return None
