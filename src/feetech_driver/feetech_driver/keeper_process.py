# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The keeper process: releases the motors when the driver that started it dies.

Reads one-byte orders from a pipe: 'A' arms it, 'D' disarms it. When the pipe closes it releases
the motors if armed, and exits. It is started with few imports so that it is there at once.
"""

from __future__ import annotations

import os
import select
import sys

from feetech_driver.release import Release

ARM = b'A'
DISARM = b'D'


def main(argv: list[str] | None = None) -> None:
    """Run with: control fd, port fd, byte order, 1 for a torque ramp, ids, path of a report."""
    arguments = sys.argv[1:] if argv is None else argv
    control, port = int(arguments[0]), int(arguments[1])
    order, ramp = arguments[2], arguments[3] == '1'
    ids = tuple(int(ident) for ident in arguments[4].split(','))
    report = arguments[5]
    armed, port_open = watch(control, port)
    if not armed:
        return
    failed = ids
    if port_open:
        failed = Release(port, ids, order, ramp).run()
    if report:
        _write_report(report, ids, failed, port_open)


def watch(control: int, port: int) -> tuple[bool, bool]:
    """Obey orders until the pipe closes; return whether armed and whether the port is there."""
    armed, port_open = False, True
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(port, 0)
    while True:
        for fd, _event in poll.poll():
            if fd == port:
                # A descriptor kept on an unplugged device would reserve its name.
                poll.unregister(port)
                os.close(port)
                port_open = False
                continue
            orders = os.read(control, 64)
            if not orders:
                return armed, port_open
            armed = orders[-1:] == ARM


def _write_report(path: str, ids: tuple[int, ...], failed: tuple[int, ...], there: bool) -> None:
    off = [ident for ident in ids if ident not in failed]
    text = f'torque off: ids {off}; not confirmed: ids {list(failed)}'
    if not there:
        text += '; the serial port was gone'
    with open(path, 'w', encoding='ascii') as file:
        file.write(text + '\n')
