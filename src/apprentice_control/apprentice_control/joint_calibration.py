# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The calibration of one joint: its range and the conversion between ticks and radians."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apprentice_control.units import RAD_PER_TICK
from apprentice_control.units import TICKS_PER_TURN

MAX_HOMING_OFFSET = 2047
"""The homing-offset register holds a sign and eleven bits."""

NARROW_FRACTION = 0.05
SEAM_FRACTION = 0.95


class CalibrationError(ValueError):
    """A calibration that cannot be used: the text names file, joint, value and remedy."""


@dataclass(frozen=True)
class JointCalibration:
    """
    Calibration of one joint, in encoder ticks as LeRobot stores it.

    Zero radians is the middle of the range; `drive_mode` is kept for the file and never flips a
    sign.

    :raises CalibrationError: a value outside what the servo or the format can hold.
    """

    name: str
    id: int
    drive_mode: int
    homing_offset: int
    range_min: int
    range_max: int

    def __post_init__(self) -> None:
        """Refuse values that no servo register could hold."""
        for field, low, high in (
            ('id', 0, 253),
            ('drive_mode', 0, 1),
            ('homing_offset', -MAX_HOMING_OFFSET, MAX_HOMING_OFFSET),
            ('range_min', 0, TICKS_PER_TURN - 1),
            ('range_max', 0, TICKS_PER_TURN - 1),
        ):
            value = getattr(self, field)
            if type(value) is not int:
                raise CalibrationError(
                    f'joint {self.name}: {field} is {value!r}, expected a whole number')
            if not low <= value <= high:
                raise CalibrationError(
                    f'joint {self.name}: {field} is {value}, expected {low} to {high}; '
                    'calibrate this joint again')
        if self.range_min >= self.range_max:
            raise CalibrationError(
                f'joint {self.name}: range_min {self.range_min} is not below range_max '
                f'{self.range_max}; calibrate this joint again')

    @property
    def mid_raw(self) -> float:
        """Return the middle of the range in ticks, which is zero radians."""
        return (self.range_min + self.range_max) / 2

    @property
    def lower_rad(self) -> float:
        """Return the lower end of the calibrated range in radians."""
        return self.to_rad(self.range_min)

    @property
    def upper_rad(self) -> float:
        """Return the upper end of the calibrated range in radians."""
        return self.to_rad(self.range_max)

    def to_rad(self, raw: float) -> float:
        """Convert a position reading in ticks to radians."""
        return (raw - self.mid_raw) * RAD_PER_TICK

    def to_raw(self, rad: float) -> int:
        """Convert radians to the nearest tick, not limited to the range."""
        return round(rad / RAD_PER_TICK + self.mid_raw)


def plausibility_warnings(calibration: Mapping[str, JointCalibration]) -> list[str]:
    """List what is allowed but looks like a calibration gone wrong, a sentence each."""
    warnings = []
    for joint in calibration.values():
        turn = (joint.range_max - joint.range_min) / TICKS_PER_TURN
        if turn < NARROW_FRACTION:
            warnings.append(
                f'joint {joint.name}: the range is only {turn:.1%} of a turn; was the joint moved '
                'to both ends while the range was recorded?')
        elif turn > SEAM_FRACTION and not _is_full_turn(joint):
            warnings.append(
                f'joint {joint.name}: the range is {turn:.1%} of a turn; the encoder seam was '
                'probably crossed, so calibrate this joint again')
    return warnings


def _is_full_turn(joint: JointCalibration) -> bool:
    # LeRobot writes exactly this range for joints that turn freely.
    return joint.range_min == 0 and joint.range_max == TICKS_PER_TURN - 1
