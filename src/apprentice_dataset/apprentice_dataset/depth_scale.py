# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Say in which unit and range a camera's distances are recorded, and make 12-bit codes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
import math
from typing import Any

from apprentice_dataset.errors import DatasetBroken
from apprentice_dataset.finite import finite
import numpy as np
from numpy.typing import NDArray

CODES = 4096
UNITS = {'mm': 1000.0, 'm': 1.0}
"""By unit, how many make a metre."""
RANGE = {'video.depth_min': 0.01, 'video.depth_max': 10.0, 'video.shift': 3.5}
"""Keys of info.json with LeRobot's values, in metres."""
LOG = 'video.use_log'


@dataclass(frozen=True)
class DepthScale:
    """
    Hold the unit, mm (whole numbers) or m, and for video the range and spacing of the codes.

    `low`, `high` and `shift` are in metres. With `log` the codes lie closer where it is near.
    """

    unit: str
    low: float
    high: float
    shift: float
    log: bool

    @classmethod
    def of(cls, where: str, info: Mapping[str, Any] | None) -> DepthScale:
        """
        Read it from `info` of a feature; what that lacks is millimetres and LeRobot's range.

        :raises DatasetBroken: a value cannot be.
        """
        info = info or {}
        unit, log = info.get('depth_unit', 'mm'), info.get(LOG, True)
        if unit not in UNITS:
            raise DatasetBroken(f'{where}.info.depth_unit', repr(unit), ' | '.join(UNITS))
        if not isinstance(log, bool):
            raise DatasetBroken(f'{where}.info.{LOG}', repr(log), 'true or false')
        values = {key: info.get(key, default) for key, default in RANGE.items()}
        for key, value in values.items():
            if finite(value) is None:
                raise DatasetBroken(f'{where}.info.{key}', repr(value), 'a number of metres')
        low, high, shift = map(float, values.values())
        if not 0 <= low < high or log and low + shift <= 0:
            raise DatasetBroken(f'{where}.info', f'depth_min {low:g}, depth_max {high:g}, '
                                f'shift {shift:g}', 'depth_max above depth_min, which is 0 or '
                                'more, and depth_min + shift above 0')
        return cls(unit, low, high, shift, log)

    def info(self, is_video: bool) -> dict[str, Any]:
        """Return what info.json says of it."""
        known: dict[str, Any] = {'is_depth_map': True, 'depth_unit': self.unit}
        if is_video:
            known.update(zip(RANGE, (self.low, self.high, self.shift)), **{LOG: self.log})
        return known

    def to_codes(self, distances: NDArray[Any]) -> NDArray[np.uint16]:
        """Return the codes, 0 to 4095, of distances: uint16 for mm, float32 for m."""
        return self._table[distances] if self.unit == 'mm' else self._codes(distances)

    @cached_property
    def _table(self) -> NDArray[np.uint16]:
        # Looked up, for a picture has several times as many pixels as there are values.
        return self._codes(np.arange(1 << 16, dtype=np.uint16))

    def _codes(self, distances: NDArray[Any]) -> NDArray[np.uint16]:
        # In the recorded unit and in 32 bits, as LeRobot reckons: then no code differs from its.
        low, high, shift = (UNITS[self.unit] * one for one in (self.low, self.high, self.shift))
        inside = np.clip(distances.astype(np.float32), np.float32(low), np.float32(high))
        if self.log:
            base = math.log(low + shift)
            share = (np.log(inside + np.float32(shift)) - np.float32(base)) \
                / np.float32(math.log(high + shift) - base)
        else:
            share = (inside - np.float32(low)) / np.float32(high - low)
        return np.clip(np.rint(share * (CODES - 1)), 0, CODES - 1).astype(np.uint16)
