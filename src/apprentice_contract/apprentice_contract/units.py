# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""From radians to the units of a dataset: each is a scale, an offset and, with a range, bounds."""
from __future__ import annotations

import math
from typing import NamedTuple

RANGED = frozenset(('percent', 'normalized'))
"""Units that need a joint's calibrated range."""


class Conversion(NamedTuple):
    """`value * scale + offset`, then clamped to `low` and `high`."""

    scale: float = 1.0
    offset: float = 0.0
    low: float = -math.inf
    high: float = math.inf


def conversion(unit: str, limits: tuple[float, float] | None = None) -> Conversion:
    """
    Return how a message's number becomes a dataset's.

    :param unit: a key of schema.UNITS.
    :param limits: the joint's calibrated range in radians, for percent and normalized.
    """
    if unit == 'degrees':
        return Conversion(180.0 / math.pi)
    if unit not in RANGED:
        return Conversion()
    if limits is None:
        raise ValueError(f'unit {unit} needs the calibrated range of the joint')
    low, high = limits
    least, span = (0.0, 100.0) if unit == 'percent' else (-100.0, 200.0)
    scale = span / (high - low)
    return Conversion(scale, least - low * scale, least, 100.0)
