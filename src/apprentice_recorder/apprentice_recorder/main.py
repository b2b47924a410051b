# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Entry points; the nodes are imported late, so that a signal during the import is harmless."""
from __future__ import annotations

import argparse
from pathlib import Path
import sys

from apprentice_node.signals import exit_quietly_until_run


def recorder() -> int:
    """Run the recorder node."""
    exit_quietly_until_run()
    from apprentice_node.runner import run
    from apprentice_recorder.recorder_node import RecorderNode
    return run(RecorderNode)


def console() -> int:
    """Run the keyboard console."""
    exit_quietly_until_run()
    from apprentice_recorder.console import run
    return run()


def report() -> int:
    """Print the report of a dataset's episodes."""
    from apprentice_dataset.errors import DatasetError
    from apprentice_dataset.reader import Dataset
    from apprentice_recorder.report import to_text
    parser = argparse.ArgumentParser(prog='report', description=report.__doc__)
    parser.add_argument('dataset', type=Path, help='folder of the dataset')
    parser.add_argument('--episode', type=int, help='this one only')
    options = parser.parse_args()
    try:
        dataset = Dataset.open(options.dataset)
    except (DatasetError, OSError) as error:
        sys.stderr.write(f'report: {error}\n')
        return 1
    chosen = range(len(dataset.episodes)) if options.episode is None else [options.episode]
    if options.episode is not None and not 0 <= options.episode < len(dataset.episodes):
        sys.stderr.write(f'report: found episode {options.episode}, expected 0 to '
                         f'{len(dataset.episodes) - 1}\n')
        return 1
    for index in chosen:
        sys.stdout.write('\n'.join(to_text(dataset, index)) + '\n')
    return 0
