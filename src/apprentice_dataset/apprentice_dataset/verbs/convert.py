# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Convert a dataset of v2.0 or v2.1 to v3.0."""

from __future__ import annotations

import argparse
import sys

from apprentice_dataset.edit.options import add_ray
from apprentice_dataset.tasks import workers
from apprentice_dataset.v2.convert import convert
from apprentice_dataset.v2.convert import ConvertSettings

HELP = 'convert a dataset of v2.0 or v2.1 to v3.0'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folder', metavar='DIR', help='the folder that holds meta/')
    parser.add_argument('--output', required=True, metavar='DIR',
                        help='where the new dataset goes; missing or empty')
    for name, default in (('data', 100), ('video', 200)):
        parser.add_argument(f'--{name}-file-size-in-mb', type=_size, default=default, metavar='MB',
                            help=f'the size of a {name} file in MiB (default: {default})')
    parser.add_argument('--renumber', action='store_true',
                        help='count index, frame_index, episode_index and timestamp anew where '
                        'they contradict the order of the rows, instead of refusing them')
    add_ray(parser)


def _size(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError('a whole number from 1')
    return value


def run(options: argparse.Namespace) -> int:
    """Convert and say what came out; return 0."""
    settings = ConvertSettings(options.data_file_size_in_mb, options.video_file_size_in_mb,
                               options.renumber)
    with workers(options.ray) as each:
        info = convert(options.folder, options.output, settings, _progress, each)
    print(f'{options.output}: {info.total_episodes} episode(s), {info.total_frames} row(s), '
          f'{info.codebase_version}', file=sys.stdout)
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f'\r{done} of {total} episodes', end='\n' if done == total else '', flush=True,
              file=sys.stderr)
