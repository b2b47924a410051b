# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Encode videos anew with other settings."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.anew import reencode
from apprentice_dataset.edit.options import add_encoder
from apprentice_dataset.edit.options import add_ray
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import encoder_settings
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say
from apprentice_dataset.tasks import workers

HELP = 'encode videos anew with other settings'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    add_encoder(parser)
    add_ray(parser)


def run(options: argparse.Namespace) -> int:
    """Encode; return 0."""
    with workers(options.ray) as each:
        info = reencode(options.folder, encoder_settings(options), options.output, progress, each)
    return say(result(options), info)
