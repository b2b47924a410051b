# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Pretended cameras for a benchmark: numbered JPEGs over HTTP, or from devices behind the shim."""
from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np
import simplejpeg

# The pictures' numbers come round after as many.
COUNT = 120
RATE_HZ = 30
_DOTS = 8
_COMMENT = b'\xff\xfe\x00\x06'


class Camera(NamedTuple):
    """A camera of the benchmark."""

    name: str
    width: int
    height: int


CAMERAS = (Camera('front', 640, 480), Camera('wrist', 640, 480), Camera('top', 1920, 1080))


def pictures(camera: Camera) -> list[bytes]:
    """Return JPEGs of a realistic size, each with its number in a comment."""
    generator = np.random.default_rng(1)
    found = []
    for number in range(COUNT):
        coarse = generator.integers(
            0, 256, (camera.height // _DOTS, camera.width // _DOTS, 3), dtype=np.uint8)
        pixels = np.ascontiguousarray(coarse.repeat(_DOTS, 0).repeat(_DOTS, 1))
        data = simplejpeg.encode_jpeg(pixels, quality=85, colorsubsampling='422')
        found.append(data[:2] + _COMMENT + number.to_bytes(4, 'big') + data[2:])
    return found


def number_of(data: bytes) -> int:
    """Return the number in a JPEG's comment; SystemExit where there is none."""
    if data[2:6] != _COMMENT:
        raise SystemExit('a picture came that was not passed through')
    return int.from_bytes(data[6:10], 'big')


class Sources(NamedTuple):
    """What the camera nodes open, and with which environment."""

    index_or_path: Mapping[str, str]
    environment: Mapping[str, str]


@contextmanager
def http() -> Iterator[Sources]:
    """Serve every camera from a process of its own."""
    server = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline())
        yield Sources({camera.name: f'http://127.0.0.1:{port}/{camera.name}'
                       for camera in CAMERAS}, {})
    finally:
        server.kill()
        server.communicate()


@contextmanager
def v4l2() -> Iterator[Sources]:
    """Plug every camera into a machine behind the shim of the driver's tests."""
    sys.path.insert(0, str(Path(__file__).parents[2] / 'src' / 'opencv_camera_driver' / 'test'))
    import fake_v4l2
    with tempfile.TemporaryDirectory() as folder:
        machine = fake_v4l2.Machine(
            Path(folder, 'machine'), fake_v4l2.build_shim(Path(folder)))
        for place, camera in enumerate(CAMERAS):
            machine.sees(camera.name, 'MJPG', dict(enumerate(pictures(camera))))
            machine.plug(2 * place, fake_v4l2.Camera(
                camera.name, camera.name, f'1-{place}',
                (f'MJPG {camera.width} {camera.height} {RATE_HZ}',)))
        yield Sources({camera.name: camera.name for camera in CAMERAS}, machine.environment)


def _serve() -> None:
    images = {f'/{camera.name}': pictures(camera) for camera in CAMERAS}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=frame')
            self.end_headers()
            begin = time.monotonic()
            number = 0
            try:
                while True:
                    data = images[self.path][number % COUNT]
                    head = f'--frame\r\nContent-Length: {len(data)}\r\n\r\n'
                    self.wfile.write(head.encode() + data + b'\r\n')
                    number += 1
                    time.sleep(max(0.0, begin + number / RATE_HZ - time.monotonic()))
            except OSError:
                return  # the reader has gone

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == '__main__':
    _serve()
