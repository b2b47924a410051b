# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures for surfaces, computed once, so that no asset files are needed."""
from __future__ import annotations

import numpy as np

SIZE = 512


def wood(seed: int = 7) -> np.ndarray:
    """Return a light wood grain as uint8 of shape (512, 512, 3), meant to be tinted."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    warp = sum(
        random.uniform(0.02, 0.05) * np.sin(2 * np.pi * (fx * x + fy * y) + random.uniform(0, 7))
        for fx, fy in ((1, 1), (2, 0), (1, 3), (3, 2)))
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (14 * (y + warp) + 0.4 * np.sin(2 * np.pi * x)))
    fibres = np.repeat(random.normal(0, 1, (SIZE, SIZE // 32)), 32, axis=1)
    shade = 0.90 + 0.07 * rings ** 2 + 0.015 * fibres
    planks = np.floor(y * 4).astype(int)
    shade = shade * np.array([1.0, 0.95, 0.985, 0.93])[planks]
    seam = np.abs(y * 4 - np.round(y * 4)) < 0.006
    shade = np.where(seam, shade * 0.8, shade)
    tone = np.array([1.0, 0.93, 0.84])
    return np.clip(shade[..., None] * tone * 255, 0, 255).astype(np.uint8)
