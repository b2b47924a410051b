# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Look at, check, mend and edit datasets from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from collections.abc import Sequence
from importlib import import_module
import sys
from typing import Any

_PROBLEMS, _INTERRUPTED = 1, 130

VERBS: Mapping[str, str] = {
    'info': 'say what a dataset holds',
    'validate': 'find what is wrong with it',
    'repair': 'mend what a crash left behind',
    'add-feature': 'add a feature with values from a file',
    'compact': "join small files to those of the format's sizes",
    'convert': 'convert a dataset of v2.0 or v2.1 to v3.0',
    'card': 'write README.md, the card of a dataset',
    'push': 'publish a dataset on the Hub',
    'pull': 'fetch a dataset, or some of its episodes, from the Hub',
    'tag': 'set a tag of a dataset on the Hub, or list what there is',
    'delete-episodes': 'leave out episodes',
    'images-to-video': 'make videos of cameras that are stored as images',
    'merge': 'put several datasets into one',
    'modify-tasks': 'give rows other tasks',
    'recompute-stats': 'compute statistics anew, cameras too',
    'reencode': 'encode videos anew with other settings',
    'remove-feature': 'remove features',
    'rename-feature': 'rename features',
    'split': 'share the episodes out to several datasets',
    'trim': 'take frames from the beginning and the end of episodes',
    'view': 'make episodes visible: pages for a browser, or a file for Rerun',
}
"""
Each verb with the line that `--help` shows.

`apprentice_dataset.verbs.VERB`, with underscores, is imported only when the verb is used, and
has `HELP` (the same line), `add_arguments(parser)` and `run(options) -> int`.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run a verb; return what it returns: 0 when all is well, 1 for problems.

    Wrong usage exits with 2, Ctrl-C with 130.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    verb = given[0] if given and given[0] in VERBS else None
    options = _parser(verb).parse_args(given)
    # What a verb imports may be slow or missing, so only its own error is told.
    try:
        return int(_module(options.command).run(options))
    except KeyboardInterrupt:
        print(f'dataset {options.command}: interrupted', file=sys.stderr)
        return _INTERRUPTED
    except ValueError as error:
        from apprentice_dataset.errors import DatasetError
        if not isinstance(error, DatasetError):
            raise
        print(f'dataset {options.command}: {error}', file=sys.stderr)
        return _PROBLEMS


def _module(verb: str) -> Any:
    return import_module(f'apprentice_dataset.verbs.{verb.replace("-", "_")}')


def _parser(verb: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='dataset', description=__doc__)
    verbs = parser.add_subparsers(dest='command', required=True, metavar='VERB')
    for name, text in VERBS.items():
        one = verbs.add_parser(name, help=text, description=text)
        if name == verb:
            _module(name).add_arguments(one)
    return parser
