# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What every source of pictures can do."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.formats import Format
from opencv_camera_driver.picture import Frame

# Bounds each wait of a source, so that a stop is noticed.
WAIT_S = 0.1
OPEN_S = 3.0


class Source(Protocol):
    """A camera, file or stream; used by one thread, opened and closed any number of times."""

    #: Which instant the stamps are.
    stamps: str

    def open(self) -> Format:
        """Connect and return what comes; CameraError says why not and what to do."""

    def read(self) -> Frame | None:
        """
        Return the newest picture, None when none came for a moment.

        CameraError when the source is gone.
        """

    def adjust(self, settings: Mapping[str, str]) -> None:
        """Set exposure, white_balance and gain; CameraError says what is possible."""

    def readings(self) -> Mapping[str, str]:
        """Return `device` and what else the camera says about itself, for diagnostics."""

    def close(self) -> None:
        """Disconnect; more than once without harm."""


def no_controls(settings: Mapping[str, str], name: str) -> None:
    """Raise CameraError if anything but auto is asked of a source that cannot be adjusted."""
    for setting, value in settings.items():
        if value != 'auto':
            raise CameraError(f"{name} has no control for {setting}: leave parameter '{setting}' "
                              'at auto and set the camera by its own means.')
