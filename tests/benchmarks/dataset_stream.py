#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Time streaming a dataset of two cameras of 640x480 from a disk, beside lerobot's readers.

All readers run under one Python, that with lerobot 0.6.1, which also records the dataset: several
episodes in one mp4 a camera, for its streaming reads no more than one. Without workers, because
with more only one of lerobot's yields anything. Turns alternate; each is a process of its own.
"""
from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Iterator
import json
import os
from pathlib import Path
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

LIBRARY = Path(__file__).resolve().parents[2] / 'src' / 'apprentice_dataset'
FASTER = 3.0


def record(pictures: Path, root: Path, episodes: int, frames: int) -> None:
    """Record with lerobot: H.264, a key frame in two, the episodes of a camera in one mp4."""
    from _pictures import COUNT
    from _pictures import HEIGHT
    from _pictures import read_pictures
    from _pictures import WIDTH
    import cv2
    from lerobot.configs.video import RGBEncoderConfig
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    import numpy as np
    found = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
             for data in read_pictures(pictures)]
    camera = {'dtype': 'video', 'shape': (HEIGHT, WIDTH, 3),
              'names': ['height', 'width', 'channels']}
    joints = {'dtype': 'float32', 'shape': (6,), 'names': [f'joint_{n}.pos' for n in range(6)]}
    dataset = LeRobotDataset.create(
        'benchmark/stream', 30, {'observation.images.front': camera,
                                 'observation.images.wrist': camera,
                                 'observation.state': joints, 'action': joints},
        root=root, rgb_encoder=RGBEncoderConfig(vcodec='h264', g=2), image_writer_threads=4)
    for number in range(episodes * frames):
        value = np.full(6, number, np.float32)
        dataset.add_frame({
            'observation.state': value, 'action': value, 'task': 'what is replayed',
            'observation.images.front': found[number % COUNT],
            'observation.images.wrist': found[(number + COUNT // 2) % COUNT]})
        if number % frames == frames - 1:
            dataset.save_episode()
    dataset.finalize()


def _ours(root: str, **options: Any) -> Iterator[Any]:
    from apprentice_dataset.torch.streaming import StreamingLeRobotDataset
    return iter(StreamingLeRobotDataset('benchmark/stream', root, **options))


def _theirs(root: str, **options: Any) -> Iterator[Any]:
    from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset
    return iter(StreamingLeRobotDataset('benchmark/stream', root=root, **options))


def _map_style(root: str) -> Iterator[Any]:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    dataset = LeRobotDataset('benchmark/stream', root=root)
    return (dataset[number] for number in range(len(dataset)))


IN_ORDER = {'shuffle': False, 'buffer_size': 1, 'max_num_shards': 1}
READERS: dict[str, Callable[[str], Iterator[Any]]] = {
    'ours, in order': lambda root: _ours(root, **IN_ORDER),
    'lerobot, in order': lambda root: _theirs(root, **IN_ORDER),
    'ours, buffer of 200': lambda root: _ours(root, buffer_size=200),
    'lerobot, buffer of 200': lambda root: _theirs(root, buffer_size=200),
    'lerobot, map-style in order': _map_style}


def read(reader: str, root: str) -> None:
    """Read everything in this process and print what that took."""
    import torch
    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    opening = time.perf_counter()
    items = READERS[reader](root)
    begin = time.perf_counter()
    next(items)
    first = time.perf_counter()
    count = 1 + sum(1 for _ in items)
    end = time.perf_counter()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    sys.stdout.write(json.dumps({'first_s': first - opening, 'rate': count / (end - begin),
                                 'items': count, 'mb': grown / 1024}) + '\n')


def in_process(python: str, *arguments: str) -> dict[str, float]:
    """Run this file under a Python that finds our library too; return the JSON it prints last."""
    result = subprocess.run(
        [python, __file__, *arguments], capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': str(LIBRARY), 'HF_HUB_OFFLINE': '1'})
    if result.returncode:
        raise SystemExit(result.stderr)
    last = (result.stdout.splitlines() or ['{}'])[-1]
    return dict(json.loads(last)) if last.startswith('{') else {}


def main() -> int:
    """Measure all readers; 0 when the bounds are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--lerobot', required=True, help='a Python with lerobot 0.6.1')
    parser.add_argument('--episodes', type=int, default=20)
    parser.add_argument('--frames', type=int, default=150)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--folder', help='where the dataset is made and removed again')
    parser.add_argument('--record', nargs=2, help=argparse.SUPPRESS)
    parser.add_argument('--read', nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.record:
        record(*map(Path, options.record), options.episodes, options.frames)
        return 0
    if options.read:
        read(*options.read)
        return 0
    from _common import Report
    from _pictures import write_pictures
    report = Report('streaming from a disk, 2 x 640x480 H.264 g=2')
    rates: dict[str, list[float]] = {reader: [] for reader in READERS}
    firsts, grown = {reader: [] for reader in READERS}, {reader: [] for reader in READERS}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        pictures, root = Path(folder, 'pictures'), Path(folder, 'dataset')
        write_pictures(pictures)
        in_process(options.lerobot, '--record', str(pictures), str(root), '--lerobot', '-',
                   '--episodes', str(options.episodes), '--frames', str(options.frames))
        for _ in range(options.turns):
            for reader in READERS:
                found = in_process(options.lerobot, '--read', reader, str(root), '--lerobot', '-')
                if found['items'] != options.episodes * options.frames:
                    raise SystemExit(f'{reader}: {found["items"]} items')
                rates[reader].append(found['rate'])
                firsts[reader].append(found['first_s'])
                grown[reader].append(found['mb'])
    medians = {}
    for reader in READERS:
        medians[reader] = report.row(f'{reader}', rates[reader], 'items/s').median
        report.row('first item, opening included', firsts[reader], 's')
        report.row('memory grown', grown[reader], 'MB')
    report.bound(f'in order at least {FASTER:g} times as fast as lerobot',
                 medians['ours, in order'] >= FASTER * medians['lerobot, in order'])
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
