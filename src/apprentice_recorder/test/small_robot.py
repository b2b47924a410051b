# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A robot of two joints and a small camera whose pictures carry their number."""
from __future__ import annotations

from array import array
from types import SimpleNamespace
from typing import Any

from apprentice_contract.contract import Contract
from apprentice_contract.contract import parse_contract
import numpy as np
from numpy.typing import NDArray

CAMERA = 'observation.images.front'
WIDTH, HEIGHT, BITS = 64, 48, 12
MS = 1_000_000
FRAME_NS, JOINT_NS = 1_000_000_000 // 30, 10 * MS
CONTRACT = f"""
version: 1
robot_type: small
fps: 30
reference: front
streams:
  front: {{topic: front/image_raw, type: sensor_msgs/msg/Image, rate_hz: 30, max_age_ms: 50}}
  arm: {{topic: arm/joint_states, type: sensor_msgs/msg/JointState, rate_hz: 100, max_age_ms: 50}}
  goals: {{topic: arm/goals, type: sensor_msgs/msg/JointState, rate_hz: 100, max_lead_ms: 100}}
features:
  observation.state: {{parts: [{{stream: arm, joints: [a, b], unit: radians, field: position}}]}}
  {CAMERA}: {{stream: front, width: {WIDTH}, height: {HEIGHT}}}
action: {{sent: [{{stream: goals, joints: [a, b], unit: radians, field: position}}]}}
rate_tolerance: 0.2
"""


def contract(text: str = CONTRACT) -> Contract:
    """Return the robot's contract."""
    return parse_contract(text)


def pixels(number: int) -> NDArray[np.uint8]:
    """Draw a number as 4 x 3 black and white blocks."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    blocks = np.array(bits, np.uint8).reshape(3, 4) * 220
    grey = np.kron(blocks, np.ones((HEIGHT // 3, WIDTH // 4), np.uint8))
    return np.repeat(grey[:, :, None], 3, axis=2)


def number_in(picture: NDArray[np.uint8]) -> int:
    """Read the number drawn into a picture."""
    blocks = picture.mean(axis=2).reshape(3, HEIGHT // 3, 4, WIDTH // 4).mean(axis=(1, 3))
    return sum(1 << bit for bit, light in enumerate(blocks.ravel()) if light > 110)


def image_fields(number: int) -> dict[str, Any]:
    """Return the fields of an Image with a number in it."""
    return {'width': WIDTH, 'height': HEIGHT, 'encoding': 'rgb8', 'step': 3 * WIDTH,
            'data': array('B', pixels(number).tobytes())}


def image(number: int) -> SimpleNamespace:
    """Return an Image message with a number in it."""
    return SimpleNamespace(**image_fields(number))


def joints(value: float) -> SimpleNamespace:
    """Return a JointState at `value` and its negative."""
    return SimpleNamespace(name=['a', 'b'], position=array('d', [value, -value]),
                           velocity=array('d'), effort=array('d'))
