# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Judge a camera for /diagnostics."""
from __future__ import annotations

import time

from apprentice_node.diagnostics import Health
from apprentice_node.diagnostics import Level
from apprentice_node.rates import RateReading
from opencv_camera_driver.capture import Capture
from opencv_camera_driver.outlets import Outlets
from opencv_camera_driver.parameters import CameraConfig

# Below this share of the rate wanted a stream is useless rather than slow.
_USELESS = 0.5
_WINDOW_NS = 500_000_000


class HealthReport:
    """Compare what comes with what was asked for, once a second."""

    def __init__(self, config: CameraConfig) -> None:
        """Take the configuration."""
        self._config = config
        self._refused = ''
        self._damaged = 0
        self.wrong_rate = ''
        self._reading = RateReading('pictures', 0.0, 0.0, True)
        self._read_ns = 0

    def refuse(self, reason: str) -> None:
        """Remember that a setting was refused; empty forgets it."""
        self._refused = reason

    def read(self, capture: Capture, outlets: Outlets) -> Health:
        """Return the camera's health now."""
        now_ns = time.monotonic_ns()
        # Transitions are told as well, at any moment: too short a window says nothing.
        if now_ns - self._read_ns > _WINDOW_NS:
            capture.rate.expected_hz = self._config.wanted.fps
            self._reading, self._read_ns = capture.rate.read(now_ns), now_ns
        values = self._values(capture, outlets, self._reading, now_ns)
        level, message = self._judge(capture, self._reading)
        return Health('camera', level, message, values)

    def _judge(self, capture: Capture, reading: RateReading) -> tuple[Level, str]:
        damaged = capture.counters.damaged + capture.counters.undecodable
        new, self._damaged = damaged - self._damaged, damaged
        level, self.wrong_rate = self._judge_rate(reading)
        if capture.trouble:
            self.wrong_rate = ''
            return Level.ERROR, capture.trouble
        if self.wrong_rate:
            return level, self.wrong_rate
        if new:
            return Level.WARN, f'{new} damaged pictures: check cable, hub and network'
        if self._refused:
            return Level.WARN, self._refused
        return Level.OK, 'ok'

    def _judge_rate(self, reading: RateReading) -> tuple[Level, str]:
        # The window in which a stream begins says nothing; nor does one picture more or less.
        expected, measured = reading.expected_hz, reading.measured_hz
        useless = measured < _USELESS * expected - 1.0
        off = abs(measured - expected) - 1.0 > self._config.rate_tolerance * expected
        if not expected or not (measured or not reading.ok) or not (useless or off):
            return Level.OK, ''
        return Level.ERROR if useless else Level.WARN, (
            f'{measured:.1f} Hz instead of {expected:g} Hz: '
            f'{_SLOW if measured < expected else _FAST}')

    def _values(
        self, capture: Capture, outlets: Outlets, reading: RateReading, now_ns: int,
    ) -> dict[str, object]:
        counters = capture.counters
        age = 'none' if capture.last_ns is None else f'{(now_ns - capture.last_ns) * 1e-6:.1f}'
        way = {None: 'nobody listens', True: "the camera's own JPEG, passed through",
               False: f'encoded here, quality {self._config.jpeg_quality}'}
        return {
            **capture.readings,
            'format': capture.format,
            'rate [Hz]': f'{reading.measured_hz:.2f}',
            'rate expected [Hz]': f'{reading.expected_hz:g}',
            'received': counters.received,
            'published': outlets.published,
            'lost before they came': counters.lost,
            'skipped for a newer one': counters.skipped,
            'damaged': counters.damaged + counters.undecodable,
            'too late to be fresh': counters.late,
            'reconnects': counters.reconnects,
            'age [ms]': age,
            'stamps': capture.source.stamps,
            'compressed': way[outlets.passed_through],
        }


_SLOW = ('dim light (set exposure), a busy USB bus or network, or a camera that cannot; see '
         'docs/cameras.md')
_FAST = 'set the camera, or fps to its rate'
