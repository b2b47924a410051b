# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Set the version tag of a dataset on the Hub, or list its revisions."""

from __future__ import annotations

import argparse
import sys

from apprentice_dataset.hub import check_repo_id
from apprentice_dataset.hub import client
from apprentice_dataset.hub import revisions
from apprentice_dataset.hub import tag

HELP = 'set a tag of a dataset on the Hub, or list what there is'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('repo_id', metavar='USER/NAME', help='the dataset on the Hub')
    parser.add_argument('tag', nargs='?', metavar='TAG',
                        help='the tag to set, such as v3.0; without it they are listed')
    parser.add_argument('--revision', default='main', metavar='NAME',
                        help='the branch, tag or commit that it is to stand for '
                        '(default: %(default)s)')


def run(options: argparse.Namespace) -> int:
    """Set the tag, or list; return 0."""
    if options.tag:
        done = tag(options.repo_id, options.tag, options.revision)
        print(f'{options.repo_id}: {done.name} is {done.commit}', file=sys.stdout)
        return 0
    check_repo_id(options.repo_id)
    for name, commit in sorted(revisions(client(), options.repo_id).items()):
        print(f'{name} {commit}', file=sys.stdout)
    return 0
