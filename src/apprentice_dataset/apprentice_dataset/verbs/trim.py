# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Take frames from the beginning and the end of episodes."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.episodes import trim
from apprentice_dataset.edit.options import add_episodes
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import episode_numbers
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say

HELP = 'take frames from the beginning and the end of episodes'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    parser.add_argument('--begin', type=int, default=0, metavar='FRAMES',
                        help='how many to take at the beginning (default: 0)')
    parser.add_argument('--end', type=int, default=0, metavar='FRAMES',
                        help='how many to take at the end (default: 0)')
    add_episodes(parser, False, 'episodes to trim (default: all)')


def run(options: argparse.Namespace) -> int:
    """Trim; return 0."""
    info = trim(options.folder, options.begin, options.end, options.output,
                episode_numbers(options), progress)
    return say(result(options), info)
