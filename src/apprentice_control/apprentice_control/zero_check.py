# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Note, beside a calibration file, that its zero was compared with the arm's description."""
from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path

from apprentice_control.calibration import write_whole
from apprentice_control.joint_calibration import JointCalibration


def zero_note(calibration_file: Path) -> Path:
    """Return where the note on a calibration file lies; LeRobot does not take it for a robot."""
    return calibration_file.with_suffix('.zero')


def note_zero_verified(
    calibration_file: Path, calibration: Mapping[str, JointCalibration],
    off_by_rad: Mapping[str, float],
) -> Path:
    """Note that zero was verified, with what each joint was off by; return the note's path."""
    note = zero_note(calibration_file)
    content = {'zero': _zero(calibration), 'off_by_rad': dict(off_by_rad)}
    write_whole(note, json.dumps(content, indent=4).encode())
    return note


def zero_verified(
    calibration_file: Path, calibration: Mapping[str, JointCalibration],
) -> bool:
    """Tell whether zero was verified for just this calibration."""
    try:
        content = json.loads(zero_note(calibration_file).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get('zero') == _zero(calibration)


def _zero(calibration: Mapping[str, JointCalibration]) -> dict[str, list[int]]:
    return {name: [joint.homing_offset, joint.range_min, joint.range_max]
            for name, joint in calibration.items()}
