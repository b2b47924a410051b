# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Put several datasets into one."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.merge import merge
from apprentice_dataset.edit.options import add_output
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import say

HELP = 'put several datasets into one'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folders', nargs='+', metavar='DIR', help='folders that hold meta/')
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Merge; return 0."""
    return say(options.output, merge(options.folders, options.output, progress))
