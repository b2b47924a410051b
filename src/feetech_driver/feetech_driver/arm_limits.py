# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hard limits of an arm: its calibrated range, and its description's once zero was verified."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import math
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from ament_index_python.packages import PackageNotFoundError
from apprentice_control.calibration import JointCalibration
from apprentice_control.limits import DescriptionError
from apprentice_control.limits import JointLimit
from apprentice_control.limits import limits_from_calibration
from apprentice_control.limits import read_description
from apprentice_control.limits import within_description
from apprentice_control.zero_check import zero_note
from apprentice_control.zero_check import zero_verified
from feetech_driver.parameters import DriverConfig
from feetech_driver.parameters import Role

_PACKAGE = 'package://'


def arm_limits(
    config: DriverConfig, file: Path, calibration: Mapping[str, JointCalibration],
    warn: Callable[[str], None],
) -> tuple[JointLimit, ...]:
    """
    Return the hard limits of every joint.

    A description's zero need not be the arm's: its limits only warn until `calibrate
    --verify-zero` has passed for just this calibration. Raises CalibrationError or
    DescriptionError where no limits can be made.
    """
    limits = limits_from_calibration(
        calibration, math.radians(config.limit_margin_deg), config.guard['max_velocity'],
        config.guard['max_acceleration'])
    if not config.description or config.role is Role.LEADER:
        return limits
    narrowed = within_description(limits, read_description(_path(config.description)))
    if zero_verified(file, calibration):
        return narrowed
    wider = [before.name for before, after in zip(limits, narrowed) if before != after]
    if wider:
        warn(f"the description's narrower limits of {', '.join(wider)} are not enforced: zero was "
             f'not verified for this calibration (no valid {zero_note(file)}). Run "ros2 run '
             'feetech_driver calibrate" for this arm with --verify-zero')
    return limits


def _path(spec: str) -> Path:
    if not spec.startswith(_PACKAGE):
        return Path(spec).expanduser()
    package, _, inside = spec.removeprefix(_PACKAGE).partition('/')
    try:
        return Path(get_package_share_directory(package), inside)
    except (PackageNotFoundError, ValueError) as error:
        raise DescriptionError(
            f'description {spec}: no package {package!r} is installed; give the path of a URDF '
            'file instead') from error
