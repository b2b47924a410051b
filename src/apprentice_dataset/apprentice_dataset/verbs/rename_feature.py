# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Rename features."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.features import rename_feature
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say
from apprentice_dataset.errors import DatasetError

HELP = 'rename features'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    parser.add_argument('--names', nargs='+', required=True, metavar='OLD=NEW', type=_pair,
                        help='the old name and the new one')


def _pair(text: str) -> tuple[str, str]:
    old, equal, new = text.partition('=')
    if not (old and equal and new):
        raise argparse.ArgumentTypeError(f'found {text!r}, expected OLD=NEW')
    return old, new


def run(options: argparse.Namespace) -> int:
    """Rename them; return 0."""
    names = dict(options.names)
    if len(names) < len(options.names):
        raise DatasetError('--names: found a feature twice, expected each once')
    return say(result(options), rename_feature(options.folder, names, options.output, progress))
