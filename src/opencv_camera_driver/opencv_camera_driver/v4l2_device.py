# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A video device's questions and answers: formats, rates, controls."""
from __future__ import annotations

from collections.abc import Iterator
import errno
from fcntl import ioctl
from fractions import Fraction
import os

from opencv_camera_driver import devices
from opencv_camera_driver import v4l2_api as api
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.formats import Format
from opencv_camera_driver.formats import Offer

# A device that enumerates without end must not hold us.
_MANY = 256


class Device:
    """An open video device; every error becomes a CameraError that says what to do."""

    def __init__(self, path: str) -> None:
        """Open it and check that it captures pictures."""
        self.path = path
        self.fd = -1
        try:
            self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            capability = api.Capability()
            self.call(api.QUERYCAP, capability, 'asked what it is')
        except OSError as error:
            raise self._explain(error, 'opened') from error
        except CameraError:
            self.close()
            raise
        self.card = capability.card.decode('utf-8', 'replace')
        has = capability.device_caps if capability.capabilities & api.DEVICE_CAPS_VALID \
            else capability.capabilities
        if not has & api.CAN_CAPTURE or not has & api.CAN_STREAM:
            self.close()
            raise CameraError(f'{path} ({self.card}) is no camera: it captures no pictures (a '
                              f"camera's second device carries metadata). {devices.candidates()}")

    def call(self, request: int, argument: object, what: str) -> None:
        """Make a system call; `what` completes 'cannot be ...'."""
        while True:
            try:
                ioctl(self.fd, request, argument)
                return
            except InterruptedError:
                continue
            except OSError as error:
                raise self._explain(error, what) from error

    def offers(self) -> list[Offer]:
        """List every format, size and rate."""
        found = []
        for description in self._enumerate(api.ENUM_FMT, api.FormatDescription, type=api.CAPTURE):
            sizes = self._enumerate(
                api.ENUM_FRAMESIZES, api.FrameSize, pixel_format=description.pixelformat)
            found += [self._offer(description.pixelformat, size) for size in sizes]
        return found

    def _offer(self, code: int, entry: api.FrameSize) -> Offer:
        size = entry.size
        if entry.type == api.DISCRETE:
            width, height, least, step = size.min_width, size.max_width, (0, 0), (0, 0)
        else:
            width, height = size.max_width, size.max_height
            least = (size.min_width, size.min_height)
            step = (size.step_width or 1, size.step_height or 1)
        intervals = list(self._enumerate(
            api.ENUM_FRAMEINTERVALS, api.FrameInterval, pixel_format=code, width=width,
            height=height))
        rates = tuple(interval.interval[0].denominator / interval.interval[0].numerator
                      for interval in intervals if interval.type == api.DISCRETE
                      and interval.interval[0].numerator)
        return Offer(api.fourcc_text(code), width, height, rates, least, step)

    def _enumerate(self, request: int, kind: type, **fields: int) -> Iterator[object]:
        for index in range(_MANY):
            entry = kind(index=index, **fields)
            try:
                ioctl(self.fd, request, entry)
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ENOTTY):
                    return
                raise self._explain(error, 'asked for its formats') from error
            yield entry

    def format(self) -> api.PixelFormat:
        """Return the format that is set."""
        current = api.VideoFormat(type=api.CAPTURE)
        self.call(api.G_FMT, current, 'asked for its format')
        return current.fmt.pix

    def set_format(self, fourcc: str, width: int, height: int) -> None:
        """Ask for a format; the device may choose another, which `format` tells."""
        wanted = api.VideoFormat(type=api.CAPTURE)
        wanted.fmt.pix = api.PixelFormat(
            width=width, height=height, pixelformat=api.fourcc_code(fourcc),
            field=api.FIELD_NONE)
        self.call(api.S_FMT, wanted, f'set to {fourcc} {width}x{height}')

    def set_rate(self, fps: float) -> None:
        """Ask for a rate in Hz where the device lets itself be asked."""
        parameters = api.StreamParameters(type=api.CAPTURE)
        self.call(api.G_PARM, parameters, 'asked for its rate')
        if not parameters.parm.capture.capability & api.CAN_SET_RATE:
            return
        period = 1 / Fraction(fps).limit_denominator(1001)
        parameters.parm.capture.timeperframe = api.Fraction(period.numerator, period.denominator)
        self.call(api.S_PARM, parameters, f'set to {fps:g} Hz')

    def negotiated(self) -> Format:
        """Return what the device will deliver, as it says."""
        pixels = self.format()
        parameters = api.StreamParameters(type=api.CAPTURE)
        try:
            ioctl(self.fd, api.G_PARM, parameters)
            period = parameters.parm.capture.timeperframe
            fps = period.denominator / period.numerator if period.numerator else 0.0
        except OSError:
            fps = 0.0  # the driver has no notion of a rate; it is measured
        return Format(pixels.width, pixels.height, fps, api.fourcc_text(pixels.pixelformat))

    def close(self) -> None:
        """Close it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _explain(self, error: OSError, what: str) -> CameraError:
        path, number = self.path, error.errno
        if number == errno.EBUSY:
            found = devices.holders(path)
            who = ' and '.join(found) or 'a process that /proc does not show us'
            return CameraError(f'{path} cannot be {what}: it is in use by {who}. End that first.')
        if number == errno.ENOSPC:
            return CameraError(
                f'{path} cannot be {what}: the USB bus has not the bandwidth (the kernel says: no '
                'space left on device). Use fourcc MJPG, a smaller size or rate, or another USB '
                'controller: cameras behind one hub share its bandwidth.')
        if number in (errno.ENODEV, errno.ENXIO, errno.EIO):
            return CameraError(f'{path} is gone: unplugged, or its USB link failed '
                               f'({os.strerror(number)}).')
        if number in (errno.EACCES, errno.EPERM):
            return CameraError(f'{path} cannot be {what}: permission denied. Add yourself to the '
                               'group video (sudo usermod -aG video $USER) and log in again.')
        if number == errno.ENOENT:
            return CameraError(f'{path} is not there. {devices.candidates()}')
        if number == errno.ENOTTY and what == 'asked what it is':
            return CameraError(f'{path} is no video device. {devices.candidates()}')
        return CameraError(f'{path} cannot be {what}: {error.strerror} (errno {number}).')
