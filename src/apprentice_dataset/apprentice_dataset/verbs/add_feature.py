# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Add a feature with values from a file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from apprentice_dataset.edit.features import add_feature
from apprentice_dataset.edit.features import values_of
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say

HELP = 'add a feature with values from a file'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    parser.add_argument('--feature-name', required=True, metavar='NAME',
                        help='the name of the new feature')
    parser.add_argument('--values', required=True, type=Path, metavar='FILE',
                        help='.npy of (rows, ...), or .parquet with a column of the name')
    parser.add_argument('--dtype', help="what the values become (default: the file's own)")
    parser.add_argument('--names', nargs='+', metavar='NAME',
                        help='a name for each number of a vector')


def run(options: argparse.Namespace) -> int:
    """Add it; return 0."""
    feature, values = values_of(options.values, options.feature_name, options.dtype)
    info = add_feature(options.folder, options.feature_name,
                       replace(feature, names=options.names), values, options.output, progress)
    return say(result(options), info)
