# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A thread that keeps a source open and hands over its newest picture."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
import threading
import time

from apprentice_node.rates import RateMonitor
from opencv_camera_driver.counters import Counters
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.errors import SourceEnded
from opencv_camera_driver.formats import Format
from opencv_camera_driver.picture import Frame
from opencv_camera_driver.source import Source

_READINGS_NS = 1_000_000_000
_SLOWEST = 4.0
_JOIN_S = 3.5


@dataclass(frozen=True)
class Reports:
    """Where the thread tells what happens to it."""

    lost: Callable[[str], None]
    back: Callable[[str], None]
    refused: Callable[[str], None]
    crashed: Callable[[BaseException], None]


class Capture:
    """
    Open a source, read it, and open it again whenever it is lost or freezes.

    The newest picture wins: one that nobody took in time is replaced and counted.
    """

    def __init__(
        self, source: Source, counters: Counters, timeout_s: float, period_s: float,
        reports: Reports,
    ) -> None:
        """Take the silence that is a freeze and the wait between attempts to open, in seconds."""
        self.source = source
        self.counters = counters
        self.rate = RateMonitor('pictures')
        self.format: Format | None = None
        self.trouble = ''
        self.readings: Mapping[str, str] = {}
        self.last_ns: int | None = None
        self._timeout_ns = int(timeout_s * 1e9)
        self._period_s = period_s
        self._reports = reports
        self._settings: dict[str, str] = {}
        self._waiting: Frame | None = None
        self._change = threading.Condition()
        self._first_ready = threading.Event()
        self._failure: CameraError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name='capture', daemon=True)

    def start(self, stop_requested: Callable[[], bool] = lambda: False) -> Format:
        """
        Open the source and wait for its first picture.

        :raises CameraError: if it cannot be opened or sends none.
        """
        self._thread.start()
        while not self._first_ready.wait(0.05):
            if stop_requested():
                raise CameraError('asked to stop while the camera was opened')
        if self._failure is not None:
            raise self._failure
        return self.format

    def take(self, timeout_s: float) -> Frame | None:
        """Take the newest picture that has not been taken, waiting for one."""
        with self._change:
            if self._waiting is None:
                self._change.wait(timeout_s)
            frame, self._waiting = self._waiting, None
            return frame

    def adjust(self, name: str, value: str) -> None:
        """Change exposure, white_balance or gain as soon as the source can be spoken to."""
        with self._change:
            self._settings[name] = value

    def stop(self) -> None:
        """End the thread and close the source."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    # The thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._open()
            while not self._stop.is_set():
                self._read_until_lost()
                self._reopen()
        except CameraError as error:
            self._failure = error
        except Exception as error:
            self._failure = CameraError(f'{type(error).__name__}: {error}')
            self._reports.crashed(error)
        finally:
            self._first_ready.set()
            self.source.close()

    def _open(self) -> None:
        """Open for the first time; what comes then is what must come ever after."""
        self.format = self.source.open()
        frame = self._first_frame()
        self.readings = self.source.readings()
        self._deliver(frame)
        self._first_ready.set()

    def _first_frame(self) -> Frame:
        # A camera's first picture takes longer: it must find its exposure.
        give_up = time.monotonic_ns() + max(self._timeout_ns, 3_000_000_000)
        while time.monotonic_ns() < give_up and not self._stop.is_set():
            frame = self.source.read()
            if frame is not None:
                return frame
        raise CameraError(f'it was opened as {self.format} but sends no picture.')

    def _read_until_lost(self) -> None:
        fresh_ns = time.monotonic_ns()
        asked_ns = 0
        try:
            while not self._stop.is_set():
                frame = self.source.read()
                now_ns = time.monotonic_ns()
                if frame is not None:
                    fresh_ns = now_ns
                    self._deliver(frame)
                elif now_ns - fresh_ns > self._timeout_ns:
                    raise CameraError(
                        f'frozen: no picture for {(now_ns - fresh_ns) * 1e-9:.1f} s.')
                self._apply_settings()
                if now_ns - asked_ns > _READINGS_NS:
                    self.readings = self.source.readings()
                    asked_ns = now_ns
        except SourceEnded as error:
            self._lose(str(error))
            self._stop.wait()
        except CameraError as error:
            self._lose(str(error))

    def _deliver(self, frame: Frame) -> None:
        self.counters.received += 1
        self.rate.tick()
        self.last_ns = frame.stamp_ns
        with self._change:
            self.counters.skipped += self._waiting is not None
            self._waiting = frame
            self._change.notify()

    def _apply_settings(self) -> None:
        with self._change:
            settings, self._settings = self._settings, {}
        for name, value in settings.items():
            try:
                self.source.adjust({name: value})
            except CameraError as error:
                self._reports.refused(str(error))

    def _lose(self, trouble: str) -> None:
        with self._change:
            # What waits was taken before the fault and must not come out after it.
            self._waiting = None
        self.trouble = trouble
        self._reports.lost(trouble)
        self.source.close()

    def _reopen(self) -> None:
        wait_s = 0.0
        while not self._stop.wait(wait_s):
            wait_s = min(max(2.0 * wait_s, self._period_s), _SLOWEST * self._period_s)
            try:
                found = self.source.open()
                if found != self.format:
                    raise CameraError(f'it comes back as {found} instead of {self.format}.')
                frame = self._first_frame()
            except CameraError as error:
                self.trouble = str(error)
                self.source.close()
                continue
            self.counters.reconnects += 1
            self.trouble = ''
            self.rate.restart()
            self.readings = self.source.readings()
            self._deliver(frame)
            self._reports.back(self.readings['device'])
            return
