# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures that PyAV decodes: video files in real time, and network streams such as RTSP."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import math
from pathlib import Path
import time
from typing import Any

import av
from opencv_camera_driver.counters import Counters
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.errors import SourceEnded
from opencv_camera_driver.formats import Format
from opencv_camera_driver.formats import require
from opencv_camera_driver.formats import Wanted
from opencv_camera_driver.http_source import without_password
from opencv_camera_driver.picture import Frame
from opencv_camera_driver.picture import Picture
from opencv_camera_driver.source import no_controls
from opencv_camera_driver.source import OPEN_S
from opencv_camera_driver.source import WAIT_S

# What waits longer between network and decoder is not published as new.
LATEST_S = 0.3
BEHIND_S = 2.0
# Clocks of camera and host may part by this much.
_DRIFT = 1e-4
_FFMPEG = (av.error.FFmpegError, OSError, ValueError)
# TCP loses nothing; nothing is kept back to smooth the stream.
_LIVE = {'rtsp_transport': 'tcp', 'fflags': 'nobuffer', 'flags': 'low_delay',
         'analyzeduration': '1000000', 'reorder_queue_size': '0'}


class _VideoSource:
    """Open a container and decode its first video stream."""

    def __init__(
        self, name: str, wanted: Wanted, rotation: int, counters: Counters, **options: object,
    ) -> None:
        self.name = name
        self._wanted = wanted
        self._rotation = rotation
        self._counters = counters
        self._options = options
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[Frame] | None = None

    def _open(self, location: str) -> av.VideoStream:
        try:
            self._container = av.open(location, **self._options)
        except _FFMPEG as error:
            raise CameraError(f'{self.name} cannot be read as video: '
                              f'{getattr(error, "strerror", None) or error}.') from None
        if not self._container.streams.video:
            self.close()
            raise CameraError(f'{self.name} has no video in it.')
        stream = self._container.streams.video[0]
        # Threads that decode whole frames would keep some back.
        stream.thread_type = 'SLICE'
        return stream

    def _decoded(self, stream: av.VideoStream) -> Iterator[tuple[av.VideoFrame, int]]:
        """Yield pictures with the instant at which their last byte was read."""
        for packet in self._container.demux(stream):
            now_ns = time.monotonic_ns()
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self._counters.damaged += 1
                continue
            for frame in frames:
                yield frame, now_ns

    def _frame(self, frame: av.VideoFrame, stamp_ns: int, form: Format) -> Frame:
        if (frame.width, frame.height) != (form.width, form.height):
            raise CameraError(f'{self.name} now sends {frame.width}x{frame.height} instead of '
                              f'{form.width}x{form.height}.')
        return Frame(stamp_ns, Picture(
            frame.width, frame.height, rotation=self._rotation,
            decode=lambda: frame.to_ndarray(format='rgb24')))

    def adjust(self, settings: Mapping[str, str]) -> None:
        """Refuse all but auto."""
        no_controls(settings, self.name)

    def readings(self) -> Mapping[str, str]:
        """Return the name."""
        return {'device': self.name}

    def close(self) -> None:
        """Close the container."""
        self._frames = None
        if self._container is not None:
            self._container.close()
            self._container = None


class FileSource(_VideoSource):
    """Play a file in real time."""

    stamps = 'instant at which the file is due'

    def __init__(
        self, path: Path, wanted: Wanted, rotation: int, counters: Counters, loop: bool,
    ) -> None:
        """Take the file and whether it begins anew at its end."""
        super().__init__(str(path), wanted, rotation, counters)
        self._path = path
        self._loop = loop

    def open(self) -> Format:
        """Open the file and check what is in it."""
        if not self._path.is_file():
            raise CameraError(f'{self.name} is no file. Give a device, a video file or a URL.')
        stream = self._open(str(self._path))
        rate = stream.average_rate or stream.guessed_rate
        form = Format(stream.width, stream.height, float(rate or 0.0),
                      stream.codec_context.name)
        try:
            require(form, self._wanted, self.name,
                    'Set width, height and fps to that, or to 0, and leave fourcc empty.')
            if not form.fps:
                raise CameraError(f'{self.name} does not say its rate.')
        except CameraError:
            self.close()
            raise
        self._frames = self._play(stream, form)
        return form

    def read(self) -> Frame | None:
        """Return the picture that is due, or None while none is."""
        frame = next(self._frames, None)
        if frame is None and self._container is None:
            raise SourceEnded(f'{self.name} has come to its end.')
        return frame

    def _play(self, stream: av.VideoStream, form: Format) -> Iterator[Frame | None]:
        period_ns = 1e9 / form.fps
        due_ns = float(time.monotonic_ns())
        while True:
            shown = 0
            for frame, _ in self._passes(stream):
                shown += 1
                while (wait_s := (due_ns - time.monotonic_ns()) * 1e-9) > 0.0:
                    time.sleep(min(wait_s, WAIT_S))
                    if wait_s > WAIT_S:
                        yield None
                if -wait_s * 1e9 < period_ns:
                    yield self._frame(frame, round(due_ns), form)
                else:
                    self._counters.late += 1
                due_ns += period_ns
            if not shown:
                raise CameraError(f'{self.name} has no picture that can be decoded.')
            if not self._loop:
                self.close()
                return
            self._container.seek(0)

    def _passes(self, stream: av.VideoStream) -> Iterator[tuple[av.VideoFrame, int]]:
        try:
            yield from self._decoded(stream)
        except av.error.FFmpegError as error:
            raise CameraError(f'{self.name} cannot be read: {error.strerror}.') from None


class LiveSource(_VideoSource):
    """Receive a stream such as RTSP."""

    stamps = 'arrival of the last byte'

    def __init__(
        self, url: str, wanted: Wanted, rotation: int, counters: Counters, timeout_s: float,
    ) -> None:
        """Take the URL and the silence after which the stream counts as lost."""
        super().__init__(
            without_password(url), Wanted(wanted.width, wanted.height), rotation, counters,
            options=_LIVE, timeout=(OPEN_S, timeout_s))
        self._url = url

    def open(self) -> Format:
        """Connect and wait for the first picture, which tells the size; the rate is measured."""
        stream = self._open(self._url)
        try:
            # By the names of streams alone a size may be unknown.
            frame = self._guarded(next, self._decoded(stream), None)
            if frame is None:
                raise CameraError(f'{self.name} has no picture that can be decoded.')
            form = Format(frame[0].width, frame[0].height, 0.0, stream.codec_context.name)
            require(form, self._wanted, self.name,
                    'Set width and height to that, or to 0, or set the camera.')
        except CameraError:
            self.close()
            raise
        self._frames = self._receive(stream, form)
        return form

    def read(self) -> Frame | None:
        """Return the next picture that is fresh."""
        try:
            return self._guarded(next, self._frames)
        except StopIteration:
            raise CameraError(f'{self.name} has ended.') from None

    def _guarded(self, function: Callable[..., Any], *arguments: object) -> Any:
        try:
            return function(*arguments)
        except av.error.ExitError:
            raise CameraError(f'{self.name} sends nothing any more.') from None
        except av.error.FFmpegError as error:
            raise CameraError(f'{self.name} was lost: {error.strerror}.') from None

    def _receive(self, stream: av.VideoStream, form: Format) -> Iterator[Frame | None]:
        lag = Lag()
        fresh_ns = time.monotonic_ns()
        for frame, arrived_ns in self._decoded(stream):
            behind_s = 0.0 if frame.pts is None else lag.of(
                float(frame.pts * stream.time_base), arrived_ns * 1e-9)
            if behind_s <= LATEST_S:
                fresh_ns = arrived_ns
                yield self._frame(frame, arrived_ns, form)
                continue
            self._counters.late += 1
            if arrived_ns - fresh_ns > BEHIND_S * 1e9:
                raise CameraError(f'{self.name} is behind and does not catch up: this machine '
                                  'decodes too slowly, or the stream jumped.')
            yield None


class Lag:
    """
    Tell by how much a stream is behind itself.

    Pictures that waited in a buffer because we were slow arrive later against their own clock
    than the quickest did. What was gathered while the stream was opened comes in a burst and has
    waited as well.
    """

    def __init__(self) -> None:
        """Begin with a burst."""
        self._burst = True
        self._quickest_s = math.inf
        self._media_s = self._last_s = math.nan

    def of(self, media_s: float, arrived_s: float) -> float:
        """Return the lag in seconds of a picture by its stamp in the stream and its arrival."""
        difference = arrived_s - media_s
        passed_s = arrived_s - self._last_s
        # A picture that had to be waited for ends the burst.
        self._burst = self._burst and not passed_s >= 0.5 * (media_s - self._media_s)
        if passed_s > 0.0:
            self._quickest_s += _DRIFT * passed_s
        self._quickest_s = min(self._quickest_s, difference)
        self._media_s, self._last_s = media_s, arrived_s
        return math.inf if self._burst else difference - self._quickest_s
