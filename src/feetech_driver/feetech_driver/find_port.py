# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Find the serial port of an arm: who answers where, and what is in the way of opening a port.

With --unplug the port that vanishes while you pull the USB cable is named instead. Exit code 0:
found; 1: nothing found, the reason is told; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import sys
import time

from feetech_driver.console import say
from feetech_driver.console import seconds
from feetech_driver.devices import SerialDevice
from feetech_driver.errors import PortError
from feetech_driver.find_port_survey import listed
from feetech_driver.find_port_survey import motors_text
from feetech_driver.find_port_survey import notes
from feetech_driver.find_port_survey import PortReport
from feetech_driver.find_port_survey import survey

_INTERRUPTED = 130
_HEAD = ('PORT', 'ADAPTER', 'SERIAL NUMBER', 'ACCESS', 'MOTORS')
# The kernel takes a moment to notice a pulled cable, and a hub pulls several ports in turn.
_NOTICE_S = 3.0
_SETTLE_S = 0.5
_POLL_S = 0.1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _arguments(argv)
    try:
        devices = listed(options.port)
        if not devices:
            raise PortError(
                'no serial port is there. Plug the USB cable of the motor board in; if it is, try '
                'another cable, for some carry power only.')
        if options.unplug:
            return _unplug(devices, options)
        return _table(devices, options.thorough)
    except PortError as error:
        say(f'find_port: {error}', sys.stderr)
        return 1
    except KeyboardInterrupt:
        sys.stderr.write('\n')
        return _INTERRUPTED


def _table(devices: tuple[SerialDevice, ...], thorough: bool) -> int:
    reports = survey(devices, thorough)
    rows = [_HEAD, *map(_row, reports)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        say('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    for report in reports:
        for index, line in enumerate(notes(report)):
            say(f'\n{report.device.path}\n  {line}' if index == 0 else f'  {line}')
    return 0 if any(report.motors for report in reports) else 1


def _row(report: PortReport) -> tuple[str, ...]:
    device = report.device
    adapter = ' '.join(
        text for text in (device.description, device.vid_pid) if text and text != 'n/a')
    motors = motors_text(report.motors) if report.result is not None else '-'
    return device.path, adapter or '-', device.serial_number or '-', report.access, motors


def _unplug(devices: tuple[SerialDevice, ...], options: argparse.Namespace) -> int:
    say('Serial ports:')
    for device in devices:
        say(f'  {device}')
    say("Pull the USB cable of the arm's board, and no other.")
    if not options.yes:
        try:
            input('Then press Enter: ')
        except EOFError:
            say('\nfind_port: standard input has ended; without a keyboard use --yes', sys.stderr)
            return 2
    gone = _vanished(devices, options)
    if len(gone) == 1:
        say(f'The port of the arm is {gone[0].path}')
        if gone[0].by_id:
            say(f'Its stable name, the same after every start, is {gone[0].by_id}')
        say('Plug the cable in again.')
        return 0
    if gone:
        paths = ', '.join(device.path for device in gone)
        raise PortError(
            f'{len(gone)} ports vanished ({paths}), expected one. Plug all in again and pull the '
            "cable of one board alone, not a hub's.")
    raise PortError(
        'no port vanished. Pull the USB cable itself, not that of the motor supply; if you did, '
        'the board is not among the ports above: try another cable, for some carry power only.')


def _vanished(
    before: tuple[SerialDevice, ...], options: argparse.Namespace,
) -> list[SerialDevice]:
    give_up = time.monotonic() + (options.timeout if options.yes else _NOTICE_S)
    while True:
        gone = _missing(before, options)
        if gone:
            time.sleep(_SETTLE_S)
            return _missing(before, options)
        if time.monotonic() >= give_up:
            return []
        time.sleep(_POLL_S)


def _missing(
    before: tuple[SerialDevice, ...], options: argparse.Namespace,
) -> list[SerialDevice]:
    there = {device.path for device in listed(options.port)}
    return [device for device in before if device.path not in there]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='find_port', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--port', action='append', default=[], metavar='PORT',
        help='look at this port alone; may be given more than once')
    parser.add_argument(
        '--thorough', action='store_true',
        help='listen 13 s instead of 1 s: motors of ids above 20, SCS motors')
    parser.add_argument(
        '--unplug', action='store_true',
        help='name the port that vanishes when its cable is pulled')
    parser.add_argument(
        '--yes', action='store_true',
        help='with --unplug: ask for no key, watch the ports until one vanishes')
    parser.add_argument(
        '--timeout', type=seconds, default=60.0, metavar='S',
        help='with --unplug --yes: how long to watch (default: 60)')
    options = parser.parse_args(argv)
    if options.yes and not options.unplug:
        parser.error('--yes goes with --unplug; a scan asks for no key')
    return options


if __name__ == '__main__':
    sys.exit(main())
