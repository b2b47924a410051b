# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
What the servos held before a calibration, on disk until it has ended.

A host that dies in the middle cannot put registers back. The journal lies beside the calibration
file, so that the driver refuses the arm and the next `calibrate` can restore it.
"""
from __future__ import annotations

from collections.abc import Mapping
import hashlib
import json
from pathlib import Path

from apprentice_control.calibration import CalibrationError
from apprentice_control.calibration import write_whole

Registers = Mapping[tuple[str, str], int]


class Journal:
    """The journal of one calibration file."""

    def __init__(self, calibration_file: Path) -> None:
        """Name it; nothing is read or written yet."""
        self.path = calibration_file.with_name(calibration_file.name + '.calibrating')
        self._file = calibration_file

    @property
    def open(self) -> bool:
        """
        Whether a calibration was interrupted.

        One whose file was saved after all is none: only the removal of its journal is missing.
        """
        if not self.path.exists():
            return False
        try:
            return self._read()['file'] == self._digest()
        except CalibrationError:
            return True

    def registers(self) -> dict[tuple[str, str], int]:
        """Return what the servos held, by joint and register; CalibrationError if damaged."""
        return {(joint, register): value for joint, row in self._read()['registers'].items()
                for register, value in row.items()}

    def write(self, before: Registers) -> None:
        """Put on disk, for good, what the servos held before; OSError where that fails."""
        rows: dict[str, dict[str, int]] = {}
        for (joint, register), value in before.items():
            rows.setdefault(joint, {})[register] = value
        content = {'file': self._digest(), 'registers': rows}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, json.dumps(content, indent=4).encode())

    def remove(self) -> None:
        """End the calibration."""
        self.path.unlink(missing_ok=True)

    def _digest(self) -> str:
        try:
            return hashlib.sha256(self._file.read_bytes()).hexdigest()
        except OSError:
            return ''

    def _read(self) -> dict[str, dict]:
        try:
            content = json.loads(self.path.read_text(encoding='utf-8'))
            rows = content['registers']
            values = [value for row in rows.values() for value in row.values()]
            if isinstance(content['file'], str) and all(type(it) is int for it in values):
                return content
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        raise CalibrationError(
            f'{self.path}: cannot be read, so what the servos held before the interrupted '
            'calibration is lost; calibrate all joints again')


def refuse_interrupted(calibration_file: Path) -> None:
    """Raise CalibrationError where a calibration was begun and neither saved nor undone."""
    journal = Journal(calibration_file)
    if journal.open:
        raise CalibrationError(
            f'calibration {calibration_file}: a calibration of this arm was interrupted (its '
            f'journal is {journal.path}), so its servos hold a part of it; run "ros2 run '
            'feetech_driver calibrate" for this arm: with --restore the servos become as they '
            'were before, without it all is calibrated again')
