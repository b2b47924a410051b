# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Remove features."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.features import remove_feature
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say

HELP = 'remove features'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    parser.add_argument('--feature-names', nargs='+', required=True, metavar='NAME',
                        help='features to remove; the mp4s of a camera go with it')


def run(options: argparse.Namespace) -> int:
    """Remove them; return 0."""
    info = remove_feature(options.folder, options.feature_names, options.output, progress)
    return say(result(options), info)
