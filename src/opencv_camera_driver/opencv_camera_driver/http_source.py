# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a network camera that sends MJPEG over HTTP, stamped as their last byte arrives."""
from __future__ import annotations

import base64
from collections.abc import Mapping
from email.message import Message
from http.client import parse_headers
from http.client import responses
import io
import socket
import ssl
import time
from urllib.parse import unquote
from urllib.parse import urljoin
from urllib.parse import urlsplit

from opencv_camera_driver.counters import Counters
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.formats import Format
from opencv_camera_driver.formats import require
from opencv_camera_driver.formats import Wanted
from opencv_camera_driver.jpeg import jpeg_size
from opencv_camera_driver.multipart import Multipart
from opencv_camera_driver.picture import Frame
from opencv_camera_driver.picture import Picture
from opencv_camera_driver.source import no_controls
from opencv_camera_driver.source import OPEN_S
from opencv_camera_driver.source import WAIT_S

_CHUNK = 1 << 20
_REDIRECTS = 3
_HEADER = 65_536


class HttpSource:
    """Read the parts of a multipart answer; each is passed on as it came."""

    def __init__(self, url: str, wanted: Wanted, rotation: int, counters: Counters) -> None:
        """Take the URL; user:password@ in it becomes basic authentication."""
        self.stamps = 'arrival of the last byte'
        self._url = url
        self.name = without_password(url)
        self._wanted = Wanted(wanted.width, wanted.height, 0.0, wanted.fourcc)
        self._rotation = rotation
        self._counters = counters
        self._socket: socket.socket | None = None
        self._parts = Multipart('')
        self._size = (0, 0)
        self._first: Frame | None = None

    def open(self) -> Format:
        """Connect and wait for the first picture, which tells the size."""
        deadline = time.monotonic() + OPEN_S
        self._first, self._size = None, (0, 0)
        try:
            self._connect()
            while self._first is None:
                if time.monotonic() > deadline:
                    raise CameraError(f'{self.name} sent no picture within {OPEN_S:g} s.')
                self._first = self.read()
            found = Format(*self._size, 0.0, 'MJPG')
            require(found, self._wanted, self.name,
                    'Set width and height to that, or to 0, or set the camera.')
            return found
        except CameraError:
            self.close()
            raise

    def _connect(self) -> None:
        url = self._url
        for _ in range(_REDIRECTS):
            status, headers, rest = self._ask(url)
            if status not in (301, 302, 303, 307, 308) or not headers['Location']:
                break
            self.close()
            url = urljoin(url, headers['Location'])
        if status != 200:
            hint = {401: 'put user:password@ before the host', 404: 'check the path'}.get(
                status, "look into the camera's own pages")
            raise CameraError(
                f'{self.name} answered {status} {responses.get(status, "")}: {hint}.')
        boundary = headers.get_param('boundary')
        if headers.get_content_maintype() != 'multipart' or not boundary:
            raise CameraError(
                f'{self.name} is of type {headers.get("Content-Type", "unknown")}, expected '
                "multipart/x-mixed-replace with a boundary: look for the address of the camera's "
                'MJPEG stream.')
        self._parts = Multipart(str(boundary))
        self._pending = rest

    def _ask(self, url: str) -> tuple[int, Message, bytes]:
        parts = urlsplit(url)
        try:
            port = parts.port or (443 if parts.scheme == 'https' else 80)
            connection = socket.create_connection((parts.hostname or '', port), OPEN_S)
            if parts.scheme == 'https':
                connection = ssl.create_default_context().wrap_socket(
                    connection, server_hostname=parts.hostname)
            self._socket = connection
            path = (parts.path or '/') + (f'?{parts.query}' if parts.query else '')
            lines = [f'GET {path} HTTP/1.0', f'Host: {parts.netloc.rpartition("@")[2]}',
                     'Accept: multipart/x-mixed-replace', *_authorization(parts.username,
                                                                          parts.password)]
            connection.sendall('\r\n'.join([*lines, '', '']).encode())
            return self._answer(connection)
        except (OSError, ValueError) as error:
            reason = getattr(error, 'strerror', None) or str(error)
            raise CameraError(f'{self.name} cannot be reached: {reason}. Check that the camera is '
                              'on, its address and the network.') from None

    def _answer(self, connection: socket.socket) -> tuple[int, Message, bytes]:
        data = b''
        deadline = time.monotonic() + OPEN_S
        while b'\r\n\r\n' not in data:
            # Of the whole answer: one that comes byte by byte would never run out of time.
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            more = connection.recv(_HEADER)
            data += more
            if not more or len(data) > _HEADER:
                raise CameraError(f'{self.name} gave no HTTP answer.')
        head, _, rest = data.partition(b'\r\n\r\n')
        first, _, fields = head.partition(b'\r\n')
        words = first.split()
        if not first.startswith(b'HTTP/') or len(words) < 2 or not words[1].isdigit():
            raise CameraError(f'{self.name} gave no HTTP answer.')
        return int(words[1]), parse_headers(io.BytesIO(fields + b'\r\n\r\n')), rest

    def read(self) -> Frame | None:
        """Return the newest whole picture; of several that came at once the older are skipped."""
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        data, self._pending = self._pending or self._receive(), b''
        now_ns = time.monotonic_ns()
        damaged = self._parts.damaged
        try:
            pictures = self._parts.feed(data)
        except CameraError as error:
            raise CameraError(f'{self.name}: {error}') from None
        self._counters.damaged += self._parts.damaged - damaged
        if not pictures:
            return None
        self._counters.skipped += len(pictures) - 1
        return Frame(now_ns, self._picture(pictures[-1]))

    def _receive(self) -> bytes:
        try:
            self._socket.settimeout(WAIT_S)
            data = self._socket.recv(_CHUNK)
        except TimeoutError:
            return b''
        except OSError as error:
            raise CameraError(f'{self.name}: the connection broke: '
                              f'{error.strerror or error}.') from None
        if not data:
            raise CameraError(f'{self.name} closed the connection.')
        return data

    def _picture(self, data: bytes) -> Picture:
        size = jpeg_size(data)
        if self._size not in ((0, 0), size):
            raise CameraError(f'{self.name} now sends {size[0]}x{size[1]} instead of '
                              f'{self._size[0]}x{self._size[1]}.')
        self._size = size
        return Picture(*size, jpeg=data, rotation=self._rotation)

    def adjust(self, settings: Mapping[str, str]) -> None:
        """Refuse all but auto."""
        no_controls(settings, self.name)

    def readings(self) -> Mapping[str, str]:
        """Return the address."""
        return {'device': self.name}

    def close(self) -> None:
        """Disconnect."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def without_password(url: str) -> str:
    """Return a URL that may be shown to everybody."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl()


def _authorization(user: str | None, password: str | None) -> list[str]:
    if user is None:
        return []
    pair = f'{unquote(user)}:{unquote(password or "")}'.encode()
    return [f'Authorization: Basic {base64.b64encode(pair).decode()}']
