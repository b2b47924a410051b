# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What is on each serial port of this machine, and in the way of opening it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
import errno
from itertools import groupby
import os

from feetech_driver.devices import resolve
from feetech_driver.devices import scan_ports
from feetech_driver.devices import SerialDevice
from feetech_driver.errors import PortError
from feetech_driver.port import DeadlinePort
from feetech_driver.scan import describe
from feetech_driver.scan import FoundMotor
from feetech_driver.scan import scan
from feetech_driver.scan import ScanResult

# Supplies in use: 5 V and 12 V adapters, 7.4 V batteries. Only a follower may have 12 V.
_NO_SUPPLY_V = 4.0
_FIVE_V = 6.0
_TWELVE_V = 10.5
_DENIED = (errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class PortReport:
    """One port: access is 'ok' or a word for the problem; result is there where it is ok."""

    device: SerialDevice
    access: str
    problem: str
    result: ScanResult | None

    @property
    def motors(self) -> tuple[FoundMotor, ...]:
        """Return the motors that answered."""
        return self.result.motors if self.result else ()


def listed(specs: Iterable[str] = ()) -> tuple[SerialDevice, ...]:
    """Return the ports there are, or those of specs that are there; PortError for a bad name."""
    there = scan_ports()
    if not specs:
        return there
    known = {os.path.realpath(device.path): device for device in there}
    paths = [path for path in map(resolve, specs) if os.path.exists(path)]
    return tuple(
        known.get(os.path.realpath(path)) or SerialDevice(path, None, None, None, '')
        for path in paths)


def survey(devices: tuple[SerialDevice, ...], thorough: bool = False) -> list[PortReport]:
    """Look at ports, all at once; takes 1 s, thorough 13 s. Nothing is written to motors."""
    if not devices:
        return []
    with ThreadPoolExecutor(len(devices)) as pool:
        return list(pool.map(lambda device: _look(device, thorough), devices))


def looks_like(motors: tuple[FoundMotor, ...]) -> str:
    """Say what the supply tells about the arm; it never tells more."""
    volts = [motor.voltage for motor in motors if motor.voltage is not None]
    if not volts:
        return 'the motors do not tell their supply'
    supply = f'{max(volts):.1f} V supply'
    if max(volts) >= _TWELVE_V:
        return f'follower-like: {supply}; a leader does not bear it'
    if max(volts) > _FIVE_V:
        return f'leader or follower: {supply}, which fits both'
    if max(volts) >= _NO_SUPPLY_V:
        return f'leader-like: {supply}; a follower of 7.4 V motors can look the same'
    return f'{supply}: too low for any arm, check the power adapter'


def motors_text(motors: tuple[FoundMotor, ...]) -> str:
    """Describe the motors of a port in one line."""
    def kind(motor: FoundMotor) -> tuple[int, str, tuple[str, ...]]:
        return motor.baud, motor.model, motor.errors
    parts = []
    for (baud, model, errors), group in groupby(sorted(motors, key=kind), kind):
        ids = [motor.id for motor in group]
        label = f'{"ids" if len(ids) > 1 else "id"} {_ranges(ids)}'
        parts.append(', '.join((label, *([model] if model else []), f'{baud} baud', *errors)))
    return '; '.join(parts) or 'none'


def udev_rule(device: SerialDevice) -> str:
    """Return the rule that lets whoever sits at the machine open such adapters, '' without."""
    if device.vid_pid is None:
        return ''
    vendor, product = device.vid_pid.split(':')
    return (f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{vendor}", '
            f'ATTRS{{idProduct}}=="{product}", TAG+="uaccess"')


def notes(report: PortReport) -> list[str]:
    """Return what is to be said of a port beside its row of the table."""
    lines = []
    if report.device.by_id:
        lines.append(f'stable name: {report.device.by_id}')
    if report.problem:
        lines.append(report.problem)
    if report.access == 'no permission' and udev_rule(report.device):
        lines.append(f'udev rule, for a file in /etc/udev/rules.d: {udev_rule(report.device)}')
    if report.motors:
        lines.append(looks_like(report.motors))
    elif report.result is not None:
        lines.append(describe(report.result))
    return lines


def _look(device: SerialDevice, thorough: bool) -> PortReport:
    port = DeadlinePort(device.path)
    try:
        port.open(keeper_wait_s=0.0)
        return PortReport(device, 'ok', '', scan(port, thorough))
    except PortError as error:
        return PortReport(device, _access(error), str(error), None)
    finally:
        port.close()


def _access(error: PortError) -> str:
    if getattr(error.__cause__, 'errno', None) in _DENIED:
        return 'no permission'
    return 'in use' if error.__cause__ is None else 'fails'


def _ranges(ids: list[int]) -> str:
    parts = []
    for _, group in groupby(enumerate(ids), lambda pair: pair[1] - pair[0]):
        run = [ident for _, ident in group]
        parts.append(str(run[0]) if len(run) == 1 else f'{run[0]}-{run[-1]}')
    return ', '.join(parts)
