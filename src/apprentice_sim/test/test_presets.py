# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Preset chains carry the calibration that they promise."""
from __future__ import annotations

import json
from pathlib import Path

from apprentice_sim.presets import chain
from apprentice_sim.presets import load_joints
from apprentice_sim.presets import PresetError
from apprentice_sim.presets import so_arm
import pytest


def test_follower_is_calibrated_and_configured() -> None:
    """Ids, ranges, gains and the gripper's protection are in the registers; torque is off."""
    servos = so_arm('follower')
    assert [s.servo_id for s in servos] == [1, 2, 3, 4, 5, 6]
    assert [s.get('min_position_limit') for s in servos] == [797, 911, 1025, 969, 0, 1423]
    assert {s.get('position_p') for s in servos} == {16}
    assert [servos[5].get(n) for n in ('max_torque_limit', 'torque_limit')] == [500, 500]
    assert not any(s.torque_on for s in servos)


def test_leader_stands_in_the_middle_despite_its_offset() -> None:
    """The pan joint reads mid-range although its encoder is shifted by the homing offset."""
    pan = so_arm('leader')[0]
    assert pan.get('homing_offset') == -120
    assert pan.present_position == 2068
    assert pan.position == 1948


def test_calibration_file_sets_the_registers(tmp_path: Path) -> None:
    """Ranges and offsets come from a LeRobot file."""
    path = tmp_path / 'arm.json'
    path.write_text(json.dumps({'gripper': {
        'id': 6, 'drive_mode': 0, 'homing_offset': -1342, 'range_min': 758, 'range_max': 3292}}))
    gripper, = so_arm('follower', path)
    assert (gripper.servo_id, gripper.limits, gripper.homing_offset) == (6, (758, 3292), -1342)


@pytest.mark.parametrize('content', ['', '[]', '{"a": 3}', '{"a": {"id": "1"}}'])
def test_bad_calibration_is_named(tmp_path: Path, content: str) -> None:
    """A file that is no calibration is refused by name."""
    path = tmp_path / 'bad.json'
    path.write_text(content)
    with pytest.raises(PresetError, match='bad.json'):
        load_joints(path)


def test_chain_of_other_models() -> None:
    """A description makes factory-fresh servos, two of one id if asked."""
    servos = chain('sts3215:1, scs0009:1,sm8512bl:3')
    assert [(s.model.number, s.servo_id) for s in servos] == [(777, 1), (1284, 1), (11272, 3)]
    assert servos[0].get('return_delay') == 250
    assert [s.baud for s in chain('sts3215:1@115200,sts3215:2')] == [115_200, 1_000_000]


@pytest.mark.parametrize('text', [
    'sts3215', 'xl330:1', 'sts3215:254', 'sts3215:-1', '', 'sts3215:1@9600', 'sts3215:1@'])
def test_bad_chain_is_named(text: str) -> None:
    """A description that makes no sense is an error that lists the models."""
    with pytest.raises(PresetError, match='sts3250'):
        chain(text)
