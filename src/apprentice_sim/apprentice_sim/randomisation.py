# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a seed decides about the world: where things lie and how they look."""
from __future__ import annotations

import colorsys
from dataclasses import dataclass
from math import cos
from math import pi
from math import sin

import numpy as np

# Polar ranges about the pan axis within which the arm grasps from above with margin.
PAN_AXIS_X = 0.0388
CUBE_RADIUS = (0.165, 0.235)
CUBE_AZIMUTH = (-0.75, 0.30)
BIN_RADIUS = (0.19, 0.205)
BIN_AZIMUTH = (0.95, 1.10)


@dataclass(frozen=True)
class Variation:
    """
    One world: placements in m and rad on the table, colours as RGB in 0..1.

    Camera shifts are in m and rad (rotation vector) relative to the camera's nominal pose.
    """

    cube_xy: tuple[float, float]
    cube_yaw: float
    cube_rgb: tuple[float, float, float]
    bin_xy: tuple[float, float]
    bin_yaw: float
    table_rgb: tuple[float, float, float]
    light_position: tuple[float, float, float]
    light_rgb: tuple[float, float, float]
    camera_shift: dict[str, tuple[float, float, float]]
    camera_turn: dict[str, tuple[float, float, float]]


def variation(seed: int) -> Variation:
    """Return the world that a seed stands for; the same everywhere and in every process."""
    random = np.random.default_rng(seed & 0xFFFFFFFFFFFFFFFF)

    def draw(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    def jitter(amount: float) -> tuple[float, float, float]:
        return draw(-amount, amount), draw(-amount, amount), draw(-amount, amount)

    cube = _polar(draw(*CUBE_RADIUS), draw(*CUBE_AZIMUTH))
    cube_yaw = draw(-pi / 4, pi / 4)
    cube_rgb = colorsys.hsv_to_rgb(draw(0.0, 1.0), draw(0.75, 0.95), draw(0.70, 0.95))
    bin_azimuth = draw(*BIN_AZIMUTH)
    bin_xy = _polar(draw(*BIN_RADIUS), bin_azimuth)
    table = colorsys.hsv_to_rgb(draw(0.06, 0.11), draw(0.10, 0.40), draw(0.70, 1.0))
    brightness, warmth = draw(0.40, 0.62), draw(-0.06, 0.06)
    return Variation(
        cube_xy=cube, cube_yaw=cube_yaw, cube_rgb=cube_rgb,
        bin_xy=bin_xy, bin_yaw=bin_azimuth + draw(-0.1, 0.1), table_rgb=table,
        light_position=(draw(0.1, 0.7), draw(-0.6, 0.6), draw(0.9, 1.4)),
        light_rgb=(brightness * (1 + warmth), brightness, brightness * (1 - warmth)),
        camera_shift={'front': jitter(0.012), 'wrist': jitter(0.002)},
        camera_turn={'front': jitter(0.02), 'wrist': jitter(0.01)})


def _polar(radius: float, azimuth: float) -> tuple[float, float]:
    return PAN_AXIS_X + radius * cos(azimuth), radius * sin(azimuth)
