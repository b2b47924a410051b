# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A capture thread in the test's own process."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
import time

from opencv_camera_driver.capture import Capture
from opencv_camera_driver.capture import Reports
from opencv_camera_driver.counters import Counters
from opencv_camera_driver.picture import Frame
from opencv_camera_driver.sources import make_source
from probe import configured


class Captured:
    """What happened to a capture, and the pictures that it gave."""

    def __init__(self, **parameters: object) -> None:
        """Prepare it."""
        config = configured(**{'fps': 0.0, **parameters})
        self.counters = Counters()
        self.lost: list[str] = []
        self.back: list[str] = []
        self.crashed: list[BaseException] = []
        self.refused: list[str] = []
        self.source = make_source(config, self.counters)
        self.capture = Capture(
            self.source, self.counters, config.timeout_s, config.reconnect_period_s,
            Reports(self.lost.append, self.back.append, self.refused.append,
                    self.crashed.append))

    def frames(self, count: int) -> list[Frame]:
        """Take so many pictures."""
        found: list[Frame] = []
        end = time.monotonic() + 30.0
        while len(found) < count:
            assert time.monotonic() < end, (self.capture.trouble, self.crashed)
            frame = self.capture.take(0.1)
            if frame is not None:
                found.append(frame)
        return found

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds."""
        end = time.monotonic() + 30.0
        while not condition():
            assert time.monotonic() < end, (self.capture.trouble, self.lost)
            time.sleep(0.01)


@contextmanager
def captured(**parameters: object) -> Iterator[Captured]:
    """Run a capture that must not crash."""
    run = Captured(**parameters)
    try:
        run.capture.start()
        yield run
    finally:
        run.capture.stop()
    assert run.crashed == []
