# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibration files are LeRobot's: read strictly, found in its folders, written in one step."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

from apprentice_control.calibration import calibration_root
from apprentice_control.calibration import CalibrationError
from apprentice_control.calibration import JointCalibration
from apprentice_control.calibration import load_calibration
from apprentice_control.calibration import plausibility_warnings
from apprentice_control.calibration import save_calibration
from apprentice_control.calibration import search_calibration
from apprentice_control.limits import limits_from_calibration
from hypothesis import given
from hypothesis import strategies as st
import pytest

EXPECTED = {'pan': 1, 'lift': 2}


def member(**changes: object) -> dict[str, object]:
    """Make one joint's member of a file."""
    fields = {'id': 1, 'drive_mode': 0, 'homing_offset': -1342, 'range_min': 758,
              'range_max': 3292}
    return {**fields, **changes}


def write(path: Path, text: str) -> Path:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_pair(path: Path, **changes: object) -> Path:
    """Write a file of two joints, the first with changes; the order is not the bus order."""
    return write(path, json.dumps({'lift': member(id=2), 'pan': member(**changes)}))


def test_joints_come_in_bus_order(tmp_path: Path) -> None:
    """The order is that of the expected joints, not of the file."""
    joints = load_calibration(write_pair(tmp_path / 'a.json'), EXPECTED)
    assert list(joints) == ['pan', 'lift']
    assert joints['pan'] == JointCalibration('pan', 1, 0, -1342, 758, 3292)


def test_degrees_agree_with_lerobot() -> None:
    """The worked example of the format: middle 2025, 2048 is 2.0220 degrees."""
    joint = JointCalibration('pan', 1, 0, 0, 758, 3292)
    assert joint.mid_raw == 2025
    assert math.degrees(joint.to_rad(2048)) == pytest.approx(2.0220, abs=5e-5)
    assert abs(joint.to_raw(math.radians(45)) - 2536) <= 1


def test_drive_mode_flips_no_sign() -> None:
    """Radians ignore drive_mode, as LeRobot's degrees do."""
    plain = JointCalibration('pan', 1, 0, 0, 758, 3292)
    turned = JointCalibration('pan', 1, 1, 0, 758, 3292)
    assert plain.to_rad(3000) == turned.to_rad(3000)


@given(st.integers(0, 4094), st.integers(1, 4095), st.integers(-4096, 8192))
def test_ticks_survive_the_way_to_radians_and_back(low: int, width: int, raw: int) -> None:
    """Every tick comes back as itself, in any range."""
    joint = JointCalibration('pan', 1, 0, 0, low, min(low + width, 4095))
    assert joint.to_raw(joint.to_rad(raw)) == raw
    assert joint.lower_rad == pytest.approx(-joint.upper_rad)


@pytest.mark.parametrize('changes, words', [
    ({'id': 3}, ['pan', '3', 'expected 1']),
    ({'range_min': 3292}, ['pan', '3292', 'not below']),
    ({'range_min': -5}, ['range_min', '-5', '0 to 4095']),
    ({'range_max': 4096}, ['range_max', '4096', '0 to 4095']),
    ({'homing_offset': 2048}, ['homing_offset', '2048', '-2047 to 2047']),
    ({'homing_offset': -2048}, ['homing_offset', '-2048']),
    ({'drive_mode': 2}, ['drive_mode', '2']),
    ({'drive_mode': True}, ['drive_mode', 'True', 'whole number']),
    ({'range_max': 3292.5}, ['range_max', '3292.5', 'whole number']),
    ({'range_max': '3292'}, ['range_max', 'whole number']),
    ({'extra': 1}, ['extra', 'expected the fields']),
])
def test_a_bad_value_is_named(
    tmp_path: Path, changes: dict[str, object], words: list[str],
) -> None:
    """The error names the file, the joint, the value found and the value expected."""
    path = write_pair(tmp_path / 'a.json', **changes)
    with pytest.raises(CalibrationError) as caught:
        load_calibration(path, EXPECTED)
    for word in [str(path), *words]:
        assert word in str(caught.value)


def test_another_robots_file_is_refused(tmp_path: Path) -> None:
    """A file with other joints names what is missing and what is strange."""
    path = write(tmp_path / 'a.json', json.dumps({'pan': member(), 'thumb': member(id=2)}))
    with pytest.raises(CalibrationError, match=r"missing joints \['lift'\].*\['thumb'\]"):
        load_calibration(path, EXPECTED)


@pytest.mark.parametrize('text, words', [
    ('{"pan": {"id": 1, "dri', 'truncated'),
    ('', 'truncated'),
    ('[1, 2]', 'holds a list'),
    ('[' * 100_000, 'truncated'),
    ('{"pan": 1, "pan": 2}', 'stands twice'),
    ('{"pan": 1, "lift": 2}', 'expected the fields'),
])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, text: str, words: str) -> None:
    """Truncated, foreign and doubled content is refused by file name."""
    path = write(tmp_path / 'a.json', text)
    with pytest.raises(CalibrationError, match=words) as caught:
        load_calibration(path, EXPECTED)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    """A path that does not exist is a CalibrationError as well."""
    with pytest.raises(CalibrationError, match='cannot be read: No such file'):
        load_calibration(tmp_path / 'none.json', EXPECTED)


def test_not_text_and_too_large_are_refused(tmp_path: Path) -> None:
    """Binary and huge files are refused without being parsed."""
    binary = tmp_path / 'b.json'
    binary.write_bytes(b'\xff\xfe\x00')
    with pytest.raises(CalibrationError, match='not valid JSON'):
        load_calibration(binary, EXPECTED)
    with pytest.raises(CalibrationError, match='larger than'):
        load_calibration(write(tmp_path / 'c.json', ' ' * 1_000_001), EXPECTED)


def test_suspicious_ranges_warn(tmp_path: Path) -> None:
    """A tiny range and one over the encoder seam warn; a free joint's full turn does not."""
    tiny = JointCalibration('pan', 1, 0, 0, 2000, 2100)
    seam = JointCalibration('lift', 2, 0, 0, 3, 4090)
    free = JointCalibration('roll', 3, 0, 0, 0, 4095)
    warnings = plausibility_warnings({'pan': tiny, 'lift': seam, 'roll': free})
    assert len(warnings) == 2
    assert 'pan' in warnings[0] and 'lift' in warnings[1] and 'seam' in warnings[1]


def test_saved_files_are_lerobots_and_keep_one_backup(tmp_path: Path) -> None:
    """Saving writes four-space JSON in bus order and keeps exactly the file before."""
    path = tmp_path / 'robots' / 'a.json'
    for offset in (1, 2, 3):
        save_calibration(path, {'pan': JointCalibration('pan', 1, 0, offset, 758, 3292)})
    text = path.read_text()
    assert text.startswith('{\n    "pan": {\n        "id": 1,\n        "drive_mode": 0,\n')
    assert load_calibration(path, {'pan': 1})['pan'].homing_offset == 3
    backup = path.with_name('a.json.bak')
    assert load_calibration(backup, {'pan': 1})['pan'].homing_offset == 2
    assert sorted(entry.name for entry in path.parent.iterdir()) == ['a.json', 'a.json.bak']


def test_a_failed_save_leaves_the_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the disk is full the old file stays as it was and nothing is left beside it."""
    path = tmp_path / 'a.json'
    joints = {'pan': JointCalibration('pan', 1, 0, 1, 758, 3292)}
    save_calibration(path, joints)
    before = path.read_text()

    def full(descriptor: int) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space'):
        save_calibration(path, {'pan': JointCalibration('pan', 1, 0, 2, 758, 3292)})
    assert path.read_text() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ['a.json']


@pytest.mark.parametrize('environment, root', [
    ({'HF_LEROBOT_CALIBRATION': '/c', 'HF_LEROBOT_HOME': '/l'}, '/c'),
    ({'HF_LEROBOT_HOME': '/l', 'HF_HOME': '/h'}, '/l/calibration'),
    ({'HF_HOME': '/h', 'XDG_CACHE_HOME': '/x'}, '/h/lerobot/calibration'),
    ({'XDG_CACHE_HOME': '/x'}, '/x/huggingface/lerobot/calibration'),
    ({}, str(Path.home() / '.cache/huggingface/lerobot/calibration')),
])
def test_the_root_is_lerobots(environment: dict[str, str], root: str) -> None:
    """The variables count in LeRobot's order."""
    assert calibration_root(environment) == Path(root)


def test_todays_folder_wins_and_the_others_are_named(tmp_path: Path) -> None:
    """With files in several folders today's is used and a notice names the rest."""
    today = write(tmp_path / 'robots/so_follower/arm.json', '{}')
    older = write(tmp_path / 'robots/so100_follower/arm.json', '{}')
    found = search_calibration('arm', 'follower', {'HF_LEROBOT_CALIBRATION': str(tmp_path)})
    assert found.path == today
    assert str(older) in found.notice


def test_an_old_folder_is_found_with_a_notice(tmp_path: Path) -> None:
    """A file of an older release is used, and the notice says where it belongs today."""
    older = write(tmp_path / 'teleoperators/so101_leader/arm.json', '{}')
    found = search_calibration('arm', 'leader', {'HF_LEROBOT_CALIBRATION': str(tmp_path)})
    assert found.path == older
    assert 'so_leader' in found.notice


def test_no_id_is_lerobots_none(tmp_path: Path) -> None:
    """An empty robot_id finds LeRobot's `None.json`, without a notice."""
    path = write(tmp_path / 'robots/so_follower/None.json', '{}')
    found = search_calibration('', 'follower', {'HF_LEROBOT_CALIBRATION': str(tmp_path)})
    assert (found.path, found.notice) == (path, '')


def test_a_missing_id_lists_those_found(tmp_path: Path) -> None:
    """The error names the folders searched and the ids that lie there."""
    write(tmp_path / 'robots/so100_follower/other.json', '{}')
    with pytest.raises(CalibrationError, match='so_follower.*ids found there: other'):
        search_calibration('arm', 'follower', {'HF_LEROBOT_CALIBRATION': str(tmp_path)})


@pytest.mark.parametrize('robot_id', ['../arm', 'a/b', '..', 'a\\b', 'a\0'])
def test_an_id_never_leaves_its_folder(tmp_path: Path, robot_id: str) -> None:
    """An id that is a path is refused."""
    with pytest.raises(CalibrationError, match='plain file name'):
        search_calibration(robot_id, 'follower', {'HF_LEROBOT_CALIBRATION': str(tmp_path)})


def test_an_unknown_role_is_refused() -> None:
    """Only followers and leaders have folders."""
    with pytest.raises(CalibrationError, match="'boss'"):
        search_calibration('arm', 'boss', {})


def test_hard_limits_are_the_range_less_a_margin() -> None:
    """Both ends lose the margin; a range that is all margin is refused."""
    joint = JointCalibration('pan', 1, 0, 0, 758, 3292)
    limit = limits_from_calibration({'pan': joint}, 0.1, 4.0, 30.0)[0]
    assert limit.upper == pytest.approx(joint.upper_rad - 0.1)
    assert limit.lower == pytest.approx(-limit.upper)
    with pytest.raises(CalibrationError, match='pan'):
        limits_from_calibration({'pan': joint}, 2.0, 4.0, 30.0)
