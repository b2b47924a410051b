# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A verified zero belongs to one calibration and to no other."""
from __future__ import annotations

from pathlib import Path

from apprentice_control.calibration import save_calibration
from apprentice_control.calibration import search_calibration
from apprentice_control.joint_calibration import JointCalibration
from apprentice_control.zero_check import note_zero_verified
from apprentice_control.zero_check import zero_note
from apprentice_control.zero_check import zero_verified
import pytest


def joints(low: int = 800) -> dict[str, JointCalibration]:
    return {'pan': JointCalibration('pan', 1, 0, 5, low, 3200)}


def test_a_note_holds_for_its_calibration_only(tmp_path: Path) -> None:
    """A joint calibrated again must be verified again."""
    path = tmp_path / 'my.arm.json'
    assert not zero_verified(path, joints())
    note = note_zero_verified(path, joints(), {'pan': 0.01})
    assert note == zero_note(path) == tmp_path / 'my.arm.zero'
    assert zero_verified(path, joints())
    assert not zero_verified(path, joints(801))


@pytest.mark.parametrize('text', ['', '[]', '{"zero": 3}', '{"zero": {"pan": [5, 800]}}', '\xff'])
def test_a_damaged_note_verifies_nothing(tmp_path: Path, text: str) -> None:
    """Whatever lies there, it is no proof."""
    zero_note(tmp_path / 'a.json').write_bytes(text.encode('latin-1'))
    assert not zero_verified(tmp_path / 'a.json', joints())


def test_a_note_is_not_taken_for_a_robot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder of LeRobot lists robots by `*.json`."""
    monkeypatch.setenv('HF_LEROBOT_CALIBRATION', str(tmp_path))
    path = tmp_path / 'robots' / 'so_follower' / 'a.json'
    save_calibration(path, joints())
    note_zero_verified(path, joints(), {})
    assert search_calibration('a', 'follower').path == path
    assert [entry.name for entry in path.parent.glob('*.json')] == ['a.json']
