# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Fetch a dataset, or some episodes of it, from the Hub."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import sys

from apprentice_dataset.origin import read_origin
from apprentice_dataset.pull import pull

HELP = 'fetch a dataset, or some of its episodes, from the Hub'
_MOST = 10_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('repo_id', metavar='USER/NAME', help='the dataset on the Hub')
    parser.add_argument('--revision', metavar='NAME',
                        help='tag, branch or commit (default: v3.0, or the highest below it)')
    parser.add_argument('--root', metavar='DIR',
                        help='where it goes (default: $HF_LEROBOT_HOME/USER/NAME)')
    parser.add_argument('--episodes', type=_numbers, metavar='A:B,C',
                        help='only the files that hold these: A to B - 1, and C')
    parser.add_argument('--no-videos', dest='videos', action='store_false',
                        help='leave the mp4s out')
    parser.add_argument('--refresh', action='store_true',
                        help='ask the Hub even where everything is there')


def _numbers(text: str) -> frozenset[int]:
    return frozenset(number for part in text.split(',') for number in _part(part))


def _part(text: str) -> Iterator[int]:
    begin, colon, end = text.partition(':')
    if not begin.isdecimal() or colon and not end.isdecimal():
        raise argparse.ArgumentTypeError(f'found {text!r}, expected a number or A:B')
    low, high = int(begin), int(end) if colon else int(begin) + 1
    if not low < high <= _MOST:
        raise argparse.ArgumentTypeError(f'found {text!r}, expected A:B with A below B')
    yield from range(low, high)


def run(options: argparse.Namespace) -> int:
    """Pull and say what is there; return 0."""
    root = pull(
        options.repo_id, options.revision, options.root, episodes=options.episodes,
        videos=options.videos, refresh=options.refresh, progress=_progress)
    origin = read_origin(root)
    print(f'{root}: {f"{origin}, {origin.revision}" if origin else "it was there already"}',
          file=sys.stdout)
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f'\r{done} of {total} files', end='\n' if done == total else '', flush=True,
              file=sys.stderr)
