# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Command line of `ws`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from collections.abc import Sequence
import os
import sys
from typing import NoReturn

from workspace import build
from workspace import doctor
from workspace import environment
from workspace import info
from workspace import install
from workspace import reference
from workspace import system
from workspace.console import step
from workspace.console import WorkspaceError
from workspace.paths import ROOT


def _setup(args: argparse.Namespace) -> int:
    environment.prepare()
    if args.learn:
        environment.add('learn')
    return 0


def _build(args: argparse.Namespace) -> int:
    build.build(environment.prepare(), args.packages)
    return 0


def _test(args: argparse.Namespace) -> int:
    env = build.build(environment.prepare(), [])
    environment.add('learn')
    system.install_for_tests()
    return reference.test(env) if args.reference else build.test(env, args.packages)


def _shell(args: argparse.Namespace) -> int:
    env = build.build(environment.prepare(), [], only_if_missing=True)
    command = args.command[1:] if args.command[:1] == ['--'] else args.command
    if not command:
        step('A shell with the workspace sourced; leave it with exit. '
             'Try: ros2 launch so100_bringup teleop.launch.py')
        command = environment.interactive_shell()
    return _become(command, env)


def _demo(args: argparse.Namespace) -> int:
    env = build.build(environment.prepare(), [])
    if not {'--no-learn', '--help', '-h'} & set(args.arguments):
        environment.add('learn')
    return _become(
        ['python', str(ROOT / 'tools' / 'workspace' / 'demo.py'), *args.arguments], env)


def _doctor(args: argparse.Namespace) -> int:
    env = build.build(environment.prepare(), [], only_if_missing=True)
    return _become(doctor.command(args.arguments), env)


def _become(command: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    # A parent that waits would kill it a quarter of a second after Ctrl-C, in mid-release.
    sys.stdout.flush()
    try:
        os.execvpe(command[0], list(command), dict(env))
    except FileNotFoundError:
        raise WorkspaceError(f'{command[0]}: no such command in the environment') from None


def _info(args: argparse.Namespace) -> int:
    return info.show(environment.current())


def _clean(args: argparse.Namespace) -> int:
    build.clean(everything=args.all)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='ws', description='Set up, build, test and run the apprentice workspace.',
        epilog='First time here? ./ws demo sets everything up and shows the arm at work.')
    commands = parser.add_subparsers(dest='name', required=True, metavar='COMMAND')

    def add(name: str, run: object, text: str, helps: bool = True) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, add_help=helps)
        command.set_defaults(run=run)
        return command

    add('demo', _demo, 'bring an SO-100 up in simulation, do 3 episodes, let '
        'a policy learn the task '
        '(options: --episodes N --seed N --out DIR --no-learn)')
    tests = add('test', _test, 'build, run colcon test and the tests in tests/')
    tests.add_argument('packages', nargs='*',
                       help='only these packages (default: all, and tests/)')
    tests.add_argument('--reference', action='store_true',
                       help='exchange datasets with lerobot instead, which is installed once '
                       'outside the tree')
    add('shell', _shell, 'open the sourced environment, or run one command in it').add_argument(
        'command', nargs=argparse.REMAINDER, help='-- COMMAND ARGUMENTS')
    add('build', _build, 'set up if needed and run colcon build').add_argument(
        'packages', nargs='*', help='only these packages and what they need')
    add('setup', _setup, 'install what is missing, build nothing').add_argument(
        '--learn', action='store_true', help=f'also what training needs: {install.LATER["learn"]}')
    add('doctor', _doctor, 'find what is wrong with arms, cameras, machine and network, and the '
        'cure (./ws doctor --help tells its options; docs/doctor.md)', helps=False)
    add('info', _info, 'print versions, ports, cameras, codecs: what a bug report needs')
    add('clean', _clean, 'remove build/, install/, log/ and demo/').add_argument(
        '--all', action='store_true', help='also remove .venv/')
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run one command of `ws`; return its exit status (1 on an error that has been explained)."""
    parser = _parser()
    args, rest = parser.parse_known_args(arguments)
    if args.name in ('demo', 'doctor'):
        args.arguments = rest  # these read their own options: only they may import ROS
    elif rest:
        parser.error(f'unrecognized arguments: {" ".join(rest)}')
    try:
        return args.run(args)
    except WorkspaceError as error:
        print(f'ws: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
