# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Serve a servo bus on a pseudo-terminal that looks like a USB serial adapter."""
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
import errno
import fcntl
import os
from pathlib import Path
import select
import struct
import termios
import threading
import time
import tty

from apprentice_sim.bus import ServoBus

_READ_SIZE = 4096
# Linux, asm-generic: the ioctl that tells a speed that has no Bxxx constant.
_TCGETS2 = 0x802C542A
_TERMIOS2_SIZE = 44
_OUTPUT_SPEED = struct.Struct('I')
_OUTPUT_SPEED_AT = 40
_OVERLONG_WAIT_S = 0.05
_CALL_TIMEOUT_S = 5.0


class LinkError(OSError):
    """Report a link path that cannot be used."""


class PtyBus:
    """
    Put a ServoBus behind `link`, a symlink to the slave side of a pseudo-terminal.

    Drive it from one loop (`fileno()`, `next_due_ns`, `service()`) or call run_thread().
    """

    def __init__(self, bus: ServoBus, link: Path | str) -> None:
        self.bus = bus
        self.link = Path(link)
        self.overruns = 0
        self.heard_ns = 0
        self._master = -1
        self._slave = -1
        self._thread: int | None = None
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._woken = False
        self._calls: list[tuple[Callable[[], None], threading.Event]] = []
        bus.on_unplug = self._unplug_requested
        self._plug()

    # -- for a loop

    def fileno(self) -> int:
        """Return the master's descriptor, -1 while unplugged; replug() changes it."""
        return self._master

    @property
    def wake_fileno(self) -> int:
        """Return a descriptor that turns readable when another thread asks for service."""
        return self._wake_fd

    @property
    def next_due_ns(self) -> int:
        """Return the monotonic time by which service() wants to be called."""
        return self.bus.next_due_ns

    def service(self, now_ns: int) -> None:
        """Take what the host wrote, send the replies that are due, advance the servos."""
        if self._thread is None:
            self.claim()
        if self._woken:
            self._run_calls()
        bus = self.bus
        with bus.lock:
            data = self._receive()
            if data:
                self.heard_ns = now_ns
                bus.set_host_baud(host_baud(self._master))
                bus.receive(data, now_ns)
            bus.tick(now_ns)
            data = bus.collect(now_ns)
            if data:
                self._send(data)

    def wake(self) -> None:
        """Make a loop that watches `wake_fileno` call service() at once, from any thread."""
        # In this order the loop may turn once too often, but never sleeps over a call.
        os.eventfd_write(self._wake_fd, 1)
        self._woken = True

    def inject(self, data: bytes) -> None:
        """Let the host receive these bytes without having asked, as noise does."""
        self.bus.inject(data, time.monotonic_ns())
        self.wake()

    # -- USB cable

    def unplug(self) -> None:
        """Take the port away: link removed, the host's descriptor dead."""
        self._call(self._unplug)

    def replug(self) -> None:
        """Bring the port back as another device behind the same link."""
        self._call(self._plug)

    def claim(self) -> None:
        """Say that this thread is the one that calls service()."""
        self._thread = threading.get_ident()

    def release(self) -> None:
        """Say that the thread that called service() has ended."""
        self._thread = None
        self._run_calls()

    def close(self) -> None:
        """Take the port away for good."""
        self._unplug()
        if self._wake_fd >= 0:
            os.close(self._wake_fd)
            self._wake_fd = -1

    # -- convenience

    @contextmanager
    def run_thread(self) -> Iterator[PtyBus]:
        """Serve in a thread while the context lasts."""
        with run_thread([self]):
            yield self

    def __enter__(self) -> PtyBus:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside

    def _plug(self) -> None:
        if self._master >= 0:
            return
        master, slave = os.openpty()
        try:
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._place_link(os.ttyname(slave))
        except OSError:
            os.close(master)
            os.close(slave)
            raise
        # The slave stays open here: without a holder the master would report hang-up for ever.
        self._master, self._slave = master, slave

    def _unplug(self) -> None:
        if self._master < 0:
            return
        with self.bus.lock:
            if self.link.is_symlink() and os.readlink(self.link) == os.ttyname(self._slave):
                self.link.unlink()
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = -1
            self.bus.discard_replies()

    def _place_link(self, target: str) -> None:
        if self.link.exists() and not self.link.is_symlink():
            raise LinkError(
                errno.EEXIST, f'{self.link} is a file, not a link of an earlier run: '
                'choose another path for the port or remove it')
        temporary = self.link.with_name(f'.{self.link.name}.{os.getpid()}')
        try:
            temporary.symlink_to(target)
            os.replace(temporary, self.link)
        except OSError as error:
            raise LinkError(
                error.errno, f'{self.link}: the link to the simulated port cannot be made: '
                f'{error.strerror}') from None

    def _receive(self) -> bytes:
        if self._master < 0:
            return b''
        try:
            return os.read(self._master, _READ_SIZE)
        except BlockingIOError:
            return b''
        except OSError as error:
            if error.errno == errno.EIO:
                return b''
            raise

    def _send(self, data: bytes) -> None:
        if self._master < 0:
            return
        try:
            written = os.write(self._master, data)
        except BlockingIOError:
            written = 0
        if written < len(data):
            self.overruns += len(data) - written

    def _unplug_requested(self, unplug: bool) -> None:
        if unplug:
            self._unplug()
        else:
            self._plug()

    def _call(self, function: Callable[[], None]) -> None:
        """Run a function where no loop waits on the descriptor that it changes."""
        if self._thread in (None, threading.get_ident()):
            function()
            return
        done = threading.Event()
        self._calls.append((function, done))
        self.wake()
        if not done.wait(_CALL_TIMEOUT_S):
            raise TimeoutError(f'{self.link}: the thread that serves this port does not answer')

    def _run_calls(self) -> None:
        self._woken = False
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)
        calls, self._calls = self._calls, []
        for function, done in calls:
            function()
            done.set()


def host_baud(descriptor: int) -> int:
    """Return the line speed in bit/s that the other side of a terminal has set; 0 if unknown."""
    try:
        state = fcntl.ioctl(descriptor, _TCGETS2, bytes(_TERMIOS2_SIZE))
        return _OUTPUT_SPEED.unpack_from(state, _OUTPUT_SPEED_AT)[0]
    except OSError:
        code = termios.tcgetattr(descriptor)[5]
        return _SPEEDS.get(code, 0)


_SPEEDS = {
    getattr(termios, f'B{speed}'): speed
    for speed in (1_000_000, 500_000, 115_200, 57_600, 38_400, 19_200, 9_600)
    if hasattr(termios, f'B{speed}')}


def serve(buses: Sequence[PtyBus], stop: Callable[[], bool]) -> None:
    """Serve buses in this thread until `stop()` says so; it is asked every 50 ms or oftener."""
    for bus in buses:
        bus.claim()
    while not stop():
        wait_s = (min(bus.next_due_ns for bus in buses) - time.monotonic_ns()) * 1e-9
        watched = [bus.fileno() for bus in buses if bus.fileno() >= 0]
        watched += [bus.wake_fileno for bus in buses]
        select.select(watched, (), (), min(max(wait_s, 0.0), _OVERLONG_WAIT_S))
        for bus in buses:
            bus.service(time.monotonic_ns())


@contextmanager
def run_thread(buses: Sequence[PtyBus]) -> Iterator[None]:
    """Serve buses in one thread while the context lasts."""
    stopped = threading.Event()
    serving = threading.Event()
    failures: list[BaseException] = []

    def stop() -> bool:
        serving.set()
        return stopped.is_set()

    def work() -> None:
        try:
            serve(buses, stop)
        except BaseException as error:
            failures.append(error)
            raise

    thread = threading.Thread(target=work, name='servo-bus', daemon=True)
    thread.start()
    serving.wait(_CALL_TIMEOUT_S)
    try:
        yield
    finally:
        stopped.set()
        for bus in buses:
            bus.wake()
        thread.join(_CALL_TIMEOUT_S)
        for bus in buses:
            bus.release()
        if failures:
            raise RuntimeError('the thread that serves the bus failed') from failures[0]
