# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 run`: become the executable of a package."""
from __future__ import annotations

import argparse
import os
import shlex
import sys

from ros2cli_lite.common import CommandError
from ros2cli_lite.common import suggestion
from ros2cli_lite.packages import executables
from ros2cli_lite.packages import prefix_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `ros2 run`."""
    parser.add_argument(
        '--prefix', default='', help="command to put before the executable, e.g. 'gdb -ex run "
        "--args'")
    parser.add_argument('package_name', help='name of the ROS package')
    parser.add_argument('executable_name', help='name of the executable')
    parser.add_argument(
        'argv', nargs=argparse.REMAINDER, help='arguments passed on to the executable')


def main(args: argparse.Namespace) -> int:
    """Replace this process by the executable, so that signals and its exit code are its own."""
    prefix_of(args.package_name)
    known = executables(args.package_name)
    found = [path for path in known if path.name == args.executable_name]
    if not found:
        names = sorted(path.name for path in known)
        listing = f'ros2 pkg executables {args.package_name}'
        hint = (suggestion(args.executable_name, names, listing) if names
                else 'the package has none; was it built and the workspace sourced?')
        raise CommandError(f"No executable '{args.executable_name}' in package "
                           f"'{args.package_name}': {hint}")
    if len(found) > 1:
        raise CommandError(f"Several executables '{args.executable_name}' in package "
                           f"'{args.package_name}': {', '.join(map(str, found))}")
    command = [*shlex.split(args.prefix), str(found[0]), *args.argv]
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise CommandError(f"Cannot run '{command[0]}': {error.strerror}") from error
