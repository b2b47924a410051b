# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The clock of another host, asked over a socket."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import threading
import time

from apprentice_doctor import clocks
from apprentice_doctor.clock_echo import TOKEN
from apprentice_doctor.clock_wire import answer
from apprentice_doctor.clock_wire import ask
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import Level
from apprentice_doctor.robot import Question
from apprentice_doctor.robot import Robot
import pytest

pytestmark = pytest.mark.timeout(60)
ECHO = [sys.executable, '-m', 'apprentice_doctor.clock_echo']


@contextmanager
def host(ahead_s: float, token: str = '') -> Iterator[str]:
    """Give the address of a host whose clock is ahead."""
    ahead_ns = int(ahead_s * 1e9)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(('127.0.0.1', 0))
        line.settimeout(0.05)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    request, peer = line.recvfrom(65)
                except TimeoutError:
                    continue
                reply = answer(request, time.time_ns() + ahead_ns, token, ahead_ns)
                if reply is not None:
                    line.sendto(reply, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f'127.0.0.1:{line.getsockname()[1]}'
        ended.set()
        thread.join()


def offset(where: str, token: str = '') -> Finding:
    """Return what the doctor finds about a host."""
    question = Question(Robot(Path('h.yaml')), hosts=(where,), token=token)
    return next(found for found in clocks.check(question) if found.name == 'clock-offset')


@pytest.mark.parametrize('ahead_s', [0.5, -0.5])
def test_a_clock_that_is_off_is_an_error(ahead_s: float) -> None:
    """The offset is told with its sign and how sure it is."""
    with host(ahead_s) as where:
        name, _, port = where.partition(':')
        measured = ask(name, '', int(port))
        assert measured is not None
        assert abs(measured.offset_s - ahead_s) <= measured.uncertainty_s
        finding = offset(where)
    assert finding.level is Level.ERROR and 'sure to' in finding.found


def test_the_same_clock_is_fine() -> None:
    """One host compared with itself is within the uncertainty."""
    with host(0.0) as where:
        assert offset(where).level in (Level.OK, Level.WARN)


def test_a_wrong_token_is_silence() -> None:
    """Neither a request nor a reply of a stranger is believed."""
    with host(0.0, 'secret') as where:
        assert offset(where, 'guess').level is Level.ERROR
        assert offset(where, 'secret').level in (Level.OK, Level.WARN)
    assert answer(b'', 0, '') is None and answer(bytes(64), 0, '') is None
    assert answer(bytes(65), 0, '') is None


@pytest.mark.parametrize('where', ['127.0.0.1:9', '127.0.0.1:x', '127.0.0.1:99999'])
def test_a_host_that_cannot_be_asked(where: str) -> None:
    """One error each, no traceback."""
    assert offset(where).level is Level.ERROR


def test_the_program_answers_and_ends_on_a_signal() -> None:
    """As it runs on the other host."""
    process = subprocess.Popen([*ECHO, '--port', '0'], stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().split()[3].rstrip(';')
        assert offset(address).level in (Level.OK, Level.WARN)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_program_refuses_strangers_without_a_token() -> None:
    """Beyond this host a token is asked for; a port in use is one message."""
    environment = {name: value for name, value in os.environ.items() if name != TOKEN}
    result = subprocess.run([*ECHO, '--bind', '0.0.0.0'], env=environment, text=True,
                            capture_output=True, timeout=30)
    assert result.returncode == 2 and TOKEN in result.stderr
    with host(0.0) as where:
        result = subprocess.run([*ECHO, '--port', where.partition(':')[2]], text=True,
                                capture_output=True, timeout=30)
    assert result.returncode == 1 and 'Traceback' not in result.stderr
    assert 'another --port' in result.stderr
