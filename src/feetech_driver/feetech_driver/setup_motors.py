# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Give the six motors of an SO arm their ids and baud rate, one at a time, gripper first.

A motor may come in any state: any id, any baud rate. Interrupted, the same command goes on where
it stopped. Exit code 0: done; 1: not done, the reason is told; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Sequence
import itertools
import sys
import time

from feetech_driver.console import say
from feetech_driver.console import seconds
from feetech_driver.devices import stable_name
from feetech_driver.errors import BusError
from feetech_driver.motors import BusInfo
from feetech_driver.setup_arms import ArmKind
from feetech_driver.setup_arms import ARMS
from feetech_driver.setup_arms import JOINTS
from feetech_driver.setup_motor import SetupError
from feetech_driver.setup_progress import Progress
from feetech_driver.setup_progress import progress_path
from feetech_driver.setup_run import check
from feetech_driver.setup_run import complete
from feetech_driver.setup_run import set_up

_INTERRUPTED = 130
_PAUSE_S = 0.2
# Listening to rare ids takes long, and meanwhile a motor that is plugged in waits.
_THOROUGH_TURN = 4
_CHAIN = 'Connect all six motors in their chain, board to shoulder_pan first.'


class _InputEnded(Exception):
    """Standard input has ended while somebody was asked to press Enter."""


class Dialogue:
    """Ask somebody at the keyboard to press Enter before every step."""

    def say(self, text: str) -> None:
        """Print a line."""
        say(text)

    def until_done(self, prompt: str, attempt: Callable[[bool], None]) -> None:
        """Ask and try, and again after each failure; it ends by success or Ctrl-C alone."""
        self.say(prompt)
        question = 'Then press Enter: '
        while True:
            try:
                input(question)
            except EOFError:
                raise _InputEnded from None
            try:
                return attempt(True)
            except BusError as error:
                self.say(f'  {error}')
            question = 'Press Enter to try again, Ctrl-C to stop: '


class Watch(Dialogue):
    """Ask for no key: try again and again until it works or patience ends."""

    def __init__(self, patience_s: float) -> None:
        """Wait so long for each step."""
        self._patience_s = patience_s

    def until_done(self, prompt: str, attempt: Callable[[bool], None]) -> None:
        """Try until it works; raises the last BusError when patience is over."""
        self.say(prompt)
        told = ''
        give_up = time.monotonic() + self._patience_s
        for turn in itertools.count(1):
            try:
                return attempt(turn % _THOROUGH_TURN == 0)
            except BusError as error:
                if time.monotonic() >= give_up:
                    raise
                if str(error) != told:
                    told = str(error)
                    self.say(f'  waiting: {told}')
            time.sleep(_PAUSE_S)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _arguments(argv)
    arm = ARMS[options.arm].of_12v() if options.accept_12v else ARMS[options.arm]
    front = Watch(options.timeout) if options.yes else Dialogue()
    try:
        if options.check:
            _report(front, check(arm, options.port))
        else:
            _set_up(arm, options, front)
    except BusError as error:
        say(f'setup_motors: {error}', sys.stderr)
        return 1
    except _InputEnded:
        say('\nsetup_motors: standard input has ended; without a keyboard use --yes', sys.stderr)
        return 2
    except KeyboardInterrupt:
        say('\nsetup_motors: stopped; the same command goes on with the motor it stopped at',
            sys.stderr)
        return _INTERRUPTED
    return 0


def _set_up(arm: ArmKind, options: argparse.Namespace, front: Dialogue) -> None:
    # Under this name the port comes back after it was unplugged, whatever its number then.
    port = stable_name(options.port)
    progress = Progress(progress_path(arm.name, port), front.say)
    if options.restart:
        progress.clear()
    front.say(f'{arm.name} on {port}')
    info = None if options.joint else complete(arm, port)
    if info is None:
        try:
            set_up(arm, port, front, progress, tuple(options.joint))
        except BusError as error:
            raise SetupError(f'{error}\n{progress.summary()}') from error
    if info is None and len(progress.done) < len(JOINTS):
        missing = [joint for joint in JOINTS if joint not in progress.done]
        front.say(f'\nDone. Not set up with this tool yet: {", ".join(missing)}.')
        return
    progress.clear()
    if info is not None:
        front.say('All six motors are set up; nothing was written.')
        _report(front, info)
        return
    front.say('\nAll six motors are set up.')
    if options.yes:
        front.say(f'{_CHAIN} Then check it with --check.')
        return
    front.until_done(_CHAIN, lambda _thorough: _report(front, check(arm, port)))


def _report(front: Dialogue, info: BusInfo) -> None:
    for joint, motor in info.motors.items():
        volts = '' if motor.voltage is None else f', {motor.voltage:.1f} V'
        front.say(
            f'  id {motor.id} {joint}: {motor.model}, firmware '
            f'{motor.firmware[0]}.{motor.firmware[1]}{volts}')
    for warning in info.warnings:
        front.say(f'  warning: {warning}')
    front.say('The chain is complete.')


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='setup_motors', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--arm', choices=ARMS, required=True, help='which arm')
    parser.add_argument(
        '--port', default='', metavar='PORT',
        help='path, name in /dev/serial/by-id, USB serial number or VID:PID; find_port lists them')
    parser.add_argument(
        '--joint', choices=JOINTS, action='append', default=[], metavar='JOINT',
        help=f'set up this joint alone, whatever id its motor has: {", ".join(JOINTS)}')
    parser.add_argument(
        '--check', action='store_true',
        help='write nothing: check ids, models, firmware, supply and cables of the whole chain')
    parser.add_argument(
        '--accept-12v', action='store_true',
        help='the motors of this leader are the 12 V build: take a supply of up to 13 V')
    parser.add_argument(
        '--yes', action='store_true',
        help='ask for no key: watch the port and set up each motor as it appears')
    parser.add_argument(
        '--timeout', type=seconds, default=60.0, metavar='S',
        help='with --yes: how long to wait for each motor (default: 60)')
    parser.add_argument(
        '--restart', action='store_true', help='forget what an interrupted run had done')
    options = parser.parse_args(argv)
    if options.check and (options.joint or options.restart):
        parser.error('--check writes nothing: leave --joint and --restart out')
    return options


if __name__ == '__main__':
    sys.exit(main())
