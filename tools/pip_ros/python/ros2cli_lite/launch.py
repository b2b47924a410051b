# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Run a launch file: `ros2 launch`."""
from __future__ import annotations

import argparse
import difflib
from pathlib import Path
import signal
import sys

from ament_index_python.packages import get_package_share_directory
from ament_index_python.packages import get_packages_with_prefixes
from launch import LaunchContext
from launch import LaunchDescription
from launch import LaunchService
from launch._console import Level
from launch.actions import IncludeLaunchDescription
from launch.actions import OpaqueFunction
from launch.launch_description_entity import describe_tree
from launch.launch_description_sources import get_launch_description_from_python_launch_file
from launch.launch_description_sources import PythonLaunchDescriptionSource
from ros2cli_lite.common import CommandError
from ros2cli_lite.common import suggestion

SEPARATOR = ':='


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'package_name', help='name of the package that holds the launch file, or the path of a '
                             'launch file')
    parser.add_argument(
        'launch_file_name', nargs='?', help='name of the launch file in the package')
    parser.add_argument(
        'launch_arguments', nargs='*',
        help="arguments of the launch file, each '<name>:=<value>'; of two with one name the last "
             'wins')
    parser.add_argument(
        '-n', '--noninteractive', action='store_true',
        help='accepted for compatibility: no terminal is needed in any case')
    parser.add_argument(
        '-d', '--debug', action='store_true', help='show tracebacks and debug messages')
    shows = parser.add_mutually_exclusive_group()
    shows.add_argument(
        '-p', '--print', '--print-description', dest='print_description', action='store_true',
        help='print the launch description instead of running it')
    shows.add_argument(
        '-s', '--show-args', '--show-arguments', dest='show_arguments', action='store_true',
        help='print the arguments of the launch file instead of running it')
    parser.add_argument(
        '-a', '--show-all-subprocesses-output', action='store_true',
        help='show the output of all processes on the screen')


def main(args: argparse.Namespace) -> int:
    """Run the launch file, or show what is in it."""
    words = list(args.launch_arguments)
    if Path(args.package_name).is_file():
        path = Path(args.package_name)
        words = ([] if args.launch_file_name is None else [args.launch_file_name]) + words
    else:
        path = find_launch_file(args.package_name, args.launch_file_name)
    given = parse_launch_arguments(words)
    if args.show_arguments or args.print_description:
        description = get_launch_description_from_python_launch_file(path)
        lines = describe_arguments(description) if args.show_arguments else describe_tree(
            description)
        sys.stdout.write('\n'.join(lines) + '\n')
        return 0
    return run_launch_file(path, given, args)


def run_launch_file(path: Path, given: dict[str, str], args: argparse.Namespace) -> int:
    """Run the launch file until it ends or is interrupted; return the exit code."""
    service = LaunchService(
        argv=[f'{name}{SEPARATOR}{value}' for name, value in given.items()],
        noninteractive=args.noninteractive, debug=args.debug)
    service.console.open_log()
    if args.show_all_subprocesses_output:
        service.context.environment['OVERRIDE_LAUNCH_PROCESS_OUTPUT'] = 'both'
    service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(path.absolute())), launch_arguments=given.items()),
        OpaqueFunction(function=warn_of_unknown, args=[given])]))
    try:
        return service.run()
    finally:
        # All has ended; a second Ctrl-C must not turn the exit code into a failure.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def warn_of_unknown(context: LaunchContext, given: dict[str, str]) -> None:
    """Point out arguments that no launch file has declared or read: most are misspelled."""
    known = sorted(context.known_configurations)
    for name in sorted(given.keys() - context.known_configurations):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(known) or 'none'}"
        context.supervisor.console.log(
            Level.WARNING, 'launch', f"argument '{name}' is not used by any launch file; {hint}")


def find_launch_file(package: str, name: str | None) -> Path:
    """Return the path of a package's launch file."""
    known = sorted(get_packages_with_prefixes())
    if package not in known:
        if '/' in package or package.endswith('.py'):
            raise CommandError(f"launch file '{package}' does not exist")
        raise CommandError(
            f"package '{package}' not found; {suggestion(package, known, 'ros2 pkg list')}")
    share = Path(get_package_share_directory(package))
    files = sorted(share.rglob('*.launch.py'))
    names = ', '.join(file.name for file in files) or 'none'
    if name is None:
        raise CommandError(
            f"which launch file of package '{package}'? It has: {names}")
    # Folders that only hold links to the same file count once.
    found = sorted({file.resolve(): file for file in share.rglob(name)}.values())
    if not found:
        raise CommandError(
            f"file '{name}' was not found in the share directory of package '{package}' which "
            f'is at {share}; its launch files: {names}')
    if len(found) > 1:
        places = ', '.join(str(file) for file in found)
        raise CommandError(
            f"file '{name}' was found more than once in package '{package}', give the path of "
            f'one: {places}')
    return found[0]


def parse_launch_arguments(words: list[str]) -> dict[str, str]:
    """Parse '<name>:=<value>' words; of two with one name the last wins."""
    given = {}
    for word in words:
        name, separator, value = word.partition(SEPARATOR)
        if not (name and separator and value):
            raise CommandError(
                f"malformed launch argument '{word}', expected format '<name>:=<value>'")
        given.pop(name, None)
        given[name] = value
    return given


def describe_arguments(description: LaunchDescription) -> list[str]:
    """Return the lines that list a launch description's arguments."""
    arguments = description.get_launch_arguments()
    lines = [f"Arguments (pass arguments as '<name>{SEPARATOR}<value>'):"]
    if not arguments:
        lines += ['', '  No arguments.']
    for argument in arguments:
        lines += ['', f"    '{argument.name}':", f'        {argument.description}']
        if argument.default_value is not None:
            parts = ' + '.join(part.describe() for part in argument.default_value)
            lines.append(f'        (default: {parts})')
    return lines
