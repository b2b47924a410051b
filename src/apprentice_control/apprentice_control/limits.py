# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What a joint may do: hard position limits, speed and acceleration caps."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
import math
from pathlib import Path
from xml.etree import ElementTree

from apprentice_control.joint_calibration import CalibrationError
from apprentice_control.joint_calibration import JointCalibration


class DescriptionError(ValueError):
    """Report a URDF file whose joint limits cannot be used."""


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


def read_description(urdf: Path) -> dict[str, tuple[float, float]]:
    """
    Return the position limits (rad) of a URDF's joints by name; joints without are left out.

    :raises DescriptionError: no such file, no URDF, or limits that are no range.
    """
    try:
        root = ElementTree.parse(urdf).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise DescriptionError(f'description {urdf}: cannot be read: {error}') from error
    if root.tag != 'robot':
        raise DescriptionError(
            f'description {urdf}: its root element is <{root.tag}>, expected <robot>')
    found = {}
    for joint in root.findall('joint'):
        limit, name = joint.find('limit'), joint.get('name', '')
        if limit is None or joint.get('type') not in ('revolute', 'prismatic'):
            continue
        try:
            ends = float(limit.get('lower', '0')), float(limit.get('upper', '0'))
        except ValueError:
            ends = math.nan, math.nan
        if not -math.inf < ends[0] < ends[1] < math.inf:
            raise DescriptionError(
                f'description {urdf}: joint {name!r} has limits {limit.get("lower")} to '
                f'{limit.get("upper")}, expected two numbers, the lower one first')
        found[name] = ends
    return found


def within_description(
    limits: Sequence[JointLimit], description: Mapping[str, tuple[float, float]],
) -> tuple[JointLimit, ...]:
    """
    Narrow hard limits to those of a description, joint by joint; caps stay.

    :raises DescriptionError: a joint that could then not move at all.
    """
    narrowed = []
    for limit in limits:
        low, high = description.get(limit.name, (-math.inf, math.inf))
        lower, upper = max(limit.lower, low), min(limit.upper, high)
        if lower >= upper:
            raise DescriptionError(
                f'joint {limit.name}: its calibrated limits of {limit.lower:.3f} to '
                f'{limit.upper:.3f} rad and the {low:.3f} to {high:.3f} rad of its description '
                'have nothing in common; is this the description of this arm?')
        narrowed.append(replace(limit, lower=lower, upper=upper))
    return tuple(narrowed)
