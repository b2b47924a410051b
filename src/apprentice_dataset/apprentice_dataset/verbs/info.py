# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Say what a dataset holds."""

from __future__ import annotations

import argparse
import sys

from apprentice_dataset.reader import Dataset

HELP = 'say what a dataset holds'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folder', metavar='DIR', help='the folder that holds meta/')


def run(options: argparse.Namespace) -> int:
    """Print counters, features and tasks; return 0."""
    dataset = Dataset.open(options.folder, repair=False)
    info = dataset.info
    lines = [f'{dataset.root}: {info.total_episodes} episode(s), {info.total_frames} row(s) at '
             f'{info.fps}/s, robot {info.robot_type}']
    for name, feature in info.features.items():
        codec = f' {(feature.info or {}).get("video.codec", "")}' if feature.is_video else ''
        lines.append(f'  {name}: {feature.dtype} {list(feature.shape)}{codec}')
    if dataset.origin:
        lines.append(f'  pulled: {dataset.origin}, {dataset.origin.revision}')
    lines += [f'  task {number}: {task}' for number, task in enumerate(dataset.tasks)]
    print(*lines, sep='\n', file=sys.stdout)
    return 0
