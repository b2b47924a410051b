# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Calibrate an SO arm on a terminal: `ros2 run feetech_driver calibrate`.

Homing offsets and ranges go into the servos and into LeRobot's calibration file. The arm's torque
is off meanwhile and stays off.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
import sys

from apprentice_control.calibration import CalibrationError
from apprentice_control.joint_travel import TRAVELS
from feetech_driver.calibration_plan import CONNECT_S
from feetech_driver.calibration_plan import Mode
from feetech_driver.calibration_plan import Phase
from feetech_driver.calibration_plan import Plan
from feetech_driver.calibration_plan import PlanError
from feetech_driver.calibration_plan import REPLUG_S
from feetech_driver.calibration_run import run
from feetech_driver.calibration_screen import CHOICE
from feetech_driver.calibration_screen import CHOICES
from feetech_driver.calibration_screen import differing
from feetech_driver.calibration_screen import heading
from feetech_driver.calibration_screen import RESUME
from feetech_driver.calibration_screen import RESUMES
from feetech_driver.calibration_screen import summary
from feetech_driver.calibration_terminal import Terminal
from feetech_driver.connection import Interrupted
from feetech_driver.console import seconds
from feetech_driver.errors import BusError
from feetech_driver.port import DEFAULT_BAUDRATE

_OK, _FAILED, _BAD_USAGE, _STOPPED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Calibrate, and return 0, 1 for a refusal, 2 for bad arguments or 130 when stopped."""
    arguments = _parser().parse_args(argv)
    try:
        plan = _plan(arguments)
        title = heading(plan)
    except (PlanError, CalibrationError) as error:
        print(f'calibrate: {error}', file=sys.stderr)
        return _BAD_USAGE
    with Terminal(_seconds(arguments), arguments.plain) as terminal:
        terminal.tell(title)
        try:
            return _dialogue(plan, terminal)
        except PlanError as error:
            terminal.end(f'calibrate: {error}', failed=True)
            return _BAD_USAGE


def _dialogue(plan: Plan, terminal: Terminal) -> int:
    journal = plan.journal()
    code: int | None = None
    question, modes = CHOICE, CHOICES
    if plan.mode is Mode.FRESH and terminal.asks and journal.open:
        terminal.warn(f'a calibration of this arm was interrupted ({journal.path}), so its '
                      'servos hold a part of it')
        question, modes = RESUME, RESUMES
    else:
        code = _run(plan, terminal)
    while code is None:
        mode = modes.get(terminal.choose(question, ''.join(modes)))
        if mode is None:
            return _STOPPED if terminal.stopped() else _FAILED
        plan = replace(plan, mode=mode)
        question, modes = CHOICE, CHOICES
        code = _run(plan, terminal)
    return code


def _run(plan: Plan, terminal: Terminal) -> int | None:
    """Return the exit code, None where the user is to choose what comes next."""
    try:
        outcome = run(plan, terminal)
    except Interrupted:
        terminal.end('stopped', failed=True)
        return _STOPPED
    except (BusError, CalibrationError) as error:
        terminal.end(f'calibrate: {error}', failed=True)
        return _FAILED
    except OSError as error:
        terminal.end(
            f'calibrate: {error.filename or plan.target()}: {error.strerror or error}; nothing '
            'was changed: free space or change the rights, then start again', failed=True)
        return _FAILED
    terminal.end('\n'.join(summary(plan, outcome)))
    if not outcome.different:
        return _OK
    if terminal.asks:
        return None
    terminal.end(differing(plan), failed=True)
    return _FAILED


def _plan(arguments: argparse.Namespace) -> Plan:
    arm, role = arguments.arm.split('_')
    asks = not arguments.yes
    return Plan(
        port=arguments.port, arm=arm, role=role, robot_id=arguments.id,
        calibration_file=arguments.calibration_file, folder=arguments.folder,
        baud=arguments.baud, mode=arguments.mode, joints=tuple(arguments.joints),
        accept=tuple(arguments.accept), redo=asks, connect_timeout_s=arguments.connect_timeout_s,
        replug_timeout_s=arguments.replug_timeout_s,
        check_directions=asks if arguments.directions is None else arguments.directions)


def _seconds(arguments: argparse.Namespace) -> dict[Phase, float] | None:
    if not arguments.yes:
        return None
    return {Phase.MIDDLE: arguments.middle_s, Phase.RANGE: arguments.record_s,
            **dict.fromkeys((Phase.SUPPORT, Phase.DIRECTION, Phase.ZERO), arguments.pose_s)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='calibrate', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="LeRobot's names work too: --robot.port, --robot.id, --robot.type=so101_follower, "
               'and the same with teleop.')
    add = parser.add_argument
    add('--port', '--robot.port', '--teleop.port', dest='port', required=True,
        help='path, name in /dev/serial/by-id, USB serial number or VID:PID')
    add('--id', '--robot.id', '--teleop.id', dest='id', default='',
        help="name of this arm; its file is LeRobot's file of that id")
    add('--arm', '--robot.type', '--teleop.type', dest='arm', default='so101_follower',
        choices=[f'{arm}_{role}' for arm, role in TRAVELS], help='default: so101_follower')
    add('--baud', type=int, default=DEFAULT_BAUDRATE, help=f'default: {DEFAULT_BAUDRATE}')
    add('--calibration-file', default='', metavar='FILE', help='read and write this file instead')
    add('--folder', default='', metavar='NAME',
        help="folder of an older LeRobot release, such as so101_follower (default: today's)")
    add('--joints', nargs='+', default=(), metavar='JOINT',
        help='calibrate these alone and keep the others of the file')
    add('--accept', nargs='+', default=(), metavar='JOINT',
        help='take these however far they move and whichever way they run')
    add('--directions', action=argparse.BooleanOptionalAction, default=None,
        help='ask for a pose that shows mirrored joints (default: yes, with --yes no)')
    what = parser.add_mutually_exclusive_group()
    for option, mode, text in (
            ('--compare', Mode.COMPARE, 'compare file and servos, change nothing'),
            ('--write', Mode.WRITE, 'write the file to the servos'),
            ('--from-servos', Mode.SAVE, 'write the servos to the file'),
            ('--restore', Mode.RESTORE, 'undo a calibration that was interrupted'),
            ('--verify-zero', Mode.VERIFY_ZERO, 'check that zero is the pose of the description')):
        what.add_argument(option, dest='mode', action='store_const', const=mode, help=text)
    parser.set_defaults(mode=Mode.FRESH)
    add('--yes', action='store_true', help='confirm each step when its time is over')
    for option, default, text in (
            ('--middle-s', 10.0, 'time for the middle pose'),
            ('--record-s', 45.0, 'time for the ranges'),
            ('--pose-s', 10.0, 'time for any other pose')):
        add(option, type=seconds, default=default, metavar='S',
            help=f'with --yes: {text} (default: {default:g})')
    add('--connect-timeout-s', type=seconds, default=CONNECT_S, metavar='S',
        help=f'patience with a port or motors that appear late (default: {CONNECT_S:g})')
    add('--replug-timeout-s', type=seconds, default=REPLUG_S, metavar='S',
        help=f'patience with a port that is unplugged on the way (default: {REPLUG_S:g})')
    add('--plain', action='store_true', help='print lines instead of a table that is redrawn')
    return parser


if __name__ == '__main__':
    sys.exit(main())
