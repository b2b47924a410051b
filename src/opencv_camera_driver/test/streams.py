# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Servers and files of the test's own: MJPEG over HTTP, RTSP with H.264, mp4."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
import re
import socket
import socketserver
import struct
import threading
import time

import av
from pictures import jpeg
from pictures import picture

RATE_HZ = 30.0
COUNT = 100
Script = Callable[[BaseHTTPRequestHandler], None]


def paced(rate_hz: float = RATE_HZ) -> Iterator[int]:
    """Count at a steady rate."""
    begin = time.monotonic()
    number = 0
    while True:
        time.sleep(max(0.0, begin + number / rate_hz - time.monotonic()))
        yield number
        number += 1


@lru_cache(maxsize=1)
def jpegs() -> list[bytes]:
    """Draw what the network camera sees."""
    return [jpeg(number) for number in range(COUNT)]


class MjpegServer:
    """A network camera whose answer is a script; the standard one sends pictures for ever."""

    def __init__(self) -> None:
        """Listen on a free port of this machine."""
        self.pictures = jpegs()
        self.script: Script = self.stream
        self.requests: list[str] = []
        self.running = True
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.requests.append(f'{self.path} {self.headers.get("Authorization", "")}')
                try:
                    camera.script(self)
                except OSError:
                    return  # the reader has gone

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f'http://127.0.0.1:{self.port}/stream'
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def head(handler: BaseHTTPRequestHandler, boundary: str = 'frame') -> None:
        """Begin a multipart answer."""
        handler.send_response(200)
        handler.send_header('Content-Type', f'multipart/x-mixed-replace; boundary={boundary}')
        handler.end_headers()

    @staticmethod
    def part(handler: BaseHTTPRequestHandler, data: bytes, length: bool = True) -> None:
        """Send one picture."""
        size = f'Content-Length: {len(data)}\r\n' if length else ''
        handler.wfile.write(f'--frame\r\nContent-Type: image/jpeg\r\n{size}\r\n'.encode()
                            + data + b'\r\n')

    def stream(self, handler: BaseHTTPRequestHandler, rate_hz: float = RATE_HZ) -> None:
        """Send pictures until the reader goes."""
        self.head(handler)
        for number in paced(rate_hz):
            if not self.running:
                return
            self.part(handler, self.pictures[number % COUNT])

    def close(self) -> None:
        """Stop listening."""
        self.running = False
        self._server.shutdown()
        self._server.server_close()


def write_mp4(path: Path, count: int = 30) -> Path:
    """Write a video of numbered pictures."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=30, options={'preset': 'ultrafast'})
        stream.width, stream.height = 640, 480
        stream.pix_fmt = 'yuv420p'
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture(number), format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@lru_cache(maxsize=1)
def access_units() -> list[list[bytes]]:
    """Encode numbered pictures as H.264: the units of each picture, with parameter sets."""
    encoder = av.CodecContext.create('libx264', 'w')
    encoder.width, encoder.height = 640, 480
    encoder.pix_fmt, encoder.framerate, encoder.time_base = 'yuv420p', 30, Fraction(1, 30)
    encoder.options = {'preset': 'ultrafast', 'tune': 'zerolatency', 'g': '10'}
    found = []
    for number in range(COUNT):
        frame = av.VideoFrame.from_ndarray(picture(number), format='rgb24')
        data = b''.join(bytes(packet) for packet in encoder.encode(frame))
        found.append([unit.rstrip(b'\0') for unit in re.split(b'\0\0\0?\1', data) if unit])
    return found


class RtspServer:
    """A camera that speaks RTSP, H.264 inside the same TCP connection (RFC 2326, 6184)."""

    PACKET = 1200

    def __init__(self) -> None:
        """Listen on a free port of this machine."""
        self.units = access_units()
        self.running = True
        self.silent = False
        self.connections: list[socket.socket] = []
        camera = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                camera.connections.append(self.request)
                try:
                    camera.talk(self)
                except (OSError, ValueError):
                    return  # the reader has gone

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler)
        self._server.daemon_threads = True
        self.url = f'rtsp://127.0.0.1:{self._server.server_address[1]}/live'
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def talk(self, handler: socketserver.StreamRequestHandler) -> None:
        """Answer requests, and play."""
        while lines := self._request(handler):
            method = lines[0].split()[0]
            sequence = next(line for line in lines if line.lower().startswith('cseq'))
            extra, body = {
                'OPTIONS': (['Public: DESCRIBE, SETUP, PLAY, TEARDOWN'], ''),
                'DESCRIBE': (['Content-Type: application/sdp'], self._description()),
                'SETUP': (['Transport: RTP/AVP/TCP;unicast;interleaved=0-1', 'Session: 1'], ''),
            }.get(method, (['Session: 1'], ''))
            head = ['RTSP/1.0 200 OK', sequence, *extra, f'Content-Length: {len(body)}', '', '']
            handler.wfile.write('\r\n'.join(head).encode() + body.encode())
            if method == 'PLAY':
                self._play(handler)

    @staticmethod
    def _request(handler: socketserver.StreamRequestHandler) -> list[str]:
        lines = []
        while (line := handler.rfile.readline().decode(errors='replace').strip()) or not lines:
            if not line:
                return []
            lines.append(line)
        return lines

    @staticmethod
    def _description() -> str:
        return '\r\n'.join([
            'v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=camera', 't=0 0', 'm=video 0 RTP/AVP 96',
            'a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=1', 'a=control:track', ''])

    def _play(self, handler: socketserver.StreamRequestHandler) -> None:
        sequence = 0
        for number in paced():
            if not self.running:
                return
            if self.silent:
                continue
            payloads = [part for unit in self.units[number % len(self.units)]
                        for part in self._payloads(unit)]
            for place, payload in enumerate(payloads):
                last = place == len(payloads) - 1
                header = struct.pack('>BBHII', 0x80, last << 7 | 96, sequence & 0xFFFF,
                                     number * 3000 & 0xFFFFFFFF, 1)
                packet = header + payload
                handler.wfile.write(struct.pack('>cBH', b'$', 0, len(packet)) + packet)
                sequence += 1

    def _payloads(self, unit: bytes) -> Iterator[bytes]:
        if len(unit) <= self.PACKET:
            yield unit
            return
        indicator, kind = unit[0] & 0xE0 | 28, unit[0] & 0x1F
        parts = [unit[at:at + self.PACKET] for at in range(1, len(unit), self.PACKET)]
        for place, part in enumerate(parts):
            mark = (place == 0) << 7 | (place == len(parts) - 1) << 6
            yield bytes([indicator, mark | kind]) + part

    def hang_up(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed already

    def close(self) -> None:
        """Stop listening."""
        self.running = False
        self.hang_up()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(server: type) -> Iterator[MjpegServer | RtspServer]:
    """Give a running server."""
    running = server()
    try:
        yield running
    finally:
        running.close()
