# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Leave out episodes."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.episodes import delete_episodes
from apprentice_dataset.edit.options import add_episodes
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import episode_numbers
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say

HELP = 'leave out episodes'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    add_episodes(parser, True, 'episodes to leave out')


def run(options: argparse.Namespace) -> int:
    """Leave them out; return 0."""
    info = delete_episodes(options.folder, episode_numbers(options) or [], options.output,
                           progress)
    return say(result(options), info)
