# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of several cameras side by side, each with its number in a corner."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from opencv_camera_driver.picture import Pixels

_HEIGHT = 360
_DOT = 8
# Three dots a line, five lines.
_GLYPHS = {
    '0': '75557', '1': '26227', '2': '71747', '3': '71717', '4': '55711', '5': '74717',
    '6': '74757', '7': '71111', '8': '75757', '9': '75717',
}


def side_by_side(pictures: Sequence[Pixels]) -> Pixels:
    """Return one RGB picture of equal heights, numbered from 1 by their order."""
    return np.concatenate([
        _numbered(_scaled(picture), number) for number, picture in enumerate(pictures, 1)], axis=1)


def _scaled(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    columns = max(1, round(width * _HEIGHT / height))
    rows = np.arange(_HEIGHT) * height // _HEIGHT
    return picture[rows][:, np.arange(columns) * width // columns]


def _numbered(picture: Pixels, number: int) -> Pixels:
    glyphs = [np.array([[int(row) >> bit & 1 for bit in (2, 1, 0)] for row in _GLYPHS[digit]])
              for digit in str(number)]
    label = np.pad(np.concatenate([np.pad(glyph, ((0, 0), (0, 1))) for glyph in glyphs], axis=1),
                   ((1, 1), (1, 0))).repeat(_DOT, 0).repeat(_DOT, 1)
    height, width = (min(a, b) for a, b in zip(label.shape, picture.shape))
    result = picture.copy()
    result[:height, :width] = label[:height, :width, None] * 255
    return result
