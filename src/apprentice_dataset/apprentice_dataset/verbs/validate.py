# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Find what is wrong with a dataset."""

from __future__ import annotations

import argparse
from pathlib import Path
import sys

from apprentice_dataset.edit.options import add_ray
from apprentice_dataset.origin import read_origin
from apprentice_dataset.tasks import workers
from apprentice_dataset.validate import validate

HELP = 'find what is wrong with it'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folder', metavar='DIR', help='the folder that holds meta/')
    parser.add_argument('--deep', action='store_true',
                        help='decode every frame and picture too')
    add_ray(parser)


def run(options: argparse.Namespace) -> int:
    """Print every problem; return 1 when there is one, else 0."""
    with workers(options.ray) as each:
        problems = validate(options.folder, options.deep, each=each, progress=_progress)
    for problem in problems:
        print(problem, file=sys.stdout)
    origin = read_origin(Path(options.folder))
    if origin and not origin.is_whole:
        print(f'{options.folder}: a copy of {origin}', file=sys.stdout)
    how = 'and frames decoded' if options.deep else 'and times of frames read'
    print(f'{options.folder}: {len(problems)} problem(s); metadata, rows {how}', file=sys.stdout)
    return 1 if problems else 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f'\r{done} of {total} files', end='\n' if done == total else '', flush=True,
              file=sys.stderr)
