# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Screens fit their terminal, and a command in a message can be copied."""
from __future__ import annotations

from pathlib import Path

from apprentice_control.calibration import JointCalibration
from feetech_driver.calibration_plan import Mode
from feetech_driver.calibration_plan import Outcome
from feetech_driver.calibration_plan import Phase
from feetech_driver.calibration_plan import Plan
from feetech_driver.calibration_plan import Row
from feetech_driver.calibration_screen import differing
from feetech_driver.calibration_screen import line
from feetech_driver.calibration_screen import summary
from feetech_driver.calibration_screen import table
from feetech_driver.console import wrapped
import pytest

PLAN = Plan('/dev/x', 'so100', 'leader', 'a', baud=500_000)
ROWS = [Row('shoulder_pan', 2047, 757, 3257, 'ok, 220 of 220 deg'),
        Row('gripper', -12, -53, 2000, 'short, 180 of 194 deg, seam')]


@pytest.mark.parametrize('width', [20, 60, 79, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """A line that the terminal wraps would break the redrawing in place."""
    lines = table(Phase.RANGE, 'move slowly from stop to stop: every joint', ROWS, width)
    assert max(map(len, lines)) <= width
    assert 'shoulder_pan' in '\n'.join(lines) and lines[-1].startswith('Enter confirms')


def test_a_timed_phase_counts_down_and_asks_for_no_key() -> None:
    """Who confirms by time sees how much is left."""
    lines = table(Phase.RANGE, 'move', ROWS, 80, left_s=3.4)
    assert lines[0] == 'RANGES: move (in 3 s)' and 'Enter' not in lines[-1]


def test_one_line_says_the_same() -> None:
    """A pipe gets positions and flags too."""
    assert line(ROWS) == ('shoulder_pan 2047 (757..3257) ok, 220 of 220 deg | '
                          'gripper -12 (-53..2000) short, 180 of 194 deg, seam')


def test_commands_are_not_wrapped() -> None:
    """Text is wrapped between words, a command stays on its line."""
    command = f'    {PLAN.again(("gripper",))}'
    text = wrapped(f'{"word " * 30}\n{command}', 40)
    assert text.splitlines()[-1] == command
    assert max(map(len, text.splitlines()[:-1])) <= 40
    assert command.strip() == (
        'ros2 run feetech_driver calibrate --port /dev/x --arm so100_leader --id a '
        '--baud 500000 --joints gripper')


def test_a_difference_is_summed_up(tmp_path: Path) -> None:
    """The table marks the joint, the lines below say by how much, the cures follow."""
    joints = {'pan': JointCalibration('pan', 1, 0, 5, 800, 3200),
              'lift': JointCalibration('lift', 2, 0, 6, 900, 3100)}
    outcome = Outcome(tmp_path / 'a.json', joints, {'pan': 'pan: one\npan: two', 'lift': 'ok'},
                      different=True)
    lines = summary(Plan('/dev/x', robot_id='a', mode=Mode.COMPARE), outcome)
    assert lines[1:] == [
        'pan                 5    800   3200  DIFFERS', 'lift                6    900   3100  ok',
        '  pan: one', '  pan: two', 'file and servos differ']
    assert [text.split()[-1] for text in differing(PLAN).splitlines()[1::2]] == [
        '--write', '--from-servos', '500000']
