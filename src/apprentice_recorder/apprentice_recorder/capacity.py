# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What encoding costs this machine, and how much disk a minute takes."""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
import tempfile
import time

from apprentice_dataset.encoder import CameraPlan
from apprentice_dataset.encoder import PictureEncoder
from apprentice_dataset.images import RawImage
import numpy as np

_PICTURES = 12
_WARM_UP = 2
# Of a camera's pixel, H.264 at the default quality, a noisy scene.
_BYTES_A_PIXEL = 0.05


def encoder_costs_s(plans: Iterable[CameraPlan]) -> list[float]:
    """Return the processor seconds that a picture of each camera takes, measured."""
    return [_cost_s(plan) for plan in plans]


def bytes_a_minute(plans: Iterable[CameraPlan]) -> float:
    """Return a cautious guess of what a minute takes, until an episode has shown it."""
    return 60 * sum(plan.fps * plan.width * plan.height * _BYTES_A_PIXEL for plan in plans)


def _cost_s(plan: CameraPlan) -> float:
    with tempfile.TemporaryDirectory() as folder:
        encoder = PictureEncoder(plan, Path(folder, 'test.mp4'))
        try:
            for number, picture in enumerate(_pictures(plan.width, plan.height)):
                if number == _WARM_UP:
                    begin = time.thread_time()
                encoder.take(picture)
            return (time.thread_time() - begin) / (_PICTURES - _WARM_UP)
        finally:
            encoder.abandon()


def _pictures(width: int, height: int) -> Iterable[RawImage]:
    """Yield a textured scene that moves by a few pixels, as a camera on a wrist sees it."""
    chance = np.random.default_rng(1)
    small = chance.integers(40, 215, (height // 8 + 4, width // 8 + 4, 3), dtype=np.uint8)
    scene = small.repeat(8, axis=0).repeat(8, axis=1)
    for number in range(_PICTURES):
        shift = 2 * number
        view = scene[shift:shift + height, shift:shift + width]
        noise = chance.integers(0, 8, view.shape, dtype=np.uint8)
        yield RawImage((view + noise).tobytes(), width, height, 'rgb8', 3 * width)
