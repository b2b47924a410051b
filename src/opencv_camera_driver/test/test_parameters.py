# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameters, and that the README names them all."""
from __future__ import annotations

from pathlib import Path

from apprentice_node.parameters import ParameterError
from opencv_camera_driver.formats import Wanted
from opencv_camera_driver.parameters import SPECS
from opencv_camera_driver.sources import is_file
from probe import configured
import pytest

README = (Path(__file__).parents[1] / 'README.md').read_text(encoding='utf-8')


@pytest.mark.parametrize('name', [spec.name for spec in SPECS])
def test_parameter_is_documented(name: str) -> None:
    """A parameter that nobody can read of does not exist."""
    section = README.split('## Parameters')[1].split('## Inside')[0]
    rows = [row for row in section.splitlines()
            if row.startswith('|') and f'`{name}`' in row.split('|')[1]]
    assert rows, f'{name} is missing'


def test_lerobots_meaning_of_size_and_number() -> None:
    """Width and height are after rotation; a device may be a number; exposure too."""
    config = configured(index_or_path=2, rotation=-90, width=480, height=640, exposure=10)
    assert config.index_or_path == '2' and config.settings['exposure'] == '10'
    assert config.wanted == Wanted(640, 480, 30.0)
    assert config.timeout_s == 1.0 and configured(fps=1.0).timeout_s == 5.0


@pytest.mark.parametrize('parameters, words', [
    ({'rotation': 45}, "'rotation': found 45, expected one of 0, 90, 180, -90"),
    ({'fourcc': 'MJ'}, "'fourcc': found 'MJ', expected four characters"),
    ({'index_or_path': ''}, 'find_cameras'),
    ({'gain': 'much'}, "'gain': found 'much', expected auto or a number"),
    ({'color_mode': 'gray'}, "'color_mode': found 'gray'"),
    ({'jpeg_quality': 0}, "'jpeg_quality': found 0"),
    ({'index_or_path': True}, "'index_or_path': found True"),
])
def test_bad_values_are_refused(parameters: dict[str, object], words: str) -> None:
    """Each error names the parameter, what was found and what is right."""
    with pytest.raises(ParameterError, match=words):
        configured(**parameters)


@pytest.mark.parametrize('spec, expected', [
    ('0', False), ('/dev/video9', False), ('/dev/v4l/by-id/usb-x', False), ('SN42', False),
    ('usb-046d_C270_SN42-video-index0', False), ('video0', False), ('clip.mp4', True),
    ('/nowhere/clip', True), (__file__, True), ('/dev/null', False)])
def test_files_and_devices_are_told_apart(spec: str, expected: bool) -> None:
    """By what is there, and by its form where nothing is."""
    assert is_file(spec) is expected
