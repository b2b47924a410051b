#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Time opening a dataset of many episodes, and the first rows after it; lerobot's metadata beside.

Every opening is a process of its own. The files lie in the page cache, as after the first time.
"""
from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import time

from _common import Report
from _tables import make

MOST_S, MOST_MB, FIRST_S = 2.0, 500.0, 0.2
LEROBOT = """
import json, sys, time
from pathlib import Path
from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata
def peak_mb():
    return int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) / 1024
before = peak_mb()
begin = time.perf_counter()
metadata = LeRobotDatasetMetadata('benchmark/open', root=sys.argv[1])
spent = time.perf_counter() - begin
after = peak_mb()
assert len(metadata.episodes) == metadata.total_episodes
print(json.dumps({'open': spent, 'mb': after, 'grown': after - before}))
"""


def peak_mb() -> float:
    """Return the most memory that this process has had."""
    return int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) / 1024


def opened(root: Path, cache: Path) -> None:
    """Open it in this process and print what that took."""
    from apprentice_dataset.reader import Dataset
    from apprentice_dataset.row_store import RowStore
    before = peak_mb()
    begin = time.perf_counter()
    dataset = Dataset.open(root)
    at_open = time.perf_counter()
    after = peak_mb()
    RowStore(dataset.metadata, cache_folder=cache).take([len(dataset) // 2])
    first = time.perf_counter()
    mapped = RowStore(dataset.metadata, memory_bytes=0, cache_folder=cache)
    mapped.take([len(dataset) // 3])
    second = time.perf_counter()
    print(json.dumps({'open': at_open - begin, 'first': first - at_open, 'disk': second - first,
                      'mb': after, 'grown': after - before}))


def in_process(command: list[str]) -> dict[str, float]:
    """Run a process that prints one line of JSON last."""
    environment = {name: value for name, value in os.environ.items()
                   if name != 'PYTHONPATH' or command[0] == sys.executable}
    result = subprocess.run(command, check=True, capture_output=True, text=True,
                            env={**environment, 'HF_HUB_OFFLINE': '1'})
    return dict(json.loads(result.stdout.splitlines()[-1]))


def measure(report: Report, options: argparse.Namespace, group: int) -> None:
    """Measure one layout of meta/episodes."""
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        root = Path(folder) / 'dataset'
        make(root, options.episodes, options.rows, group)
        size = sum(path.stat().st_size for path in (root / 'meta/episodes').rglob('*.parquet'))
        report.line(f'{options.episodes} episodes of {options.rows} rows, {group} to a row group; '
                    f'meta/episodes has {size / 1e6:.0f} MB')
        ours, theirs = [], []
        for turn in range(options.turns):
            cache = Path(folder) / 'cache'
            shutil.rmtree(cache, ignore_errors=True)
            ours.append(in_process([sys.executable, __file__, '--opened', str(root), str(cache)]))
            if options.lerobot:
                theirs.append(in_process([options.lerobot, '-c', LEROBOT, str(root)]))
        opening = report.row('open', [one['open'] for one in ours], 's')
        report.row('memory grown by it', [one['grown'] for one in ours], 'MB')
        memory = report.row('memory of the process', [one['mb'] for one in ours], 'MB')
        first = report.row('first row then', [one['first'] for one in ours], 'ms', 1e3)
        report.row('first row by a new file of the cache', [one['disk'] for one in ours], 'ms',
                   1e3)
        if theirs:
            report.row('lerobot, metadata alone', [one['open'] for one in theirs], 's')
            report.row('memory grown by it', [one['grown'] for one in theirs], 'MB')
        report.bound(f'open in less than {MOST_S:g} s', opening.median < MOST_S)
        report.bound(f'less than {MOST_MB:g} MB', memory.max < MOST_MB)
        report.bound(f'first row in less than {FIRST_S * 1e3:g} ms', first.median < FIRST_S * 1e3)


def main() -> int:
    """Measure both layouts; 0 when the bounds are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--episodes', type=int, default=100_000)
    parser.add_argument('--rows', type=int, default=100)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--folder', help='where the dataset is made and removed again')
    parser.add_argument('--lerobot', help='a Python with lerobot 0.6.1')
    parser.add_argument('--opened', nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.opened:
        opened(*map(Path, options.opened))
        return 0
    report = Report('opening a dataset')
    for group in (options.episodes, 10):
        measure(report, options, group)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
