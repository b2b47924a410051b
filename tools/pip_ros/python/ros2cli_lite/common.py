# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""What every verb of the command line shares."""
from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Mapping
import difflib
from typing import NamedTuple

Handler = Callable[[argparse.Namespace], 'int | str | None']


class CommandError(Exception):
    """Say in one line what went wrong and what to do; ends the command with exit code 1."""


class Command(NamedTuple):
    """Describe one sub-command of a verb, such as `list` of `ros2 topic`."""

    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Handler


def add_commands(parser: argparse.ArgumentParser, commands: Mapping[str, Command]) -> None:
    """Give `parser` one sub-parser for each command, and print its help when none is named."""
    parser.set_defaults(command=None, print_help=parser.print_help)
    children = parser.add_subparsers(title='Commands', metavar='<command>')
    for name in sorted(commands):
        command = commands[name]
        child = children.add_parser(name, help=command.summary, description=command.summary)
        child.set_defaults(command=command)
        command.add_arguments(child)


def run_command(args: argparse.Namespace) -> int | str | None:
    """Run the command that the parser of `add_commands` chose."""
    if args.command is None:
        args.print_help()
        return 0
    return args.command.run(args)


def suggestion(name: str, known: list[str], listing: str) -> str:
    """End an error about an unknown name with near names, else with how to list all."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.7)
    if near:
        return f'did you mean {" or ".join(near)}?'
    return f"'{listing}' shows what there is"
