# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A network camera that sends MJPEG over HTTP: a real server in a thread of the test."""
from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
import socket
import time

from captured import captured
from opencv_camera_driver import http_source
from opencv_camera_driver.errors import CameraError
from opencv_camera_driver.http_source import without_password
from pictures import jpeg
from pictures import number
import pytest
from streams import MjpegServer
from streams import serving

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    """Give a network camera."""
    with serving(MjpegServer) as running:
        yield running


def test_pictures_pass_through_untouched(server: MjpegServer) -> None:
    """What the camera sent is what is given, stamped as it came."""
    begin_ns = time.monotonic_ns()
    with captured(index_or_path=server.url) as run:
        frames = run.frames(10)
        for frame in frames:
            data = frame.picture.jpeg(50)
            assert data in server.pictures
            assert number(frame.picture.rgb()) == server.pictures.index(data)
            assert begin_ns < frame.stamp_ns <= time.monotonic_ns()
        stamps = [frame.stamp_ns for frame in frames]
        assert stamps == sorted(stamps) and run.source.stamps == 'arrival of the last byte'
        assert str(run.capture.format) == 'MJPG 640x480'


def test_the_newest_picture_wins(server: MjpegServer) -> None:
    """A reader that is slow gets what is new; what it missed is counted, nothing waits."""
    with captured(index_or_path=server.url) as run:
        first = run.frames(1)[0]
        run.wait(lambda: run.counters.received > 10)
        frame = run.frames(1)[0]
        assert number(frame.picture.rgb()) - number(first.picture.rgb()) >= 8
        assert run.counters.skipped >= 8


def test_rotation_encodes_anew(server: MjpegServer) -> None:
    """A turned picture cannot pass through."""
    with captured(index_or_path=server.url, rotation=90, width=480, height=640) as run:
        picture = run.frames(1)[0].picture
        assert not picture.passes_through
        assert picture.rgb().shape == (640, 480, 3)
        assert picture.jpeg(90) not in server.pictures


@pytest.mark.parametrize('status, words', [
    (404, 'answered 404 Not Found: check the path'),
    (401, 'answered 401 Unauthorized: put user:password@ before the host'),
    (503, 'answered 503 Service Unavailable')])
def test_an_http_error_is_told(server: MjpegServer, status: int, words: str) -> None:
    """The status, its meaning and what to do."""
    server.script = lambda handler: handler.send_error(status)
    with pytest.raises(CameraError, match=words), captured(index_or_path=server.url):
        pass


def test_an_answer_in_drops_runs_out_of_time(
        server: MjpegServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time to open is for the whole answer, not for each byte of it."""
    monkeypatch.setattr(http_source, 'OPEN_S', 1.0)
    sent = []

    def drip(handler: BaseHTTPRequestHandler) -> None:
        for byte in b'HTTP/1.0 200 OK\r\nX-Slow: ' + b'z' * 200:
            handler.wfile.write(bytes([byte]))
            sent.append(byte)
            time.sleep(0.05)

    server.script = drip
    with pytest.raises(CameraError, match='cannot be reached: timed out'), \
            captured(index_or_path=server.url):
        pass
    assert len(sent) < 100


def test_a_page_is_no_stream(server: MjpegServer) -> None:
    """The camera's page in place of its stream."""
    def page(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header('Content-Type', 'text/html')
        handler.end_headers()

    server.script = page
    with pytest.raises(CameraError, match='is of type text/html, expected multipart'), \
            captured(index_or_path=server.url):
        pass


def test_something_that_is_no_http_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that never answers, and one that nobody listens on."""
    monkeypatch.setattr(http_source, 'OPEN_S', 0.3)
    with socket.create_server(('127.0.0.1', 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(CameraError, match='cannot be reached: timed out'), \
                captured(index_or_path=f'http://127.0.0.1:{port}/'):
            pass
    with pytest.raises(CameraError, match='cannot be reached: Connection refused'), \
            captured(index_or_path=f'http://127.0.0.1:{port}/'):
        pass


def test_another_size_is_refused(server: MjpegServer) -> None:
    """At the opening, naming both."""
    with pytest.raises(CameraError, match='gives size 640x480 instead of 800x600. Set width'), \
            captured(index_or_path=server.url, width=800, height=600):
        pass


def test_another_size_in_the_midst_is_a_loss(server: MjpegServer) -> None:
    """A camera that is set to another size while it streams is told, not published."""
    def change(handler: BaseHTTPRequestHandler) -> None:
        server.head(handler)
        for data in (*server.pictures[:3], jpeg(0, 320, 240)):
            server.part(handler, data)
            time.sleep(0.05)

    server.script = change
    with captured(index_or_path=server.url, reconnect_period_s=0.1) as run:
        run.wait(lambda: run.lost)
        assert 'now sends 320x240 instead of 640x480' in run.lost[0]


def test_a_closed_connection_is_opened_again(server: MjpegServer) -> None:
    """Each time it closes it is opened anew, and pictures go on."""
    def short(handler: BaseHTTPRequestHandler) -> None:
        server.head(handler)
        for data in server.pictures[:3]:
            server.part(handler, data)
            time.sleep(0.02)

    server.script = short
    with captured(index_or_path=server.url, reconnect_period_s=0.05) as run:
        run.wait(lambda: run.counters.reconnects >= 3)
        assert run.lost[0] == f'{server.url} closed the connection.'
        assert run.back[0] == server.url


def test_a_silent_camera_is_frozen(server: MjpegServer) -> None:
    """A connection that stays open and brings nothing more is lost."""
    def freeze(handler: BaseHTTPRequestHandler) -> None:
        server.head(handler)
        server.part(handler, server.pictures[0])
        while server.running and len(server.requests) < 2:
            time.sleep(0.01)
        server.stream(handler)

    server.script = freeze
    with captured(index_or_path=server.url, timeout_s=0.3, reconnect_period_s=0.1) as run:
        run.wait(lambda: run.lost)
        assert run.lost[0].startswith('frozen: no picture for 0.')
        server.script = server.stream
        run.wait(lambda: run.back)


def test_malformed_parts_are_dropped(server: MjpegServer) -> None:
    """Half pictures and wrong lengths are counted; the others come."""
    def broken(handler: BaseHTTPRequestHandler) -> None:
        server.head(handler)
        for at in range(0, 90, 3):
            server.part(handler, server.pictures[at])
            server.part(handler, server.pictures[at + 1][:2000])
            handler.wfile.write(b'--frame\r\nContent-Length: 900000\r\n\r\n'
                                + server.pictures[at + 2] + b'\r\n')
            time.sleep(0.02)

    server.script = broken
    with captured(index_or_path=server.url) as run:
        assert all(frame.picture.jpeg(90) in server.pictures for frame in run.frames(5))
        assert run.counters.damaged >= 4


def test_a_stream_without_pictures_is_told(
        server: MjpegServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of the right type with nothing in it."""
    monkeypatch.setattr(http_source, 'OPEN_S', 0.5)

    def nothing(handler: BaseHTTPRequestHandler) -> None:
        server.head(handler)
        while server.running:
            handler.wfile.write(b'--frame\r\nContent-Length: 4\r\n\r\nnone\r\n')
            time.sleep(0.05)

    server.script = nothing
    with pytest.raises(CameraError, match='sent no picture within'), \
            captured(index_or_path=server.url):
        pass


def test_user_and_password_are_sent_and_not_shown(server: MjpegServer) -> None:
    """Basic authentication; a redirection is followed; no message has the password."""
    def door(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == '/stream':
            handler.send_response(302)
            handler.send_header('Location', '/real')
            handler.end_headers()
        else:
            server.stream(handler)

    server.script = door
    url = server.url.replace('//', '//me:geheim@')
    with captured(index_or_path=url) as run:
        assert run.frames(1)
        assert run.source.readings() == {'device': server.url}
    assert server.requests[0] == '/stream Basic bWU6Z2VoZWlt'
    assert server.requests[1].startswith('/real')
    assert without_password(url) == server.url


def test_controls_are_refused(server: MjpegServer) -> None:
    """Exposure is the camera's own business; the wish is told, not swallowed."""
    with captured(index_or_path=server.url) as run:
        run.capture.adjust('exposure', '10')
        run.wait(lambda: run.refused)
        assert 'has no control for exposure' in run.refused[0]
