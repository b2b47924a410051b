# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibration files."""
from __future__ import annotations

from pathlib import Path

from opencv_camera_driver.calibration import load_calibration
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.outlets import camera_info
import pytest

TEXT = """\
image_width: 640
image_height: 480
camera_name: front
camera_matrix: {rows: 3, cols: 3, data: [500.5, 0, 320, 0, 501, 240, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.2, 0.001, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [490, 0, 320, 0, 0, 491, 240, 0, 0, 0, 1, 0]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a good file."""
    path = tmp_path / 'with space.yaml'
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize('form', ['{0}', 'file://{1}'])
def test_a_file_becomes_the_message(file: Path, form: str) -> None:
    """Every matrix arrives, by path and by URL."""
    url = form.format(file, str(file).replace(' ', '%20'))
    message = camera_info(640, 480, load_calibration(url, 640, 480))
    assert message.distortion_model == 'plumb_bob'
    assert list(message.d) == [0.1, -0.2, 0.001, 0, 0]
    assert list(message.k) == [500.5, 0, 320, 0, 501, 240, 0, 0, 1]
    assert list(message.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert list(message.p) == [490, 0, 320, 0, 0, 491, 240, 0, 0, 0, 1, 0]


@pytest.mark.parametrize('old, new, words', [
    ('image_width: 640', 'image_width: 1280', 'found 1280x480, expected 640x480, the size of the'),
    ('image_width: 640', 'image_width: wide', "image_width: found 'wide', expected a number"),
    ('plumb_bob', 'fisheye', "found 'fisheye', expected one of plumb_bob"),
    ('[0.1, -0.2, 0.001, 0, 0]', '[0.1]', 'found 1 numbers, expected 4 or 5 for plumb_bob'),
    ('[500.5, 0,', '[', 'camera_matrix: found 7 numbers, expected 9'),
    ('[490, 0', '[far, 0', 'projection_matrix: found .*expected a mapping with a list of numbers'),
    ('[490, 0', '[.nan, 0', 'projection_matrix: found'),
    ('rectification_matrix', 'rectangle', 'rectification_matrix: found None'),
    ('image_width', '- image_width', 'cannot be read'),
])
def test_a_bad_file_is_refused(file: Path, old: str, new: str, words: str) -> None:
    """The error names the file, the field, what was found and what is expected."""
    file.write_text(TEXT.replace(old, new))
    with pytest.raises(CameraError, match=words) as error:
        load_calibration(str(file), 640, 480)
    assert str(file) in str(error.value)


@pytest.mark.parametrize('url, words', [
    ('/nowhere.yaml', 'cannot be read: No such file'),
    ('package://no_such_package/c.yaml', "no package 'no_such_package'"),
    ('package://opencv_camera_driver/none.yaml', 'cannot be read'),
    ('http://host/c.yaml', 'expected a path, file:// or package://')])
def test_a_url_that_leads_nowhere(url: str, words: str) -> None:
    """Each kind says what is wrong with it."""
    with pytest.raises(CameraError, match=words):
        load_calibration(url, 640, 480)


def test_without_a_file_the_camera_is_uncalibrated() -> None:
    """Only the size is said, as ROS has it."""
    message = camera_info(640, 480, None)
    assert (message.width, message.height) == (640, 480) and not any(message.k)
