# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Make videos of cameras that are stored as images."""

from __future__ import annotations

import argparse

from apprentice_dataset.edit.anew import images_to_video
from apprentice_dataset.edit.options import add_encoder
from apprentice_dataset.edit.options import add_source
from apprentice_dataset.edit.options import encoder_settings
from apprentice_dataset.edit.options import progress
from apprentice_dataset.edit.options import result
from apprentice_dataset.edit.options import say

HELP = 'make videos of cameras that are stored as images'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    add_encoder(parser)


def run(options: argparse.Namespace) -> int:
    """Encode; return 0."""
    info = images_to_video(options.folder, encoder_settings(options), options.output, progress)
    return say(result(options), info)
