# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a video device with the kernel's own stamps."""
from __future__ import annotations

from collections.abc import Mapping
import ctypes
import mmap
import re
import select
import time

from opencv_camera_driver import controls
from opencv_camera_driver import devices
from opencv_camera_driver import v4l2_api as api
from opencv_camera_driver.counters import Counters
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.formats import Format
from opencv_camera_driver.formats import listing
from opencv_camera_driver.formats import Offer
from opencv_camera_driver.formats import require
from opencv_camera_driver.formats import Wanted
from opencv_camera_driver.jpeg import is_whole
from opencv_camera_driver.jpeg import jpeg_size
from opencv_camera_driver.picture import decode_raw
from opencv_camera_driver.picture import Frame
from opencv_camera_driver.picture import Picture
from opencv_camera_driver.picture import RAW_FORMATS
from opencv_camera_driver.source import WAIT_S
from opencv_camera_driver.v4l2_device import Device

JPEG_FORMATS = ('MJPG', 'JPEG')
# First what needs the least of the bus, then what every camera has.
PREFERRED = (*JPEG_FORMATS, *RAW_FORMATS)
_BUFFERS = 4
_LATEST_S = 10.0


class V4l2Source:
    """Stream from a device that is looked up by its name at each opening."""

    def __init__(
        self, spec: str, wanted: Wanted, settings: Mapping[str, str], rotation: int,
        counters: Counters,
    ) -> None:
        """Take what `devices.resolve` understands."""
        self.stamps = 'kernel'
        self._spec = spec
        self._wanted = wanted
        self._settings = dict(settings)
        self._rotation = rotation
        self._counters = counters
        self._device: Device | None = None
        self._maps: list[mmap.mmap] = []
        self._poll = select.poll()
        self._sequence: int | None = None

    def open(self) -> Format:
        """Look the device up, set it, check what it took and start its stream."""
        found = devices.resolve(self._spec)
        if re.fullmatch(r'(/dev/video)?\d+', self._spec):
            # A number means another camera after replugging; this one's name does not.
            self._spec = found.stable
        self._device = device = Device(found.path)
        try:
            self._format = self._negotiate(device)
            self._stride = device.format().bytesperline
            controls.adjust(device, self._settings)
            self._start(device)
        except CameraError:
            self.close()
            raise
        return self._format

    def _negotiate(self, device: Device) -> Format:
        offers = device.offers()
        fourcc = choose(offers, self._wanted, f'{device.path} ({device.card})')
        current = device.format()
        device.set_format(fourcc, self._wanted.width or current.width,
                          self._wanted.height or current.height)
        if self._wanted.fps:
            device.set_rate(self._wanted.fps)
        taken = device.negotiated()
        wanted = Wanted(self._wanted.width, self._wanted.height, self._wanted.fps, fourcc)
        require(taken, wanted, f'{device.path} ({device.card})', listing(offers))
        return taken

    def _start(self, device: Device) -> None:
        request = api.RequestBuffers(count=_BUFFERS, type=api.CAPTURE, memory=api.MEMORY_MMAP)
        device.call(api.REQBUFS, request, 'given buffers')
        for index in range(request.count):
            buffer = self._buffer(index)
            device.call(api.QUERYBUF, buffer, 'asked for its buffers')
            self._maps.append(mmap.mmap(device.fd, buffer.length, offset=buffer.m.offset))
            device.call(api.QBUF, buffer, 'given a buffer')
        device.call(api.STREAMON, ctypes.c_int32(api.CAPTURE), 'started')
        self._poll.register(device.fd, select.POLLIN)
        self._sequence = None

    @staticmethod
    def _buffer(index: int = 0) -> api.Buffer:
        return api.Buffer(index=index, type=api.CAPTURE, memory=api.MEMORY_MMAP)

    def read(self) -> Frame | None:
        """Wait for a picture; when several wait, the newest counts."""
        newest = None
        wait_ms = round(WAIT_S * 1e3)
        while self._poll.poll(wait_ms) and (buffer := self._dequeue()) is not None:
            frame = self._take(buffer)
            if frame is not None:
                self._counters.skipped += newest is not None
                newest = frame
            wait_ms = 0
        return newest

    def _dequeue(self) -> api.Buffer | None:
        buffer = self._buffer()
        try:
            self._device.call(api.DQBUF, buffer, 'read')
        except CameraError as error:
            if isinstance(error.__cause__, BlockingIOError):
                return None
            raise
        return buffer

    def _take(self, buffer: api.Buffer) -> Frame | None:
        now_ns = time.monotonic_ns()
        data = self._maps[buffer.index][:buffer.bytesused]
        self._device.call(api.QBUF, self._buffer(buffer.index), 'given a buffer back')
        if self._sequence is not None:
            self._counters.lost += max(0, buffer.sequence - self._sequence - 1)
        self._sequence = buffer.sequence
        picture = None if buffer.flags & api.BUFFER_ERROR else self._picture(data)
        if picture is None:
            self._counters.damaged += 1
            return None
        return Frame(self._stamp(buffer, now_ns), picture)

    def _stamp(self, buffer: api.Buffer, now_ns: int) -> int:
        stamp_ns = buffer.stamp_ns
        if buffer.flags & api.STAMP_MASK == api.STAMP_MONOTONIC \
                and now_ns - _LATEST_S * 1e9 < stamp_ns <= now_ns:
            self.stamps = 'kernel'
            return stamp_ns
        # Some drivers stamp with another clock, or not at all.
        self.stamps = 'arrival'
        return now_ns

    def _picture(self, data: bytes) -> Picture | None:
        form = self._format
        if form.fourcc in JPEG_FORMATS:
            if not is_whole(data):
                return None
            size = jpeg_size(data)
            if size != (form.width, form.height):
                raise CameraError(f'{self._device.path} now sends {size[0]}x{size[1]} instead of '
                                  f'{form.width}x{form.height}.')
            return Picture(*size, jpeg=data, rotation=self._rotation)
        return Picture(
            form.width, form.height, rotation=self._rotation, decode=lambda: decode_raw(
                data, form.fourcc, form.width, form.height, self._stride))

    def adjust(self, settings: Mapping[str, str]) -> None:
        """Set exposure, white_balance and gain, now and at every later opening."""
        self._settings.update(settings)
        if self._device is not None:
            controls.adjust(self._device, settings)

    def readings(self) -> Mapping[str, str]:
        """Return the device and its exposure, white balance and gain."""
        if self._device is None:
            return {}
        return {'device': f'{self._device.path} ({self._device.card})',
                **controls.readings(self._device)}

    def close(self) -> None:
        """Stop the stream and give everything back."""
        device, self._device = self._device, None
        if device is None:
            return
        try:
            self._poll.unregister(device.fd)
            device.call(api.STREAMOFF, ctypes.c_int32(api.CAPTURE), 'stopped')
        except (CameraError, KeyError):
            pass  # it is gone, or had not begun
        for mapped in self._maps:
            mapped.close()
        self._maps = []
        device.close()


def choose(offers: list[Offer], wanted: Wanted, device: str) -> str:
    """
    Return the pixel format to ask for: the one wanted, else the best that gives size and rate.

    :raises CameraError: if there is none; lists what the device offers.
    """
    usable = [offer for offer in offers if offer.fourcc in PREFERRED]
    fitting = {offer.fourcc for offer in usable if offer.gives(wanted)}
    for fourcc in PREFERRED:
        if fourcc in fitting:
            return fourcc
    raise CameraError(f'{device} does not offer {wanted}. {listing(offers)}')
