# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Serial ports: is each there, may it be opened, and does somebody have it."""
from __future__ import annotations

from collections.abc import Iterator
import grp
import os
from pathlib import Path

from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import fine
from apprentice_doctor.finding import Level
from apprentice_doctor.robot import Arm
from apprentice_doctor.robot import Question
from feetech_driver import devices
from feetech_driver.errors import PortError
from feetech_driver.find_port_survey import udev_rule

_DRIVER = 'feetech_driver/driver'
_RULES = '/etc/udev/rules.d/60-arm.rules'


def check(question: Question) -> Iterator[Finding]:
    """Look at the port of every arm, without opening it."""
    robot = question.robot
    if not robot.arms:
        yield fine('no-arm', 'no port is configured: the simulation is used')
    elif robot.unconfigured:
        yield Finding(
            Level.WARN, 'port-not-configured',
            f'no port for {", ".join(robot.unconfigured)}, though another arm has one',
            str(robot.path), "port: ''", 'a port for every arm', 'ros2 run feetech_driver '
            'find_port names the ports; write them into the file')
    yield from _same_port(robot.arms)
    for arm in robot.arms:
        yield from _arm(arm)


def held_by(path: str) -> tuple[devices.Holder, ...]:
    """Return the processes that have a port open, without whoever serves a simulated one."""
    found = devices.holders(path)
    if devices.is_pty(path):
        found = tuple(holder for holder in found if not _serves(holder.pid))
    return found


def is_driver(holder: devices.Holder) -> bool:
    """Tell whether a process is a driver of ours."""
    return _DRIVER in holder.command


def _same_port(arms: tuple[Arm, ...]) -> Iterator[Finding]:
    for index, arm in enumerate(arms):
        for other in arms[:index]:
            if os.path.realpath(arm.port) == os.path.realpath(other.port):
                yield Finding(
                    Level.ERROR, 'port-twice', f'{other.name} and {arm.name} have one port',
                    arm.port, arm.port, 'a port for each arm',
                    'ros2 run feetech_driver find_port names the ports')


def _arm(arm: Arm) -> Iterator[Finding]:
    where = f'{arm.name}, {arm.port}'
    try:
        path = devices.resolve(arm.port)
    except PortError as error:
        yield _absent(where, str(error).split('. ')[0])
        return
    if not os.path.exists(path):
        yield _absent(where, 'nothing of that name')
        return
    real = os.path.realpath(path)
    if not os.access(path, os.R_OK | os.W_OK):
        yield denied(where, path, _device(real))
    yield from _holders(where, path)
    if path.startswith('/dev/tty') and '/by-' not in arm.port:
        stable = (_device(real) or devices.SerialDevice(path, None, None, None, '')).by_id
        yield Finding(
            Level.WARN, 'unstable-name', 'the name may belong to another arm after a restart',
            where, path, stable or 'a name in /dev/serial/by-id',
            f'write into the hardware file:\n  port: {stable}' if stable else
            'use the USB serial number of the adapter as port')


def _absent(where: str, found: str) -> Finding:
    return Finding(
        Level.ERROR, 'unplugged', 'the port is not there: unplugged, or another name', where,
        found, 'a serial port',
        f'plug the USB cable in, or name another port.\n{devices.candidates()}')


def denied(where: str, path: str, device: devices.SerialDevice | None) -> Finding:
    """Return the finding about a port that may not be opened, with commands to paste."""
    status = os.stat(path)
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    cure = (f'join the group, then log out and in again:\n  sudo usermod -aG {group} $USER')
    rule = udev_rule(device) if device else ''
    if rule:
        cure += (
            '\nor let whoever sits at the machine use this adapter:\n'
            f"  echo '{_folded(rule)}' | \\\n    sudo tee {_RULES}\n"
            '  sudo udevadm control --reload && sudo udevadm trigger')
    return Finding(
        Level.ERROR, 'no-permission', 'no permission to open the port', where,
        f'group {group}, mode {status.st_mode & 0o777:04o}', 'read and write for this user', cure)


def _folded(rule: str) -> str:
    """Break a udev rule at its commas as udev allows, so that it fits a terminal."""
    return ', \\\n    '.join(rule.split(', '))


def _holders(where: str, path: str) -> Iterator[Finding]:
    found = held_by(path)
    lasting = tuple(holder for holder in found if not holder.is_passing)
    keepers = tuple(holder for holder in found if holder.is_keeper)
    listed = '; '.join(map(str, lasting))
    if len(lasting) > 1:
        yield Finding(
            Level.ERROR, 'port-shared', f'{len(lasting)} processes have the port open', where,
            listed, 'one', 'stop all but the driver: their bytes mix on the line')
    elif lasting and is_driver(lasting[0]):
        yield fine('port-held', f'its driver has it: {listed}; a second one is refused', where)
    elif lasting:
        yield Finding(
            Level.ERROR, 'port-held', 'another program has the port', where, listed, 'nobody',
            f'stop it:\n  kill {lasting[0].pid}')
    elif keepers:
        yield Finding(
            Level.WARN, 'keeper-at-work', 'the keeper of a dead driver releases the motors',
            where, str(keepers[0]), 'nobody', 'wait 5 s and look again')
    else:
        yield fine('port-free', 'there, permitted, free', where)


def _serves(pid: int) -> bool:
    try:
        with os.scandir(f'/proc/{pid}/fd') as entries:
            return any(Path(devices.link_target(entry.path)).name == 'ptmx' for entry in entries)
    except OSError:
        return False


def _device(real: str) -> devices.SerialDevice | None:
    return next((found for found in devices.scan_ports() if found.path == real), None)
