# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Dispatch `ros2 <verb> ...` to the module of the verb."""
from __future__ import annotations

import argparse
from collections.abc import Sequence
import importlib
import os
import signal
import sys
from types import FrameType
from typing import NamedTuple

from ros2cli_lite.common import CommandError


class Verb(NamedTuple):
    """Name the module of a verb, which is imported only when the verb is used."""

    module: str
    summary: str


VERBS = {
    'action': Verb('ros2cli_lite.action', 'Various action related sub-commands'),
    'launch': Verb('ros2cli_lite.launch', 'Run a launch file'),
    'lifecycle': Verb('ros2cli_lite.lifecycle', 'Various lifecycle related sub-commands'),
    'node': Verb('ros2cli_lite.node', 'Various node related sub-commands'),
    'param': Verb('ros2cli_lite.param', 'Various param related sub-commands'),
    'pkg': Verb('ros2cli_lite.pkg', 'Various package related sub-commands'),
    'run': Verb('ros2cli_lite.run', 'Run a package specific executable'),
    'service': Verb('ros2cli_lite.service', 'Various service related sub-commands'),
    'topic': Verb('ros2cli_lite.topic', 'Various topic related sub-commands'),
}
INTERRUPTED = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 for an error, 2 for bad usage or Ctrl-C."""
    argv = list(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _terminate)
    sys.stdout.reconfigure(line_buffering=True)
    try:
        return _report(_dispatch(argv))
    except CommandError as error:
        return _report(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader left; the interpreter must not complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _dispatch(argv: list[str]) -> int | str | None:
    parser = argparse.ArgumentParser(
        prog='ros2', formatter_class=argparse.RawDescriptionHelpFormatter,
        description='Talk to a ROS 2 graph and start its programs.',
        epilog='verbs:\n' + ''.join(
            f'  {name:<11}{verb.summary}\n' for name, verb in VERBS.items())
        + "\n'ros2 <verb> -h' says more.")
    parser.add_argument('verb', choices=VERBS, metavar='<verb>', nargs='?')
    parser.add_argument('rest', nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv[:1])
    if chosen.verb is None:
        parser.print_help()
        return 0
    module = importlib.import_module(VERBS[chosen.verb].module)
    verb_parser = argparse.ArgumentParser(
        prog=f'ros2 {chosen.verb}', description=VERBS[chosen.verb].summary)
    module.add_arguments(verb_parser)
    return module.main(verb_parser.parse_args(argv[1:]))


def _report(result: int | str | None) -> int:
    if isinstance(result, str):
        print(result, file=sys.stderr)
        return 1
    return result or 0


def _terminate(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
