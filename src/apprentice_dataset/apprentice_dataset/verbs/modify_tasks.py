# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Give rows other tasks."""

from __future__ import annotations

import argparse
import json

from apprentice_dataset.edit.features import modify_tasks
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say

HELP = 'give rows other tasks'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    parser.add_argument('--new-task', metavar='TEXT',
                        help='for every row that the other options do not name')
    parser.add_argument('--episode-tasks', type=_numbered, metavar='JSON',
                        help="for whole episodes, such as '{\"5\": \"stack the cube\"}'")
    parser.add_argument('--task-replacements', type=_texts, metavar='JSON',
                        help="new texts by old ones, such as '{\"pick\": \"pick the cube\"}'")


def _texts(text: str) -> dict[str, str]:
    value = json.loads(text)
    if not isinstance(value, dict) or not all(isinstance(one, str) and one
                                              for one in value.values()):
        raise ValueError(text)
    return value


def _numbered(text: str) -> dict[int, str]:
    return {int(number): task for number, task in _texts(text).items()}


def run(options: argparse.Namespace) -> int:
    """Change them; return 0."""
    info = modify_tasks(options.folder, options.output, options.new_task, options.episode_tasks,
                        options.task_replacements, progress)
    return say(result(options), info)
