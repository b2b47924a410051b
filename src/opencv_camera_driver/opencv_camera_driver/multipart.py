# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Cut pictures out of an HTTP stream of type multipart/x-mixed-replace."""
from __future__ import annotations

from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.jpeg import is_whole

LARGEST = 16_000_000
_HEADER = 8_192
_GAP = b'\r\n\r\n'
_END = b'\xff\xd9'


class Multipart:
    """
    Take bytes as they arrive and give whole parts, untouched.

    A part with Content-Length ends there; one without ends with the end mark of its JPEG, so that
    it need not wait for the boundary that many servers send with the next picture.
    """

    def __init__(self, boundary: str) -> None:
        """Take the boundary as the Content-Type header has it."""
        # Some servers count the two dashes in, some do not.
        self._mark = b'--' + boundary.strip('"').lstrip('-').encode()
        self._buffer = bytearray()
        self.damaged = 0

    def feed(self, data: bytes) -> list[bytes]:
        """
        Return the pictures that are whole now.

        :raises CameraError: if this is no such stream.
        """
        self._buffer += data
        found = []
        while (part := self._part()) is not None:
            if is_whole(part):
                found.append(part)
            else:
                self.damaged += 1
        if len(self._buffer) > LARGEST:
            raise CameraError(
                f'no end of a picture within {LARGEST // 10**6} MB: this is no MJPEG stream')
        return found

    def _part(self) -> bytes | None:
        buffer = self._buffer
        start = buffer.find(self._mark)
        if start < 0:
            if len(buffer) > _HEADER:
                # Rubbish between parts; the mark may have begun in its last bytes.
                self.damaged += 1
                del buffer[:-len(self._mark)]
            return None
        gap = buffer.find(_GAP, start)
        if gap < 0:
            if len(buffer) - start > _HEADER:
                self.damaged += 1
                del buffer[:start + len(self._mark)]
            return None
        begin = gap + len(_GAP)
        length = _content_length(bytes(buffer[start:gap]))
        end = self._end_by_mark(begin) if length is None else self._end_by_length(begin, length)
        if end is None:
            return None
        part = bytes(buffer[begin:end])
        del buffer[:end]
        return part

    def _end_by_length(self, begin: int, length: int) -> int | None:
        end = begin + length
        if length > LARGEST:
            raise CameraError(f'a part says it has {length} bytes: this is no MJPEG stream')
        following = self._buffer.find(self._mark, begin)
        if 0 <= following < end - len(self._mark) \
                and self._buffer[following - 2:following] == b'\r\n':
            return following - 2  # it was shorter than it said: go on with the next
        return end if len(self._buffer) >= end else None

    def _end_by_mark(self, begin: int) -> int | None:
        following = self._buffer.find(self._mark, begin)
        if following >= 0:
            end = following
            return end - 2 if self._buffer[end - 2:end] == b'\r\n' else end
        end = len(self._buffer.rstrip(b'\r\n'))
        return end if end > begin and self._buffer[end - 2:end] == _END else None


def _content_length(header: bytes) -> int | None:
    for line in header.split(b'\r\n'):
        name, _, value = line.partition(b':')
        if name.strip().lower() == b'content-length' and value.strip().isdigit():
            return int(value)
    return None
