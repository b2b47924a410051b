# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Structures and request numbers of the kernel's Video4Linux2 interface.

Source: include/uapi/linux/videodev2.h; only what a capture device with one plane needs.
"""
from __future__ import annotations

import ctypes
from ctypes import c_char
from ctypes import c_int32
from ctypes import c_long
from ctypes import c_uint32
from ctypes import c_uint8
from ctypes import c_ulong
from ctypes import c_void_p
from ctypes import Structure
from ctypes import Union

CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
MEMORY_MMAP = 1
FIELD_NONE = 1
CAN_CAPTURE, CAN_STREAM = 0x1, 0x04000000
DEVICE_CAPS_VALID = 0x80000000
CAN_SET_RATE = 0x1000  # V4L2_CAP_TIMEPERFRAME
BUFFER_ERROR = 0x40
STAMP_MASK, STAMP_MONOTONIC = 0xE000, 0x2000
DISCRETE = 1
CONTROL_DISABLED = 0x1


def fourcc_text(code: int) -> str:
    """Return the four letters of a pixel format."""
    return code.to_bytes(4, 'little').decode('ascii', 'replace').rstrip()


def fourcc_code(text: str) -> int:
    """Return the number of a pixel format's four letters."""
    return int.from_bytes(text.ljust(4).encode('ascii'), 'little')


class Capability(Structure):
    """Mirror struct v4l2_capability."""

    _fields_ = [('driver', c_char * 16), ('card', c_char * 32), ('bus_info', c_char * 32),
                ('version', c_uint32), ('capabilities', c_uint32), ('device_caps', c_uint32),
                ('reserved', c_uint32 * 3)]


class FormatDescription(Structure):
    """Mirror struct v4l2_fmtdesc."""

    _fields_ = [('index', c_uint32), ('type', c_uint32), ('flags', c_uint32),
                ('description', c_char * 32), ('pixelformat', c_uint32), ('mbus_code', c_uint32),
                ('reserved', c_uint32 * 3)]


class Fraction(Structure):
    """Mirror struct v4l2_fract."""

    _fields_ = [('numerator', c_uint32), ('denominator', c_uint32)]


class SizeRange(Structure):
    """Mirror struct v4l2_frmsize_stepwise; a discrete size is its first two fields."""

    _fields_ = [('min_width', c_uint32), ('max_width', c_uint32), ('step_width', c_uint32),
                ('min_height', c_uint32), ('max_height', c_uint32), ('step_height', c_uint32)]


class FrameSize(Structure):
    """Mirror struct v4l2_frmsizeenum."""

    _fields_ = [('index', c_uint32), ('pixel_format', c_uint32), ('type', c_uint32),
                ('size', SizeRange), ('reserved', c_uint32 * 2)]


class FrameInterval(Structure):
    """Mirror struct v4l2_frmivalenum; a discrete interval is the first fraction."""

    _fields_ = [('index', c_uint32), ('pixel_format', c_uint32), ('width', c_uint32),
                ('height', c_uint32), ('type', c_uint32), ('interval', Fraction * 3),
                ('reserved', c_uint32 * 2)]


class PixelFormat(Structure):
    """Mirror struct v4l2_pix_format."""

    _fields_ = [('width', c_uint32), ('height', c_uint32), ('pixelformat', c_uint32),
                ('field', c_uint32), ('bytesperline', c_uint32), ('sizeimage', c_uint32),
                ('colorspace', c_uint32), ('priv', c_uint32), ('flags', c_uint32),
                ('ycbcr_enc', c_uint32), ('quantization', c_uint32), ('xfer_func', c_uint32)]


class _FormatUnion(Union):
    # The kernel's union holds pointers, which decide its alignment.
    _fields_ = [('pix', PixelFormat), ('raw', c_uint8 * 200), ('alignment', c_void_p)]


class VideoFormat(Structure):
    """Mirror struct v4l2_format."""

    _fields_ = [('type', c_uint32), ('fmt', _FormatUnion)]


class CaptureParameters(Structure):
    """Mirror struct v4l2_captureparm."""

    _fields_ = [('capability', c_uint32), ('capturemode', c_uint32), ('timeperframe', Fraction),
                ('extendedmode', c_uint32), ('readbuffers', c_uint32), ('reserved', c_uint32 * 4)]


class _ParametersUnion(Union):
    _fields_ = [('capture', CaptureParameters), ('raw', c_uint8 * 200)]


class StreamParameters(Structure):
    """Mirror struct v4l2_streamparm."""

    _fields_ = [('type', c_uint32), ('parm', _ParametersUnion)]


class RequestBuffers(Structure):
    """Mirror struct v4l2_requestbuffers."""

    _fields_ = [('count', c_uint32), ('type', c_uint32), ('memory', c_uint32),
                ('capabilities', c_uint32), ('flags', c_uint8), ('reserved', c_uint8 * 3)]


class _TimeValue(Structure):
    _fields_ = [('seconds', c_long), ('microseconds', c_long)]


class _Memory(Union):
    _fields_ = [('offset', c_uint32), ('userptr', c_ulong), ('planes', c_void_p), ('fd', c_int32)]


class Buffer(Structure):
    """Mirror struct v4l2_buffer."""

    _fields_ = [('index', c_uint32), ('type', c_uint32), ('bytesused', c_uint32),
                ('flags', c_uint32), ('field', c_uint32), ('timestamp', _TimeValue),
                ('timecode', c_uint32 * 4), ('sequence', c_uint32), ('memory', c_uint32),
                ('m', _Memory), ('length', c_uint32), ('reserved2', c_uint32),
                ('request_fd', c_int32)]

    @property
    def stamp_ns(self) -> int:
        """Return the kernel's stamp in nanoseconds."""
        return self.timestamp.seconds * 10**9 + self.timestamp.microseconds * 1000


class QueryControl(Structure):
    """Mirror struct v4l2_queryctrl."""

    _fields_ = [('id', c_uint32), ('type', c_uint32), ('name', c_char * 32),
                ('minimum', c_int32), ('maximum', c_int32), ('step', c_int32),
                ('default_value', c_int32), ('flags', c_uint32), ('reserved', c_uint32 * 2)]


class QueryMenu(Structure):
    """Mirror struct v4l2_querymenu."""

    _fields_ = [('id', c_uint32), ('index', c_uint32), ('name', c_char * 32),
                ('reserved', c_uint32)]


class Control(Structure):
    """Mirror struct v4l2_control."""

    _fields_ = [('id', c_uint32), ('value', c_int32)]


def _request(direction: int, number: int, kind: type) -> int:
    return direction << 30 | ctypes.sizeof(kind) << 16 | ord('V') << 8 | number


_WRITE, _READ = 1, 2
QUERYCAP = _request(_READ, 0, Capability)
ENUM_FMT = _request(_READ | _WRITE, 2, FormatDescription)
G_FMT = _request(_READ | _WRITE, 4, VideoFormat)
S_FMT = _request(_READ | _WRITE, 5, VideoFormat)
REQBUFS = _request(_READ | _WRITE, 8, RequestBuffers)
QUERYBUF = _request(_READ | _WRITE, 9, Buffer)
QBUF = _request(_READ | _WRITE, 15, Buffer)
DQBUF = _request(_READ | _WRITE, 17, Buffer)
STREAMON = _request(_WRITE, 18, c_int32)
STREAMOFF = _request(_WRITE, 19, c_int32)
G_PARM = _request(_READ | _WRITE, 21, StreamParameters)
S_PARM = _request(_READ | _WRITE, 22, StreamParameters)
G_CTRL = _request(_READ | _WRITE, 27, Control)
S_CTRL = _request(_READ | _WRITE, 28, Control)
QUERYCTRL = _request(_READ | _WRITE, 36, QueryControl)
QUERYMENU = _request(_READ | _WRITE, 37, QueryMenu)
ENUM_FRAMESIZES = _request(_READ | _WRITE, 74, FrameSize)
ENUM_FRAMEINTERVALS = _request(_READ | _WRITE, 75, FrameInterval)

EXPOSURE_AUTO = 0x009A0901
EXPOSURE_ABSOLUTE = 0x009A0902  # 100 microseconds
EXPOSURE_AUTO_PRIORITY = 0x009A0903
AUTO_WHITE_BALANCE = 0x0098090C
WHITE_BALANCE_TEMPERATURE = 0x0098091A  # kelvin
AUTOGAIN = 0x00980912
GAIN = 0x00980913
