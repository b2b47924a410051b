# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make episodes visible: pages for a browser, or a file for Rerun."""

from __future__ import annotations

import argparse
from pathlib import Path
import sys

from apprentice_dataset.edit.options import numbers_of
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.plan import checked_episodes
from apprentice_dataset.errors import DatasetError
from apprentice_dataset.reader import Dataset

HELP = 'make episodes visible: pages for a browser, or a file for Rerun'
# More would be a surprise for disk and browser where nobody asked.
_FIRST = 10
_MORE = '; --episodes chooses others'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folder', metavar='DIR', help='the folder that holds meta/')
    parser.add_argument('--episodes', type=numbers_of, metavar='N,N-N',
                        help=f'numbers, and ranges such as 3-7 (default: the first {_FIRST})')
    parser.add_argument('--format', choices=('html', 'rrd'), default='html',
                        help='pages, or one file for the Rerun viewer (default: %(default)s)')
    parser.add_argument('--output', type=Path, metavar='PATH',
                        help='the folder, missing, empty or an earlier view, or the file NAME.rrd '
                        '(default: that of the dataset with _view or .rrd, in this folder)')


def run(options: argparse.Namespace) -> int:
    """Write it and say where; return 0."""
    dataset = Dataset.open(options.folder, repair=False)
    name = dataset.root.resolve().name
    if options.format == 'html':
        from apprentice_dataset.view.folder import write_pages as write
        output, opened = options.output or Path(f'{name}_view'), 'index.html'
    else:
        from apprentice_dataset.view.rrd import write_recording as write
        output, opened = options.output or Path(f'{name}.rrd'), ''
    episodes = _chosen(dataset, options.episodes)
    write(dataset, output, episodes, progress)
    print(f'{output / opened}: {len(episodes)} of {len(dataset.episodes)} episode(s)'
          f'{"" if options.episodes or len(episodes) == len(dataset.episodes) else _MORE}',
          file=sys.stdout)
    return 0


def _chosen(dataset: Dataset, wanted: list[int] | None) -> list[int]:
    if wanted is not None:
        return sorted(checked_episodes(dataset.metadata, wanted, '--episodes'))
    there = [number for number in range(len(dataset.episodes))
             if dataset.origin is None or dataset.origin.has(number)]
    if not there:
        raise DatasetError(f'{dataset.root}: found no episode, expected at least one')
    return there[:_FIRST]
