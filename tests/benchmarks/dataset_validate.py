#!/usr/bin/env python3
# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Time `validate` beside what bounds it: the bare read of tables, the bare decoding of videos.

Tables: MB of Parquet a second, everything checked, against PyArrow reading the same files whole.
Videos: frames a second by packets and by decoding, against PyAV decoding file after file with all
cores. The files lie in the page cache.
"""
from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
import os
from pathlib import Path
import sys
import tempfile
import time

from _common import Report
from _tables import make
from apprentice_dataset.errors import Problem
from apprentice_dataset.features import Feature
from apprentice_dataset.metadata import read_metadata
from apprentice_dataset.validate import Job
from apprentice_dataset.validate import jobs
from apprentice_dataset.validate_videos import VideoJob
import av
import numpy as np
import pyarrow.parquet as pq

FPS = 30
TABLE_MB_S, SHARE = 500.0, 0.9


def done(work: list[Job]) -> list[Problem]:
    """Do jobs as `validate` does."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [problem for found in pool.map(lambda job: job.problems(), work)
                for problem in found]


def timed(call: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def tables(report: Report, options: argparse.Namespace, folder: Path) -> None:
    """Check rows, alternating with the bare read."""
    root = folder / 'tables'
    make(root, options.episodes, options.rows, options.episodes)
    files = sorted((root / 'data').rglob('*.parquet'))
    size = sum(path.stat().st_size for path in files) / 1e6
    work = [job for job in jobs(read_metadata(root)) if not isinstance(job, VideoJob)]
    problems = done(work)
    report.line(f'{len(files)} data files, {size:.0f} MB, {len(problems)} problem(s)')
    ours, bare = [], []
    for _ in range(options.turns):
        ours.append(size / timed(lambda: done(work)))
        bare.append(size / timed(lambda: [pq.read_table(path) for path in files]))
    found = report.row('validate, rows', ours, 'MB/s')
    read = report.row('pyarrow reads the same', bare, 'MB/s')
    report.line(f'validate reaches {found.median / read.median:.2f} of the bare read')
    report.bound(f'at least {TABLE_MB_S:g} MB/s, or {SHARE:g} of the read that bounds it',
                 found.median >= min(TABLE_MB_S, SHARE * read.median))
    report.bound('no problem in a sound dataset', not problems)


def encode(path: Path, frames: int) -> None:
    """Write an mp4 of moving noise, which costs a decoder what a camera's pictures cost."""
    generator = np.random.default_rng(1)
    ground = generator.integers(0, 255, (480, 640 + frames, 3), np.uint8)
    ground = ground.repeat(8, axis=0)[:480].repeat(8, axis=1)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('h264', FPS, options={'crf': '23', 'preset': 'superfast'})
        stream.width, stream.height, stream.pix_fmt = 640, 480, 'yuv420p'
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = 2, 0
        for number in range(frames):
            picture = np.ascontiguousarray(ground[:, 2 * number:2 * number + 640])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))


def decode(path: Path) -> int:
    """Decode a file with all cores and nothing else."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = 'AUTO'
        return sum(1 for _ in container.decode(stream))


def videos(report: Report, options: argparse.Namespace, folder: Path) -> None:
    """Check frames, alternating with the bare decoding."""
    paths = [folder / f'{number}.mp4' for number in range(options.videos)]
    for path in paths:
        encode(path, options.frames)
    camera = Feature('video', (480, 640, 3), ['height', 'width', 'channels'])
    total = options.frames * len(paths)

    def work(deep: bool) -> list[Job]:
        one = [np.array([value], np.int64) for value in (0, 0, options.frames)]
        return [VideoJob(path, camera, FPS, *one, deep) for path in paths]

    problems = done(work(True))
    report.line(f'{len(paths)} mp4s of 640x480, {total} frames, {len(problems)} problem(s)')
    packets, deep, bare = [], [], []
    for _ in range(options.turns):
        packets.append(total / timed(lambda: done(work(False))))
        deep.append(total / timed(lambda: done(work(True))))
        bare.append(total / timed(lambda: [decode(path) for path in paths]))
    report.row('validate, packets', packets, 'frames/s')
    found = report.row('validate --deep', deep, 'frames/s')
    limit = report.row('bare decoding', bare, 'frames/s')
    report.line(f'validate --deep reaches {found.median / limit.median:.2f} of bare decoding')
    report.bound(f'at least {SHARE:g} of it', found.median >= SHARE * limit.median)
    report.bound('no problem in sound videos', not problems)


def main() -> int:
    """Measure tables and videos; 0 when the bounds are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--episodes', type=int, default=25_000)
    parser.add_argument('--rows', type=int, default=200)
    parser.add_argument('--videos', type=int, default=8)
    parser.add_argument('--frames', type=int, default=900)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--folder', help='where the files are made and removed again')
    options = parser.parse_args()
    report = Report('validating')
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        tables(report, options, Path(folder))
        videos(report, options, Path(folder))
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
