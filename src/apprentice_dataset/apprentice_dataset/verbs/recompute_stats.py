# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Compute statistics anew."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.anew import recompute_stats
from apprentice_dataset.edit.options import add_ray
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say
from apprentice_dataset.tasks import workers

HELP = 'compute statistics anew, cameras too'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    parser.add_argument('--skip-image-video', action='store_true',
                        help='leave the statistics of cameras as they are')
    add_ray(parser)


def run(options: argparse.Namespace) -> int:
    """Compute them; return 0."""
    with workers(options.ray) as each:
        info = recompute_stats(options.folder, options.output, options.skip_image_video,
                               progress, each)
    return say(result(options), info)
