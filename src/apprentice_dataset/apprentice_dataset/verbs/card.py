# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Write the card of a dataset."""

from __future__ import annotations

import argparse
import sys

from apprentice_dataset.card import Card
from apprentice_dataset.card import LICENSE
from apprentice_dataset.card import write_card

HELP = 'write README.md, the card of a dataset'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folder', metavar='DIR', help='the folder that holds meta/')
    parser.add_argument('--repo-id', metavar='USER/NAME',
                        help='its name on the Hub, for the title (default: that of the folder)')
    add_card_arguments(parser)


def add_card_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what a card says beside what the dataset says; `push` takes the same."""
    parser.add_argument('--license', metavar='ID',
                        help=f'as the Hub names it (default: what stands there, else {LICENSE})')
    parser.add_argument('--tags', nargs='+', default=(), metavar='WORD',
                        help='what it is found by, beside LeRobot')


def run(options: argparse.Namespace) -> int:
    """Write it and say where; return 0."""
    path = write_card(
        options.folder, Card(options.license, tuple(options.tags), options.repo_id))
    print(f'{path}: written', file=sys.stdout)
    return 0
