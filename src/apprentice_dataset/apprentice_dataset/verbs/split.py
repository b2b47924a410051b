# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Share the episodes of a dataset out to several."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from apprentice_dataset.edit.episodes import split
from apprentice_dataset.edit.options import add_output
from apprentice_dataset.edit.options import numbers_of
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import say
from apprentice_dataset.errors import DatasetError

HELP = 'share the episodes out to several datasets'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folder', metavar='DIR', help='the folder that holds meta/')
    add_output(parser)
    parser.add_argument('--splits', nargs='+', required=True, metavar='NAME=PART', type=_part,
                        help='a fraction each, such as train=0.8 val=0.2, or episodes each, such '
                        'as train=0-7 val=8,9; DIR/NAME becomes a dataset')


def _part(text: str) -> tuple[str, float | Sequence[int]]:
    name, _, value = text.partition('=')
    try:
        return (name, float(value)) if '.' in value else (name, numbers_of(value))
    except ValueError:
        raise argparse.ArgumentTypeError(f'found {text!r}, expected NAME=0.8 or NAME=0-7,9'
                                         ) from None


def run(options: argparse.Namespace) -> int:
    """Share them out; return 0."""
    names = [name for name, _ in options.splits]
    if len(set(names)) < len(names):
        raise DatasetError(f'--splits: found names {names}, expected each once')
    for name, info in split(options.folder, dict(options.splits), options.output,
                            progress).items():
        say(options.output / name, info)
    return 0
