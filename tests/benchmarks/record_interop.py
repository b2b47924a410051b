#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Let lerobot read what we write, while we still write, and resume what lerobot began.

It needs the Python of an environment with lerobot 0.6.1: `--lerobot DIR/bin/python`.
"""
from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
import subprocess
import sys
import tempfile

from _common import Report
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.images import RawImage
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
import numpy as np

CAMERA = 'observation.images.front'
HEIGHT, WIDTH, FPS = 96, 128, 30
JOINTS = [f'joint_{number}.pos' for number in range(6)]
ROWS = 40

# Runs under lerobot's Python: the same features, or every item of a dataset as digests.
LEROBOT = """
import hashlib, json, sys
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
todo, root = sys.argv[1:3]
if todo in ('begin', 'add'):
    features, robot, codec = json.loads(sys.argv[3])
    encoder = {}
    if codec != 'av1':
        from lerobot.configs import RGBEncoderConfig
        encoder = {'rgb_encoder': RGBEncoderConfig(vcodec=codec)}
    if todo == 'begin':
        dataset = LeRobotDataset.create('test/interop', 30, features, root=root,
                                        robot_type=robot, **encoder)
    else:
        dataset = LeRobotDataset.resume('test/interop', root=root, **encoder)
    for number in range(40):
        frame = {'task': 'by lerobot'}
        for name, feature in features.items():
            frame[name] = (np.full(feature['shape'], 5 * number, np.uint8)
                           if feature['dtype'] == 'video'
                           else np.full(feature['shape'], number, np.float32))
        dataset.add_frame(frame)
    dataset.save_episode()
    dataset.finalize()
else:
    dataset = LeRobotDataset('test/interop', root=root, **(
        {'video_backend': sys.argv[3]} if sys.argv[3] else {}))
    items = []
    for number in range(len(dataset)):
        item = dataset[number]
        found = {name: hashlib.sha256(np.ascontiguousarray(value.numpy()).tobytes()).hexdigest()
                 if hasattr(value, 'numpy') and value.ndim < 3
                 else (float(value.mean()) if hasattr(value, 'numpy') else value)
                 for name, value in item.items()}
        items.append(found)
    print(json.dumps({'items': items, 'stats': sorted(dataset.meta.stats),
                      'episodes': dataset.meta.total_episodes}), file=sys.stdout)
"""


def spec() -> DatasetSpec:
    """Return one camera, joints, and columns that lerobot only passes on."""
    return DatasetSpec(FPS, 'so100_follower', {
        CAMERA: Feature('video', (HEIGHT, WIDTH, 3), ['height', 'width', 'channels']),
        'observation.state': Feature('float32', (6,), JOINTS),
        'action': Feature('float32', (6,), JOINTS),
        'sync.offset_s': Feature('float32', (2,), ['front', 'follower'])})


def lerobot(python: str, *arguments: str) -> tuple[dict, str]:
    """Run a command of the other side; return what it printed as JSON, or why it failed."""
    result = subprocess.run([python, '-c', LEROBOT, *arguments], capture_output=True, text=True)
    if result.returncode:
        return {}, result.stderr.strip()[-600:]
    lines = result.stdout.strip().splitlines()
    return (json.loads(lines[-1]) if arguments[0] == 'read' else {}), ''


def add_episode(writer: DatasetWriter, first: int) -> None:
    """Add an episode whose pictures and values count."""
    episode = writer.begin_episode()
    for number in range(first, first + ROWS):
        picture = np.full((HEIGHT, WIDTH, 3), 5 * number % 250, np.uint8)
        values = {'observation.state': np.full(6, number), 'action': np.full(6, number),
                  'sync.offset_s': [0.0, -0.001 * number]}
        episode.add(values, {CAMERA: RawImage(picture, WIDTH, HEIGHT, 'rgb8', 3 * WIDTH)},
                    'by us')
    episode.save()


def compare(python: str, root: Path, backend: str) -> list[str]:
    """Return where lerobot reads something else than we do."""
    # Before lerobot does: where a session still records it may find an episode more.
    dataset = Dataset.open(root)
    read, why = lerobot(python, 'read', str(root), backend)
    if why:
        return [f'{root.name}, {backend or "default"}: lerobot fails: {why}']
    if len(read['items']) < len(dataset):
        return [f'{root.name}: {len(read["items"])} items, {len(dataset)} rows']
    faults = []
    items = iter(read['items'])
    for episode in dataset.episodes:
        rows = dataset.rows(episode.index)
        frames = {camera: dataset.frames(episode.index, camera)
                  for camera in dataset.info.cameras}
        for number in range(episode.length):
            faults += _differences(dataset, rows, frames, number, next(items))
    return [f'{root.name}, {backend or "default"}: {fault}' for fault in faults]


def _differences(
    dataset: Dataset, rows: object, frames: dict[str, np.ndarray], number: int, item: dict,
) -> list[str]:
    faults = []
    for name in rows.column_names:
        dtype = dataset.info.features[name].dtype
        value = np.array(rows[name][number].as_py(), dtype)
        if item[name] != hashlib.sha256(value.tobytes()).hexdigest():
            faults.append(f'{name}, row {number} differs')
    if item['task'] != dataset.tasks[rows['task_index'][number].as_py()]:
        faults.append(f'task of row {number} differs')
    # Two versions of swscale need not round alike.
    for camera, pictures in frames.items():
        mean = float(pictures[number].mean())
        if abs(item[camera] * 255 - mean) > 1.0:
            faults.append(f'{camera}, row {number}: {item[camera] * 255:.1f}, we read {mean:.1f}')
    return faults


def ours(python: str, root: Path) -> list[str]:
    """Let lerobot read a dataset of ours, the writer open and an episode being recorded."""
    faults = []
    with DatasetWriter.create(root, spec()) as writer:
        for number in range(3):
            add_episode(writer, 10 * number)
        running = writer.begin_episode()
        faults += compare(python, root, 'pyav')
        running.discard()
    faults += [*compare(python, root, 'pyav'), *compare(python, root, '')]
    _, why = lerobot(python, 'add', str(root), _features('h264'))
    if why:
        return [*faults, f'{root.name}: lerobot cannot resume it: {why}']
    with DatasetWriter.resume(root, spec()) as writer:
        add_episode(writer, 3)
    faults += [f'{root.name}, after lerobot: {problem}' for problem in validate(root, deep=True)]
    return faults + compare(python, root, 'pyav')


def _features(codec: str) -> str:
    features = {name: feature.to_json() for name, feature in spec().features.items()}
    return json.dumps([features, spec().robot_type, codec])


def theirs(python: str, root: Path, codec: str) -> list[str]:
    """Resume a dataset that lerobot began."""
    _, why = lerobot(python, 'begin', str(root), _features(codec))
    if why:
        return [f'{root.name}: lerobot cannot begin it: {why}']
    with DatasetWriter.resume(root, spec()) as writer:
        add_episode(writer, 7)
        add_episode(writer, 9)
    faults = [f'{root.name}: {problem}' for problem in validate(root, deep=True)]
    return faults + compare(python, root, 'pyav') + compare(python, root, '')


def main() -> int:
    """Run every exchange and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--lerobot', required=True, help='the Python that imports lerobot')
    parser.add_argument('--dataset', type=Path,
                        help='read only this one, which may be in the middle of a session')
    options = parser.parse_args()
    python = options.lerobot
    report = Report('exchange with lerobot')
    if options.dataset:
        for backend in ('pyav', ''):
            count = len(Dataset.open(options.dataset))
            faults = compare(python, options.dataset, backend)
            report.faults(faults)
            report.bound(f'lerobot reads all {count} items as we do, decoder: '
                         f'{backend or "its default"}', not faults)
        return report.end()
    with tempfile.TemporaryDirectory() as folder:
        for what, faults in (
                ('lerobot reads ours, while we record and after, and adds to it; so do we again',
                 ours(python, Path(folder) / 'ours')),
                ('we resume an AV1 dataset of lerobot', theirs(
                    python, Path(folder) / 'av1', 'av1')),
                ('we resume an H.264 dataset of lerobot', theirs(
                    python, Path(folder) / 'h264', 'h264'))):
            report.faults(faults)
            report.bound(what, not faults)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
