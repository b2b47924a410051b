# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The commands `migrate`, `push` and `pull`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Sequence
import sys

from apprentice_policies.errors import PolicyError


def migrate(arguments: Sequence[str] | None = None) -> int:
    """Bring an old checkpoint up to date."""
    parser = argparse.ArgumentParser('migrate', description=(
        'Bring a checkpoint up to date that was saved before processors had files.'))
    parser.add_argument('IN', help='folder of the old checkpoint, which stays as it is')
    parser.add_argument('OUT', help='folder for the new one')
    options = parser.parse_args(arguments)

    def run() -> str:
        from apprentice_policies.migrate import migrate
        found = migrate(options.IN, options.OUT)
        return f'{options.OUT}: written; it held statistics of {", ".join(found)}'
    return _said(run)


def push(arguments: Sequence[str] | None = None) -> int:
    """Publish a checkpoint on the Hub."""
    parser = argparse.ArgumentParser('push', description=(
        'Publish a checkpoint with a model card on the Hub; HF_TOKEN holds the token.'))
    parser.add_argument('FOLDER', help='checkpoint or training run')
    parser.add_argument('REPO', help='USER/NAME')
    parser.add_argument('--private', action='store_true', help='make a new repository private')
    parser.add_argument('--branch', default='main')
    parser.add_argument('--tag', help='a name for this commit')
    options = parser.parse_args(arguments)

    def run() -> str:
        from apprentice_policies.hub import push
        done = push(options.FOLDER, options.REPO, branch=options.branch, tag=options.tag,
                    private=options.private or None)
        return (f'{options.REPO} at {done.commit}: {len(done.sent)} file(s) sent, '
                f'{len(done.kept)} there already')
    return _said(run)


def pull(arguments: Sequence[str] | None = None) -> int:
    """Fetch a checkpoint from the Hub."""
    parser = argparse.ArgumentParser('pull', description=(
        'Fetch a checkpoint from the Hub; HF_TOKEN holds the token of a private one.'))
    parser.add_argument('REPO', help='USER/NAME')
    parser.add_argument('FOLDER', help='where it is to lie; replaced as a whole')
    parser.add_argument('--revision', help='branch, tag or commit')
    options = parser.parse_args(arguments)

    def run() -> str:
        from apprentice_policies.hub import pull
        return str(pull(options.REPO, options.FOLDER, revision=options.revision))
    return _said(run)


def _said(run: Callable[[], str]) -> int:
    try:
        sys.stdout.write(f'{run()}\n')
    except PolicyError as error:
        sys.stderr.write(f'{error}\n')
        return 1
    return 0
