# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The way to the rest pose before a release."""
from __future__ import annotations

from collections.abc import Sequence

from apprentice_control.guard import TrajectoryPoint

# The source by which the driver itself commands; no topic can have this name.
REST = 'driver/rest'
VELOCITY = 1.0
MIN_S = 0.5
MAX_S = 2.0
LEAD_NS = 50_000_000


def way_to_rest(
    here: Sequence[float], pose: Sequence[float], now_ns: int,
) -> tuple[tuple[TrajectoryPoint, ...], float]:
    """
    Return the points from here to the pose (rad) and how long they take in seconds.

    A far pose is approached faster, so that a release ends in time; the guard's caps hold.
    """
    distance = max(abs(goal - start) for goal, start in zip(pose, here, strict=True))
    duration_ns = int(min(max(distance / VELOCITY, MIN_S), MAX_S) * 1e9)
    still = (0.0,) * len(pose)
    # A first point where the arm stands: without it the guard would ramp all the way.
    begin_ns = now_ns + LEAD_NS
    points = (TrajectoryPoint(begin_ns, here, still),
              TrajectoryPoint(begin_ns + duration_ns, pose, still))
    return points, (duration_ns + 2 * LEAD_NS) * 1e-9
