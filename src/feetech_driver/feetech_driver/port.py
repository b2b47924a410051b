# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Serial port that keeps deadlines, with the interface the vendor's SDK expects."""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import select
import termios
import time
from typing import Iterator

from feetech_driver import devices
from feetech_driver.codec import ReplyScanner
from feetech_driver.errors import PortError
from feetech_driver.errors import PortLost
from feetech_driver.errors import TransactionError
import serial

DEFAULT_BAUDRATE = 1_000_000
TRANSACTION_S = 0.045
KEEPER_WAIT_S = 5.0

_UNSEEN_S = 0.3

# poll() rounds up to whole milliseconds, so a wait may outlast its deadline by one.
_POLL_ROUNDING_NS = 1_000_000
# Where in a transaction's time each attempt ends. An attempt that fails early leaves its time
# to the next one; silence uses three. The last is long enough for a 16 ms latency timer.
_ATTEMPT_ENDS = (0.18, 0.18, 0.45, 0.45, 1.0)
_BUSY = (errno.EBUSY, errno.EAGAIN)
_GONE = (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO)


class DeadlinePort:
    """
    A serial port for half-duplex transactions that end in time, whatever comes in.

    spec is a device path, by-id name, USB serial number or VID:PID, resolved at each open.
    The methods in camel case are the port interface of scservo_sdk.
    """

    def __init__(self, spec: str, baudrate: int = DEFAULT_BAUDRATE) -> None:
        """Keep the settings; nothing is opened yet."""
        self.port_name = spec
        self.baudrate = baudrate
        self.path = spec
        self.ser: serial.Serial | None = None
        self.is_open = False
        self.lost = False
        self.is_using = False
        self.echo = False
        self.low_latency = False
        self._fd = -1
        self._poll = select.poll()
        self._packet_ends_ns = 0
        self._attempt_ends_ns = 0

    @property
    def fd(self) -> int:
        """File descriptor of the open port; PortLost when it is closed."""
        if self._fd < 0:
            raise PortLost(f'the serial port {self.path} is not open')
        return self._fd

    def open(self, keeper_wait_s: float = KEEPER_WAIT_S) -> None:
        """
        Open the port for this process alone.

        Waits up to keeper_wait_s for the keeper of a driver that died to finish its release.
        PortError says what is wrong with the port and lists the ports there are.
        """
        if self.is_open:
            return
        self.path = devices.resolve(self.port_name)
        give_up = time.monotonic() + keeper_wait_s
        unseen_until = time.monotonic() + _UNSEEN_S
        while True:
            busy = self._try_open()
            if busy is None:
                return
            lasting = [holder for holder in busy if not holder.is_passing]
            if busy:
                unseen_until = time.monotonic() + _UNSEEN_S
            # A holder that is not seen has ended meanwhile, or is another user's.
            if lasting or time.monotonic() >= (give_up if busy else unseen_until):
                raise PortError(_busy_text(self.path, busy))
            time.sleep(0.05)

    def close(self) -> None:
        """Close the port and free its lock, even when another process shares the descriptor."""
        if not self.is_open:
            return
        fd, self._fd = self._fd, -1
        self.is_open = self.lost = self.is_using = self.echo = False
        for undo in (
            lambda: termios.tcflush(fd, termios.TCIOFLUSH),
            lambda: fcntl.ioctl(fd, termios.TIOCNXCL),
            lambda: fcntl.flock(fd, fcntl.LOCK_UN),
            lambda: self._poll.unregister(fd),
            self.ser.close,
        ):
            try:
                undo()
            except (OSError, KeyError, termios.error):
                # An unplugged device refuses all of these; only the closing matters.
                continue

    def attempts(self, budget_s: float = TRANSACTION_S) -> Iterator[int]:
        """Yield the end (monotonic ns) of each attempt of a transaction of budget_s."""
        start = time.monotonic_ns()
        budget_ns = int(budget_s * 1e9) - _POLL_ROUNDING_NS
        for share in _ATTEMPT_ENDS:
            ends_ns = start + int(budget_ns * share)
            if time.monotonic_ns() < ends_ns:
                self._attempt_ends_ns = ends_ns
                yield ends_ns
        self._attempt_ends_ns = 0

    def flush_input(self) -> None:
        """Drop what came in since the last transaction: it answers nothing of ours."""
        try:
            termios.tcflush(self.fd, termios.TCIFLUSH)
        except termios.error as error:
            raise self._lost(error) from error

    def send(self, data: bytes | bytearray, ends_ns: int) -> None:
        """Write all bytes before ends_ns; TransactionError when the port does not take them."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self.fd, rest):]
            except BlockingIOError:
                self._wait_writable(ends_ns)
            except OSError as error:
                raise self._lost(error) from error

    def receive(self, scanner: ReplyScanner, ends_ns: int) -> None:
        """Feed incoming bytes to scanner until it has all it waits for, or ends_ns."""
        fd = self.fd
        while not scanner.done:
            left_ns = ends_ns - time.monotonic_ns()
            if left_ns <= 0:
                return
            if self._poll.poll(left_ns / 1e6):
                scanner.feed(self._read(fd))

    def next_bytes(self, ends_ns: int) -> bytes:
        """Return the next bytes that come in, empty when none do before ends_ns."""
        left_ns = ends_ns - time.monotonic_ns()
        return self._read(self.fd) if left_ns > 0 and self._poll.poll(left_ns / 1e6) else b''

    def openPort(self) -> bool:
        """Open the port."""
        self.open()
        return True

    def closePort(self) -> None:
        """Close the port."""
        self.close()

    def clearPort(self) -> None:
        """Drop unread input; the SDK calls this before each request."""
        self.flush_input()

    def setPortName(self, port_name: str) -> None:
        """Name the port for the next open."""
        self.port_name = port_name

    def getPortName(self) -> str:
        """Return the configured name of the port."""
        return self.port_name

    def setBaudRate(self, baudrate: int) -> bool:
        """Change the rate of the line."""
        self.baudrate = baudrate
        if self.is_open:
            try:
                self.ser.baudrate = baudrate
            except (ValueError, serial.SerialException):
                return False
        return True

    def getBaudRate(self) -> int:
        """Return the rate of the line in bits a second."""
        return self.baudrate

    def getBytesAvailable(self) -> int:
        """Return how many bytes wait to be read."""
        return self.ser.in_waiting

    def readPort(self, length: int) -> bytes:
        """Return up to length bytes that have come in, without waiting."""
        return self._read(self.fd, length) if self._poll.poll(0) else b''

    def writePort(self, packet: bytes | list[int]) -> int:
        """Write a packet within the current attempt; return how many bytes went out."""
        now_ns = time.monotonic_ns()
        self.send(bytes(packet), max(self._attempt_ends_ns, now_ns + 1_000_000))
        return len(packet)

    def setPacketTimeout(self, packet_length: int) -> None:
        """Let the wait for a reply end with the current attempt."""
        default_ns = time.monotonic_ns() + int(TRANSACTION_S * 1e9) - _POLL_ROUNDING_NS
        self._packet_ends_ns = self._attempt_ends_ns or default_ns

    def setPacketTimeoutMillis(self, msec: float) -> None:
        """Let the wait for a reply end after msec, at most the time of a transaction."""
        wait_ns = int(min(msec / 1e3, TRANSACTION_S) * 1e9) - _POLL_ROUNDING_NS
        self._packet_ends_ns = time.monotonic_ns() + wait_ns

    def isPacketTimeout(self) -> bool:
        """Tell whether the wait for a reply is over."""
        return time.monotonic_ns() >= self._packet_ends_ns

    @property
    def packet_ends_ns(self) -> int:
        """When the wait for a reply ends, in monotonic ns."""
        return self._packet_ends_ns

    def _try_open(self) -> tuple[devices.Holder, ...] | None:
        try:
            self.ser = serial.Serial(self.path, self.baudrate, timeout=0, exclusive=True)
        except serial.SerialException as error:
            if error.errno in _BUSY:
                return devices.holders(self.path)
            raise PortError(_open_text(self.path, error)) from error
        except (OSError, ValueError, termios.error) as error:
            raise PortError(f'{self.path} cannot be opened: {error}') from error
        if not devices.is_pty(self.path):
            # A program that takes no lock (a terminal, ModemManager) would mix its bytes in.
            others = devices.holders(self.path)
            if others:
                self.ser.close()
                return others
            self._claim()
        self._fd = self.ser.fileno()
        self._poll.register(self._fd, select.POLLIN)
        self.is_open = True
        return None

    def _claim(self) -> None:
        try:
            fcntl.ioctl(self.ser.fileno(), termios.TIOCEXCL)
            self.ser.set_low_latency_mode(True)
            self.low_latency = True
        except (OSError, ValueError, NotImplementedError):
            # Not every adapter has a latency timer; the lock is held either way.
            self.low_latency = False

    def _read(self, fd: int, length: int = 4096) -> bytes:
        try:
            chunk = os.read(fd, length)
        except BlockingIOError:
            return b''
        except OSError as error:
            raise self._lost(error) from error
        if not chunk:
            raise self._lost('the far end hung up')
        return chunk

    def _wait_writable(self, ends_ns: int) -> None:
        left_s = (ends_ns - time.monotonic_ns()) / 1e9
        if left_s <= 0 or not select.select((), (self.fd,), (), left_s)[1]:
            termios.tcflush(self.fd, termios.TCOFLUSH)
            raise TransactionError(f'{self.path} does not take bytes: the adapter is stuck')

    def _lost(self, cause: object) -> PortLost:
        self.lost = True
        return PortLost(f'the serial port {self.path} went away ({cause}): is it unplugged?')


def _busy_text(path: str, busy: tuple[devices.Holder, ...]) -> str:
    if busy and all(holder.is_keeper for holder in busy):
        return (
            f'{path} is still held by the keeper of a driver that died ({busy[0]}); it should '
            'have released the motors by now. Stop that process.')
    if busy:
        who = ' and '.join(str(holder) for holder in busy)
        return f'{path} is in use by {who}. Stop it, or configure another port.'
    return (
        f'{path} is in use by a process of another user; '
        f'"sudo fuser -v {path}" names it. Stop it, or configure another port.')


def _open_text(path: str, error: serial.SerialException) -> str:
    if error.errno in _GONE:
        return f'there is no serial port {path}. {devices.candidates()}'
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f'no permission to open {path}: it belongs to group {_group_of(path)!r}. '
            f'Run "sudo usermod -aG {_group_of(path)} $USER", then log out and in again, '
            f'or install a udev rule for the adapter.')
    if os.path.exists(path):
        return f'{path} is not a serial port ({error}). {devices.candidates()}'
    return f'{path} cannot be opened: {error}. {devices.candidates()}'


def _group_of(path: str) -> str:
    try:
        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError):
        return 'dialout'
