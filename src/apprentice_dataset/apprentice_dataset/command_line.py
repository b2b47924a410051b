# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Look at, check and mend datasets from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import sys

from apprentice_dataset.errors import DatasetError
from apprentice_dataset.reader import Dataset
from apprentice_dataset.repair import repair
from apprentice_dataset.validate import validate

_OK, _PROBLEMS = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0 when all is well, 1 for problems. Wrong usage exits with 2."""
    options = _parser().parse_args(arguments)
    try:
        return {'info': _info, 'validate': _validate, 'repair': _repair}[options.command](options)
    except DatasetError as error:
        print(f'dataset {options.command}: {error}', file=sys.stderr)
        return _PROBLEMS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='dataset', description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True)
    for name, help_text in (('info', 'say what a dataset holds'),
                            ('validate', 'find what is wrong with it'),
                            ('repair', 'mend what a crash left behind')):
        command = commands.add_parser(name, help=help_text, description=help_text)
        command.add_argument('folder', metavar='DIR', help='the folder that holds meta/')
        if name == 'validate':
            command.add_argument('--deep', action='store_true',
                                 help='read every row and decode every frame')
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stdout)


def _info(options: argparse.Namespace) -> int:
    dataset = Dataset.open(options.folder, repair=False)
    info = dataset.info
    _say(f'{dataset.root}: {info.total_episodes} episode(s), {info.total_frames} row(s) at '
         f'{info.fps}/s, robot {info.robot_type}')
    for name, feature in info.features.items():
        codec = f' {(feature.info or {}).get("video.codec", "")}' if feature.is_video else ''
        _say(f'  {name}: {feature.dtype} {list(feature.shape)}{codec}')
    for number, task in enumerate(dataset.tasks):
        _say(f'  task {number}: {task}')
    return _OK


def _validate(options: argparse.Namespace) -> int:
    problems = validate(options.folder, deep=options.deep)
    for problem in problems:
        _say(str(problem))
    how = 'every row and frame read' if options.deep else 'metadata, footers and boxes read'
    _say(f'{options.folder}: {len(problems)} problem(s); {how}')
    return _PROBLEMS if problems else _OK


def _repair(options: argparse.Namespace) -> int:
    done = repair(options.folder)
    for sentence in done or ['there was nothing to repair']:
        _say(f'{options.folder}: {sentence}')
    return _OK
