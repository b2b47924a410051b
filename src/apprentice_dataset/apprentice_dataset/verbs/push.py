# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Publish a dataset on the Hub."""

from __future__ import annotations

import argparse
import sys

from apprentice_dataset.card import Card
from apprentice_dataset.info import VERSION
from apprentice_dataset.push import push
from apprentice_dataset.verbs.card import add_card_arguments

HELP = 'publish a dataset on the Hub'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folder', metavar='DIR', help='the folder that holds meta/')
    parser.add_argument('repo_id', metavar='USER/NAME', help='the dataset on the Hub')
    parser.add_argument('--branch', help='where it goes; made where it is missing (default: main)')
    parser.add_argument('--private', action='store_true',
                        help='make a new dataset private; refuse an existing public one')
    parser.add_argument('--tag', default=VERSION,
                        help='the tag that is moved to it (default: %(default)s)')
    parser.add_argument('--no-tag', dest='tag', action='store_const', const=None,
                        help='leave tags where they are')
    parser.add_argument('--no-videos', dest='videos', action='store_false',
                        help='leave the mp4s of the Hub as they are')
    parser.add_argument('--no-check', dest='check', action='store_false',
                        help='send it even if `validate` finds something wrong')
    add_card_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Push and say what was sent; return 0."""
    done = push(
        options.folder, options.repo_id, branch=options.branch, private=options.private,
        tag=options.tag, card=Card(options.license, tuple(options.tags)),
        push_videos=options.videos, check=options.check, progress=_progress)
    print(f'{options.repo_id}: {done.sent} file(s) sent, {done.kept} there already, '
          f'{done.removed} removed; commit {done.commit[:12]}'
          f'{f", tag {options.tag}" if options.tag else ""}', file=sys.stdout)
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f'{done} of {total} files', file=sys.stderr)
