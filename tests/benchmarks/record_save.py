#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Time saving at episode 1 to 200 with two cameras and twelve joints, without a backlog."""
from __future__ import annotations

import argparse
from pathlib import Path
import resource
import sys
import tempfile
import time

from _common import Report
from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.reader import Dataset
from apprentice_dataset.validate import validate
from apprentice_dataset.writer import DatasetWriter
import numpy as np
import simplejpeg

FPS, HEIGHT, WIDTH = 30, 480, 640
CAMERAS = ('observation.images.front', 'observation.images.wrist')
LIMIT_MS = 100.0
_SCENES = 30


def spec() -> DatasetSpec:
    """Return two cameras and twelve joints."""
    joints = [f'joint_{number}.pos' for number in range(12)]
    camera = Feature('video', (HEIGHT, WIDTH, 3), ['height', 'width', 'channels'])
    return DatasetSpec(FPS, 'benchmark', {
        **{name: camera for name in CAMERAS},
        'observation.state': Feature('float32', (12,), joints),
        'action': Feature('float32', (12,), joints)})


def pictures() -> list[EncodedImage]:
    """Return a moving scene with the noise of a camera, as JPEG."""
    noise = np.random.default_rng(1)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    found = []
    for number in range(_SCENES):
        scene = np.stack([(rows + 4 * number) % 256, (columns + 2 * number) % 256,
                          (rows + columns) // 5], axis=2)
        noisy = scene + noise.normal(0, 4, scene.shape)
        picture = np.ascontiguousarray(noisy.clip(0, 255).astype(np.uint8))
        found.append(EncodedImage(simplejpeg.encode_jpeg(picture, quality=85), 'jpeg'))
    return found


def record(writer: DatasetWriter, scene: list[EncodedImage], rows: int) -> tuple[float, float]:
    """Record an episode; return the longest `add` and the time of `save`, in seconds."""
    episode = writer.begin_episode()
    longest = 0.0
    for number in range(rows):
        joints = np.full(12, number / FPS, np.float32)
        picture = scene[number % len(scene)]
        begin = time.perf_counter()
        episode.add({'observation.state': joints, 'action': joints},
                    {name: picture for name in CAMERAS}, 'benchmark')
        longest = max(longest, time.perf_counter() - begin)
    while any(one.frames for one in episode.backlog.values()):
        time.sleep(0.005)
    begin = time.perf_counter()
    episode.save()
    return longest, time.perf_counter() - begin


def memory_mb() -> float:
    """Return the resident memory of this process."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * resource.getpagesize() / 2 ** 20


def main() -> int:
    """Record episodes and print what saving took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--episodes', type=int, default=200)
    parser.add_argument('--rows', type=int, default=90)
    parser.add_argument('--folder', help='where to record; a temporary folder by default')
    options = parser.parse_args()
    report = Report(f'saving: {options.episodes} episodes of {options.rows} rows, two cameras '
                    f'{WIDTH}x{HEIGHT}, twelve joints')
    scene = pictures()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        root = Path(folder) / 'dataset'
        with DatasetWriter.create(root, spec()) as writer:
            record(writer, scene, options.rows)
            before = memory_mb()
            times = [record(writer, scene, options.rows) for _ in range(options.episodes - 1)]
            after = memory_mb()
        begin = time.perf_counter()
        Dataset.open(root)
        opening = time.perf_counter() - begin
        problems = validate(root)
    saves = [save for _, save in times]
    report.row('longest add of an episode', [add for add, _ in times], 'ms', 1e3)
    found = report.row('save', saves, 'ms', 1e3)
    report.row('save, first 20', saves[:20], 'ms', 1e3)
    report.row('save, last 20', saves[-20:], 'ms', 1e3)
    report.line(f'resident memory {before:.0f} MB after the first episode, {after:.0f} MB at the '
                'end')
    report.line(f'opening the dataset at the end: {opening * 1e3:.0f} ms')
    report.faults([str(problem) for problem in problems])
    report.bound(f'save p99 < {LIMIT_MS:g} ms', found.p99 < LIMIT_MS)
    report.bound('memory grows by less than 20 MB', after - before < 20)
    report.bound('the dataset is valid', not problems)
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
