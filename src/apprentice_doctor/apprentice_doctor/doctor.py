# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Say what is wrong with arms, cameras, machine and network, and what cures it.

It reads only: nothing moves, and nothing is written to a motor.
Exit code 0: no error; 1: warnings and --strict; 2: errors, or wrong
arguments; 130: interrupted.
"""
from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import math
import os
from pathlib import Path
import signal
import sys

from ament_index_python.packages import get_package_share_directory
from ament_index_python.packages import get_packages_with_prefixes
from ament_index_python.packages import PackageNotFoundError
from apprentice_doctor import bus
from apprentice_doctor import calibration
from apprentice_doctor import cameras
from apprentice_doctor import clocks
from apprentice_doctor import dds
from apprentice_doctor import graph
from apprentice_doctor import machine
from apprentice_doctor import ports
from apprentice_doctor import report
from apprentice_doctor.clock_echo import TOKEN
from apprentice_doctor.finding import Finding
from apprentice_doctor.finding import Level
from apprentice_doctor.robot import HardwareFileError
from apprentice_doctor.robot import Question
from apprentice_doctor.robot import read_robot
from apprentice_doctor.robot import Robot

CHECKS: dict[str, Callable[[Question], Iterator[Finding]]] = {
    'ports': ports.check, 'bus': bus.check, 'calibration': calibration.check,
    'cameras': cameras.check, 'machine': machine.check, 'dds': dds.check,
    'clocks': clocks.check, 'graph': graph.check,
}
# What says nothing where the hardware file does not.
_OF_HARDWARE = ('ports', 'bus', 'calibration', 'cameras')
_BRINGUP = '_bringup'
_ERASE = '\r\033[K'
_INTERRUPTED = 130
_LONGEST_S = 3600.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _arguments(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results: dict[str, list[Finding]] = {}
    try:
        _examine(options, results)
    except KeyboardInterrupt:
        if _on_terminal(options):
            _say(_ERASE)
        sys.stderr.write('doctor: interrupted; what is not shown was not looked at\n')
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has enough; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _INTERRUPTED
    worst = max((item.level for found in results.values() for item in found), default=Level.OK)
    if worst is Level.WARN:
        return 1 if options.strict else 0
    return 2 if worst is Level.ERROR else 0


def _examine(options: argparse.Namespace, results: dict[str, list[Finding]]) -> None:
    table = not options.json
    shows_progress = _on_terminal(options)
    if table:
        _say('doctor reads only: nothing moves, nothing is written to a motor.\n')
    robot, trouble = _robot(options)
    if trouble is not None:
        results['hardware'] = [trouble]
        if table:
            _say(report.section('hardware', [trouble], _colour()) + '\n')
    elif table:
        _say(f'hardware file {robot.path.resolve()}\n\n')
    question = Question(
        robot, options.seconds, options.folder, tuple(options.host), os.environ.get(TOKEN, ''))
    for name in options.only or CHECKS:
        if trouble is not None and name in _OF_HARDWARE:
            continue
        if shows_progress:
            _say(f'{name} ...')
        results[name] = _run(name, question)
        if table:
            _say((_ERASE if shows_progress else '')
                 + report.section(name, results[name], _colour()) + '\n')
    _say(report.summary(results) if table else report.as_json(results))


def _run(name: str, question: Question) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(CHECKS[name](question))
    except Exception as error:  # one check that fails must not hide the others
        found.append(Finding(
            Level.ERROR, 'check-failed', f'the check {name} could not be done',
            found=f'{type(error).__name__}: {error}', expected='a result',
            cure='the text under found may tell; else report it with the output of ./ws info'))
    return found


def _robot(options: argparse.Namespace) -> tuple[Robot, Finding | None]:
    path = options.hardware
    try:
        if path is None:
            share = get_package_share_directory(f'{options.robot}{_BRINGUP}')
            path = Path(share, 'config', 'hardware.yaml')
        return read_robot(path, options.robot), None
    except HardwareFileError as error:
        return Robot(path), Finding(
            Level.ERROR, 'hardware-file', 'the hardware file cannot be used: arms and cameras '
            'are not looked at', str(path), str(error).removeprefix(f'{path}: '),
            'a hardware file, version 1',
            'mend it (config/so100/hardware.yaml shows how), or give another with --hardware')
    except (PackageNotFoundError, ValueError):
        return Robot(Path('-')), _unknown(options.robot)


def _unknown(robot: str) -> Finding:
    known = sorted(name.removesuffix(_BRINGUP) for name in get_packages_with_prefixes()
                   if name.endswith(_BRINGUP))
    return Finding(
        Level.ERROR, 'hardware-file', 'no such robot: arms and cameras are not looked at',
        f'--robot {robot}', f'no package {robot}{_BRINGUP}', ' or '.join(known),
        'name one of these, or give its file with --hardware')


def _on_terminal(options: argparse.Namespace) -> bool:
    return not options.json and sys.stdout.isatty()


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get('NO_COLOR')


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value <= _LONGEST_S:
        raise argparse.ArgumentTypeError(
            f'found {text}, expected seconds above 0, at most {_LONGEST_S:g}')
    return value


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(
            f'found {text}, expected a folder that is there: make it, or give another')
    return path


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='doctor', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--robot', default='so100', metavar='NAME',
        help='robot whose hardware file is read (default: so100)')
    add('--hardware', type=Path, metavar='FILE', help='read this hardware file instead')
    add('--only', action='append', choices=tuple(CHECKS), metavar='CHECK',
        help=f'this check alone, may be repeated: {", ".join(CHECKS)}')
    add('--seconds', type=_seconds, default=3.0, metavar='S',
        help='how long to watch each bus and the graph (default: 3)')
    add('--folder', type=_folder, default=Path('.'), metavar='DIR',
        help='folder that datasets go to (default: here)')
    add('--host', action='append', default=[], metavar='HOST[:PORT]',
        help='compare clocks with this host, where clock_echo runs')
    add('--json', action='store_true', help='print JSON instead of the table')
    add('--strict', action='store_true', help='exit with 1 where there are warnings')
    return parser.parse_args(argv)


if __name__ == '__main__':
    sys.exit(main())
