# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Serial ports of this machine: list them, resolve a name, say who holds one."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path

from feetech_driver.errors import PortError
from serial.tools import list_ports

_BY_ID = Path('/dev/serial/by-id')
_ENDING = 'unknown'


@dataclass(frozen=True)
class SerialDevice:
    """A serial port that is there."""

    path: str
    by_id: str | None
    vid_pid: str | None
    serial_number: str | None
    description: str

    def __str__(self) -> str:
        """Describe the port in one line."""
        parts = [self.path]
        if self.vid_pid:
            parts.append(f'USB {self.vid_pid}')
        if self.serial_number:
            parts.append(f'serial number {self.serial_number}')
        if self.description not in ('', 'n/a'):
            parts.append(self.description)
        if self.by_id:
            parts.append(self.by_id)
        return ', '.join(parts)


@dataclass(frozen=True)
class Holder:
    """A process that has a port open."""

    pid: int
    command: str

    @property
    def is_keeper(self) -> bool:
        """Whether it is the keeper of a driver that died, busy releasing the motors."""
        return 'feetech_driver.keeper_process' in self.command

    @property
    def is_passing(self) -> bool:
        """Whether it will let go by itself: a keeper, or a process that is just ending."""
        return self.is_keeper or self.command == _ENDING

    def __str__(self) -> str:
        """Name the process in one line."""
        return f'process {self.pid} ({self.command[:120]})'


def scan_ports(by_id: Path = _BY_ID) -> tuple[SerialDevice, ...]:
    """List the serial ports, USB adapters first."""
    links = _links(by_id)
    found = []
    for port in list_ports.comports():
        vid_pid = f'{port.vid:04x}:{port.pid:04x}' if port.vid is not None else None
        found.append(SerialDevice(
            port.device, links.get(os.path.realpath(port.device)), vid_pid,
            port.serial_number, port.description or ''))
    return tuple(sorted(found, key=lambda device: (device.vid_pid is None, device.path)))


def candidates(devices: tuple[SerialDevice, ...] | None = None) -> str:
    """Describe the ports that an arm may be on, for an error message."""
    devices = scan_ports() if devices is None else devices
    usb = [device for device in devices if device.vid_pid is not None]
    if not usb:
        return 'No USB serial adapter is plugged in: check the cable to the motor board.'
    return '\n'.join(['Serial ports found:', *(f'  {device}' for device in usb)])


def resolve(spec: str, devices: tuple[SerialDevice, ...] | None = None) -> str:
    """
    Return the device path that a port parameter means.

    spec is a path, a name below /dev/serial/by-id, a USB serial number or VID:PID.
    PortError lists the ports found when it means none or several.
    """
    if not spec:
        raise PortError(f'no serial port is configured. {candidates(devices)}')
    if '/' in spec:
        return spec
    devices = scan_ports() if devices is None else devices
    matches = [device for device in devices if spec.lower() in _names(device)]
    if len(matches) == 1:
        return matches[0].by_id or matches[0].path
    if matches:
        lines = '\n'.join(f'  {device}' for device in matches)
        raise PortError(
            f'{len(matches)} serial ports match {spec!r}; configure a path or a serial number:\n'
            f'{lines}')
    raise PortError(
        f'no serial port is called {spec!r} (path, by-id name, USB serial number or VID:PID). '
        f'{candidates(devices)}')


def stable_name(spec: str) -> str:
    """Return the by-id path of the port that spec means, where it has one, else its path."""
    path = resolve(spec)
    target = os.path.realpath(path)
    names = [device.by_id for device in scan_ports() if os.path.realpath(device.path) == target]
    return names[0] if names and names[0] else path


def holders(path: str) -> tuple[Holder, ...]:
    """Return the other processes that have a device open, as far as /proc shows them."""
    target = os.path.realpath(path)
    found = []
    for entry in os.scandir('/proc'):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        if _has_open(entry.path, target):
            found.append(Holder(int(entry.name), _command(entry.path)))
    return tuple(found)


def is_pty(path: str) -> bool:
    """Tell whether a path leads to a pseudo-terminal."""
    return os.path.realpath(path).startswith('/dev/pts/')


def _links(by_id: Path) -> dict[str, str]:
    try:
        return {os.path.realpath(link): str(link) for link in sorted(by_id.iterdir())}
    except OSError:
        return {}


def _names(device: SerialDevice) -> set[str]:
    names = {os.path.basename(device.path)}
    if device.by_id:
        names.add(os.path.basename(device.by_id))
    names.update(name for name in (device.vid_pid, device.serial_number) if name)
    return {name.lower() for name in names}


def _has_open(process: str, target: str) -> bool:
    try:
        with os.scandir(os.path.join(process, 'fd')) as entries:
            return any(link_target(entry.path) == target for entry in entries)
    except OSError:
        return False


def link_target(path: str) -> str:
    """Return where a link leads, empty when it is gone."""
    try:
        return os.readlink(path)
    except OSError:
        return ''


def _command(process: str) -> str:
    try:
        raw = Path(process, 'cmdline').read_bytes()
    except OSError:
        return _ENDING
    return ' '.join(raw.decode(errors='replace').split('\0')).strip() or _ENDING
