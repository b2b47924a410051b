# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The camera node: transitions to a capture thread and a thread that publishes."""
from __future__ import annotations

from collections.abc import Iterable
import threading
import time

from apprentice_node.clock import ClockBridge
from apprentice_node.diagnostics import Health
from apprentice_node.managed_node import ManagedNode
from apprentice_node.parameters import ParameterError
from apprentice_node.parameters import Value
from opencv_camera_driver.calibration import load_calibration
from opencv_camera_driver.capture import Capture
from opencv_camera_driver.capture import Reports
from opencv_camera_driver.counters import Counters
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.health import HealthReport
from opencv_camera_driver.outlets import Outlets
from opencv_camera_driver.parameters import check_setting
from opencv_camera_driver.parameters import parse_config
from opencv_camera_driver.parameters import SPECS
from opencv_camera_driver.sources import make_source

_WAIT_S = 0.1
_DAMAGED_LOG_S = 10.0
_RATE_LOG_S = 60.0


class CameraNode(ManagedNode):
    """Publish the pictures of one camera."""

    expected_errors = (CameraError, ParameterError)

    def __init__(self) -> None:
        """Check the parameters; ParameterError says what is wrong with them."""
        super().__init__('camera', SPECS)
        self._capture: Capture | None = None
        self._outlets: Outlets | None = None
        self._publisher: threading.Thread | None = None
        self._active = threading.Event()
        self._ended = threading.Event()
        try:
            parse_config(self.values)
        except ParameterError as error:
            raise ParameterError(f'{self.get_fully_qualified_name()}: {error}') from None

    def configure(self) -> None:
        """Open the camera and check that it gives what was asked for."""
        config = parse_config(self.values, self.get_namespace())
        self._config = config
        self._report = HealthReport(config)
        counters = Counters()
        source = make_source(config, counters)
        self._capture = Capture(
            source, counters, config.timeout_s, config.reconnect_period_s, Reports(
                self._on_loss, self._on_return, self._on_refusal, self.thread_failed))
        found = self._capture.start(self.stop_requested.is_set)
        width, height = found.width, found.height
        if config.rotation in (90, -90):
            width, height = height, width
        calibration = load_calibration(config.camera_info_url, width, height) \
            if config.camera_info_url else None
        self._begin_ns = time.monotonic_ns() + int(config.warmup_s * 1e9)
        self._bridge = ClockBridge(lambda: self.get_clock().now().nanoseconds)
        self._outlets = Outlets(self, config, width, height, calibration)
        self._ended.clear()
        self._publisher = threading.Thread(target=self._publish, name='publisher', daemon=True)
        self._publisher.start()
        self.get_logger().info(
            f'{self._capture.readings["device"]}: {found}, stamps: {source.stamps}')

    def activate(self) -> None:
        """Publish."""
        self._active.set()

    def deactivate(self) -> None:
        """Publish no more; the camera stays open."""
        self._active.clear()

    def release(self) -> None:
        """Close the camera and take its topics away."""
        self._active.clear()
        self._ended.set()
        if self._capture is not None:
            self._capture.stop()
        if self._publisher is not None:
            self._publisher.join()
        if self._outlets is not None:
            self._outlets.destroy()
        self._capture = self._publisher = self._outlets = None

    def health(self) -> Iterable[Health]:
        """Return the camera's health."""
        if self._capture is not None and self._outlets is not None:
            yield self._report.read(self._capture, self._outlets)
            if self._report.wrong_rate:
                # Who looks at a terminal must see it too; a minute's pause keeps it readable.
                self.get_logger().warning(
                    self._report.wrong_rate, throttle_duration_sec=_RATE_LOG_S)

    def parameter_changed(self, name: str, value: Value) -> None:
        """Set exposure, white balance or gain; a refusal is told on /diagnostics."""
        if self._capture is None:
            return
        self._report.refuse('')
        try:
            self._capture.adjust(name, check_setting(name, value))
        except ParameterError as error:
            self._on_refusal(str(error))

    def _publish(self) -> None:
        """Run by the publishing thread."""
        while not self._ended.is_set():
            frame = self._capture.take(_WAIT_S)
            if frame is None or not self._active.is_set() or frame.stamp_ns < self._begin_ns:
                continue
            try:
                self._outlets.publish(frame.picture, self._bridge.to_ros(frame.stamp_ns))
            except CameraError as error:
                self._capture.counters.undecodable += 1
                self.get_logger().warning(str(error), throttle_duration_sec=_DAMAGED_LOG_S)
            except Exception as error:
                self.thread_failed(error)
                return

    def _on_loss(self, trouble: str) -> None:
        self.get_logger().error(f'camera lost: {trouble}')

    def _on_return(self, device: str) -> None:
        self.get_logger().info(f'camera back: {device}')

    def _on_refusal(self, reason: str) -> None:
        self._report.refuse(reason)
        self.get_logger().error(reason)
