# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a joint may do: hard position limits, speed and acceleration caps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math

from apprentice_control.joint_calibration import CalibrationError
from apprentice_control.joint_calibration import JointCalibration


@dataclass(frozen=True)
class JointLimit:
    """
    Hard limits (rad) and caps (rad/s, rad/s²) of one joint.

    :raises ValueError: not finite, empty range, or a cap that is not positive.
    """

    name: str
    lower: float
    upper: float
    max_velocity: float
    max_acceleration: float

    def __post_init__(self) -> None:
        """Refuse limits under which no motion could be computed."""
        values = (self.lower, self.upper, self.max_velocity, self.max_acceleration)
        if not all(math.isfinite(value) for value in values):
            raise ValueError(f'joint {self.name}: every limit must be finite, found {values}')
        if self.lower >= self.upper:
            raise ValueError(
                f'joint {self.name}: lower limit {self.lower} is not below upper {self.upper}')
        if self.max_velocity <= 0 or self.max_acceleration <= 0:
            raise ValueError(
                f'joint {self.name}: caps must be above zero, found velocity '
                f'{self.max_velocity} and acceleration {self.max_acceleration}')


def limits_from_calibration(
    calibration: Mapping[str, JointCalibration],
    margin_rad: float,
    max_velocity: float,
    max_acceleration: float,
) -> tuple[JointLimit, ...]:
    """
    Make the hard limits of an arm: every calibrated range less a margin at both ends.

    :raises CalibrationError: a range narrower than its two margins.
    """
    for joint in calibration.values():
        if joint.upper_rad - joint.lower_rad <= 2 * margin_rad:
            raise CalibrationError(
                f'joint {joint.name}: the range of {joint.upper_rad - joint.lower_rad:.4f} rad '
                f'leaves nothing between margins of {margin_rad:.4f} rad; calibrate this joint '
                'again')
    return tuple(
        JointLimit(joint.name, joint.lower_rad + margin_rad, joint.upper_rad - margin_rad,
                   max_velocity, max_acceleration)
        for joint in calibration.values())
