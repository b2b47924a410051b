# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Put several datasets into one."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.merge import merge
from apprentice_dataset.edit.options import add_output
from apprentice_dataset.edit.options import add_ray
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import say
from apprentice_dataset.tasks import workers

HELP = 'put several datasets into one'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folders', nargs='+', metavar='DIR', help='folders that hold meta/')
    add_output(parser)
    add_ray(parser)


def run(options: argparse.Namespace) -> int:
    """Merge; return 0."""
    with workers(options.ray) as each:
        info = merge(options.folders, options.output, progress, each)
    return say(options.output, info)
