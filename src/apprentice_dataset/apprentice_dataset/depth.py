# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Turn what a depth camera's files hold into millimetres."""

from __future__ import annotations

from collections.abc import Mapping
import math
from typing import Any

from apprentice_dataset.depth_scale import CODES
from apprentice_dataset.depth_scale import LOG
from apprentice_dataset.depth_scale import RANGE
from apprentice_dataset.depth_scale import UNITS
from apprentice_dataset.features import Feature
from apprentice_dataset.finite import finite
import numpy as np
from numpy.typing import NDArray

_MOST_MM = 65535
_MM = UNITS['mm']


def is_depth(feature: Feature) -> bool:
    """Return whether a camera's pictures are distances."""
    info = feature.info or {}
    return bool(info.get('is_depth_map') or info.get('video.is_depth_map')) \
        or feature.dtype == 'image' and 1 in (feature.shape[0], feature.shape[-1])


def from_codes(codes: NDArray[np.uint16], info: Mapping[str, Any] | None) -> NDArray[np.float32]:
    """
    Return the millimetres, whole numbers, that the 12-bit codes of a depth video mean.

    :param info: what info.json says of the camera; what it lacks has LeRobot's defaults.
    """
    info = info or {}
    given = ((finite(info.get(name)), default) for name, default in RANGE.items())
    low, high, shift = (default if found is None else found for found, default in given)
    numbers = np.arange(CODES)
    if info.get(LOG, True) and min(low, high) + shift > 0:
        base = math.log(low + shift)
        metres = np.exp(numbers * ((math.log(high + shift) - base) / (CODES - 1)) + base) - shift
    else:
        metres = low + numbers * ((high - low) / (CODES - 1))
    # One value a code: looked up, for a picture has a hundred times as many pixels.
    table = np.clip(np.rint(np.clip(metres, low, high) * _MM), 0, _MOST_MM).astype(np.float32)
    return table[np.minimum(codes, CODES - 1)]


def from_recorded(values: NDArray[Any], info: Mapping[str, Any] | None) -> NDArray[np.float32]:
    """
    Return millimetres of distances in the recorded unit; as they are where none is known.

    Unlike those of a video, of metres they are no whole numbers: nothing was lost, as in LeRobot.
    """
    metres = (info or {}).get('depth_unit') == 'm'
    found = values.astype(np.float32)
    return found * np.float32(_MM) if metres else found
