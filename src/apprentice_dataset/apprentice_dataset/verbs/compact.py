# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Join small files to those of the format's sizes."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.episodes import compact
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import megabytes
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say

HELP = "join small files to those of the format's sizes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    for name in ('data', 'video'):
        parser.add_argument(f'--{name}-file-size-in-mb', type=megabytes, metavar='MB',
                            help=f'the size of a {name} file in MiB (default: what info.json '
                            'says)')


def run(options: argparse.Namespace) -> int:
    """Join; return 0."""
    info = compact(options.folder, options.output, options.data_file_size_in_mb,
                   options.video_file_size_in_mb, progress)
    return say(result(options), info)
