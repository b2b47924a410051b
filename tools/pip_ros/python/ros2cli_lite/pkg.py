# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""`ros2 pkg`: list packages, their executables, prefixes and manifests."""
from __future__ import annotations

import argparse
from xml.etree import ElementTree

from ros2cli_lite.common import add_commands
from ros2cli_lite.common import Command
from ros2cli_lite.common import CommandError
from ros2cli_lite.common import run_command
from ros2cli_lite.packages import executables
from ros2cli_lite.packages import package_names
from ros2cli_lite.packages import prefix_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of `ros2 pkg`."""
    add_commands(parser, COMMANDS)


def main(args: argparse.Namespace) -> int | str | None:
    """Run one sub-command."""
    return run_command(args)


def _no_arguments(_: argparse.ArgumentParser) -> None:
    pass


def _list(_: argparse.Namespace) -> None:
    for name in package_names():
        print(name)


def _executables_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('package_name', nargs='?', help='one package instead of all')
    parser.add_argument('--full-path', action='store_true', help='show where each one is')


def _executables(args: argparse.Namespace) -> None:
    for package in [args.package_name] if args.package_name else package_names():
        for path in executables(package):
            print(path if args.full_path else f'{package} {path.name}')


def _prefix_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('package_name', help='name of the package')
    parser.add_argument('--share', action='store_true', help='show the share folder instead')


def _prefix(args: argparse.Namespace) -> None:
    prefix = prefix_of(args.package_name)
    print(prefix / 'share' / args.package_name if args.share else prefix)


def _xml_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('package_name', help='name of the package')
    parser.add_argument('-t', '--tag', help="only the text of this tag, e.g. 'version'")


def _xml(args: argparse.Namespace) -> None:
    path = prefix_of(args.package_name) / 'share' / args.package_name / 'package.xml'
    try:
        text = path.read_text()
        tags = ElementTree.fromstring(text).findall(args.tag) if args.tag else []
    except (OSError, ElementTree.ParseError) as error:
        raise CommandError(f"Manifest of '{args.package_name}' cannot be read: {error}") from error
    if args.tag and not tags:
        raise CommandError(f"XML tag '{args.tag}' not found in {path}")
    print('\n'.join(tag.text or '' for tag in tags) if args.tag else text)


COMMANDS = {
    'executables': Command('List the executables of packages', _executables_arguments,
                           _executables),
    'list': Command('List the packages', _no_arguments, _list),
    'prefix': Command('Show where a package is installed', _prefix_arguments, _prefix),
    'xml': Command('Show the manifest of a package', _xml_arguments, _xml),
}
