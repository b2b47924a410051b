# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What is offered against what is wanted."""
from __future__ import annotations

from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.formats import Offer
from opencv_camera_driver.formats import Wanted
from opencv_camera_driver.v4l2_source import choose
import pytest

STEPS = Offer('YUYV', 1280, 720, (), (160, 120), (16, 8))


@pytest.mark.parametrize('wanted, given', [
    (Wanted(), True), (Wanted(160, 120), True), (Wanted(640, 480, 12.5), True),
    (Wanted(1280, 720), True), (Wanted(648, 480), False), (Wanted(144, 120), False),
    (Wanted(1296, 720), False), (Wanted(640, 480, 0.0, 'MJPG'), False)])
def test_a_range_of_sizes(wanted: Wanted, given: bool) -> None:
    """Within the range and on a step; without rates every rate."""
    assert STEPS.gives(wanted) is given


def test_the_best_format_is_chosen() -> None:
    """MJPG where it gives size and rate, else what does; a format that we cannot read never."""
    offers = [Offer('H264', 640, 480, (30.0,)), Offer('YUYV', 640, 480, (30.0, 15.0)),
              Offer('MJPG', 640, 480, (29.97,)), Offer('NV12', 640, 480, (60.0,))]
    assert choose(offers, Wanted(640, 480, 30.0), 'camera') == 'MJPG'
    assert choose(offers, Wanted(640, 480, 15.0), 'camera') == 'YUYV'
    assert choose(offers, Wanted(0, 0, 60.0), 'camera') == 'NV12'
    assert choose(offers, Wanted(fourcc='YUYV'), 'camera') == 'YUYV'
    for wanted in (Wanted(640, 480, 25.0), Wanted(fourcc='H264')):
        with pytest.raises(CameraError, match='does not offer(.|\n)*YUYV 640x480 at 30, 15 Hz'):
            choose(offers, wanted, 'camera')
