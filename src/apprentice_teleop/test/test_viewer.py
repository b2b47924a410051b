# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The viewer without a window."""

from __future__ import annotations

from pathlib import Path
import sys

from apprentice_teleop.viewer import media_type_of
from apprentice_teleop.viewer import Throttle
from apprentice_teleop.viewer import Viewer
from apprentice_teleop.viewer import ViewerError
import pytest

MS = 1_000_000


def test_throttle_thins_each_stream_by_itself() -> None:
    """A fast stream is thinned, a slow one beside it is not."""
    throttle = Throttle(50.0)
    fast = [stamp for stamp in range(0, 1000, 5) if throttle.passes('fast', stamp * MS)]
    slow = [stamp for stamp in range(0, 1000, 100) if throttle.passes('slow', stamp * MS)]
    assert (len(fast), len(slow)) == (50, 10)


def test_throttle_survives_a_clock_that_jumps_back() -> None:
    """A simulation that starts anew is shown at once."""
    throttle = Throttle(50.0)
    assert throttle.passes('joints', 10**12)
    assert throttle.passes('joints', 0)


@pytest.mark.parametrize('text, media_type', [
    ('jpeg', 'image/jpeg'), ('rgb8; jpeg compressed bgr8', 'image/jpeg'), ('png', 'image/png')])
def test_media_type_comes_from_the_message_format(text: str, media_type: str) -> None:
    """Both forms that camera drivers write are understood."""
    assert media_type_of(text) == media_type


def test_everything_shown_lands_in_the_file(tmp_path: Path) -> None:
    """The file names every entity."""
    pytest.importorskip('rerun')
    path = tmp_path / 'a.rrd'
    viewer = Viewer(['front'], ['pan'], path)
    viewer.show_image('front', 10**9, 'image/jpeg', b'\xff\xd8\xff\xd9')
    viewer.show_joints('leader', 10**9, ['pan'], [0.5])
    viewer.show_event(10**9, 'tracking by teleop', warn=False)
    viewer.close()
    content = path.read_bytes()
    assert content.startswith(b'RRF')
    for entity in (b'/cameras/front', b'/joints/pan/leader', b'/guard'):
        assert entity in content


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error shows the path."""
    pytest.importorskip('rerun')
    with pytest.raises(ViewerError, match='nowhere'):
        Viewer([], ['pan'], tmp_path / 'nowhere' / 'a.rrd')


def test_a_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback of an import."""
    monkeypatch.setitem(sys.modules, 'rerun', None)
    with pytest.raises(ViewerError, match='pip install rerun-sdk'):
        Viewer([], [], None)
