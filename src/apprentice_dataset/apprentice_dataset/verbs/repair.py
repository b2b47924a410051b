# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Mend what a crash left behind."""

from __future__ import annotations

import argparse
import sys

from apprentice_dataset.repair import repair

HELP = 'mend what a crash left behind'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folder', metavar='DIR', help='the folder that holds meta/')


def run(options: argparse.Namespace) -> int:
    """Repair and say what was done; return 0."""
    for sentence in repair(options.folder) or ['there was nothing to repair']:
        print(f'{options.folder}: {sentence}', file=sys.stdout)
    return 0
