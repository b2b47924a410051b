# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
One side of dataset_items.py: fetch batches of a dataset and print what each took.

Runs under a Python with lerobot 0.6.1 that finds our library: a JSON object of options as the only
argument. Side `bare` decodes the same frames with torchcodec, a thread a camera, and does no more;
`whole` is ours at the size of the mp4.
"""
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
import itertools
import json
import os
from pathlib import Path
import sys
import time
from typing import Any

CAMERAS = ('observation.images.front', 'observation.images.wrist')
BATCH = 8
BLOCK = 30


def record(options: dict[str, Any]) -> None:
    """Record pictures that drift and flicker: episodes of a camera in one mp4."""
    from lerobot.configs.video import RGBEncoderConfig
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    import numpy as np
    camera = {'dtype': 'video', 'shape': (480, 640, 3), 'names': ['height', 'width', 'channels']}
    joints = {'dtype': 'float32', 'shape': (6,), 'names': [f'joint_{n}.pos' for n in range(6)]}
    dataset = LeRobotDataset.create(
        'benchmark/items', 30, {**dict.fromkeys(CAMERAS, camera), 'observation.state': joints,
                                'action': joints}, root=options['root'], image_writer_threads=2,
        rgb_encoder=RGBEncoderConfig(vcodec=options['codec'], g=2))
    rng = np.random.default_rng(0)
    base = np.kron(rng.integers(0, 240, (60, 80, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    for number in range(options['episodes'] * options['frames']):
        at = number % 400
        view = base[at:at + 480, at:at + 640] + rng.integers(0, 12, (480, 640, 3), np.uint8)
        value = np.full(6, number, np.float32)
        dataset.add_frame({'observation.state': value, 'action': value, 'task': 'drift',
                           CAMERAS[0]: view, CAMERAS[1]: view[::-1].copy()})
        if number % options['frames'] == options['frames'] - 1:
            dataset.save_episode()
    dataset.finalize()


def batches(options: dict[str, Any], length: int) -> list[list[int]]:
    """Return the positions to fetch, the same for every side."""
    import numpy as np
    rng = np.random.default_rng(options['seed'])
    count = options['items']
    if options['order'] == 'random':
        order = rng.integers(0, length, count).tolist()
    elif options['order'] == 'sequential':
        order = [number % length for number in range(count)]
    else:
        blocks = rng.permutation(length // BLOCK)
        order = [int(block) * BLOCK + step for block in itertools.islice(
            itertools.cycle(blocks), -(-count // BLOCK)) for step in range(BLOCK)][:count]
    return [order[begin:begin + BATCH] for begin in range(0, count, BATCH)]


def fetcher(options: dict[str, Any]) -> tuple[Any, Callable[[list[int]], Any]]:
    """Return the dataset of a side and what fetches positions of it."""
    if options['side'] == 'bare':
        return bare(options)
    arguments: dict[str, Any] = {'root': options['root'], 'episodes': options['chosen'],
                                 'return_uint8': options['uint8']}
    if options['windows']:
        arguments['delta_timestamps'] = {
            'action': [step / 30 for step in range(16)],
            **{camera: [-1 / 30, 0] for camera in CAMERAS}}
    if options['side'] == 'lerobot':
        from lerobot.datasets.lerobot_dataset import LeRobotDataset as Theirs
        theirs = Theirs('benchmark/items', **arguments)
        return theirs, lambda positions: [theirs[one] for one in positions]
    from apprentice_dataset.torch import LeRobotDataset
    if options['small'] and options['side'] != 'whole':
        arguments['size'] = (240, 320)
    if options['cache']:
        arguments.update(frame_cache_bytes=1 << 40, frame_cache_folder=Path(options['cache']))
    ours = LeRobotDataset('benchmark/items', **arguments)
    return ours, ours.__getitems__


def bare(options: dict[str, Any]) -> tuple[Any, Callable[[list[int]], Any]]:
    """Return what decodes the frames of both cameras, each in a thread of its own."""
    from torchcodec.decoders import VideoDecoder
    decoders = [VideoDecoder(str(next(Path(options['root']).glob(f'videos/{camera}/*/*.mp4'))),
                             seek_mode='approximate') for camera in CAMERAS]
    pool = ThreadPoolExecutor(len(decoders))

    def one(decoder: Any, positions: list[int]) -> None:
        if options['order'] == 'random':
            for position in positions:
                decoder.get_frame_at(position)
        else:
            decoder.get_frames_at(positions)
    return range(len(decoders[0])), lambda positions: list(
        pool.map(lambda decoder: one(decoder, positions), decoders))


def fetch(options: dict[str, Any]) -> dict[str, Any]:
    """Fetch all batches; return seconds of each and of all, after a warm-up."""
    import torch
    from torch.utils.data import DataLoader
    dataset, get = fetcher(options)
    order = batches(options, len(dataset))
    taken = []
    if options['workers'] and options['side'] != 'bare':
        torch.set_num_threads(1)
        more = {}
        if options['side'] == 'ours':
            from apprentice_dataset.torch import collate
            more = {'collate_fn': collate}
        turns = iter(DataLoader(dataset, batch_sampler=[*order[:8], *order], num_workers=2,
                                **more))
        for _ in range(8):
            next(turns)
        begin = time.perf_counter()
        for _ in order:
            last = time.perf_counter()
            next(turns)
            taken.append(time.perf_counter() - last)
    else:
        for positions in order[:2] if not options['cache'] else order:
            get(positions)
        begin = time.perf_counter()
        for positions in order:
            last = time.perf_counter()
            get(positions)
            taken.append(time.perf_counter() - last)
    return {'rate': options['items'] / (time.perf_counter() - begin), 'batches': taken}


def touch(options: dict[str, Any]) -> dict[str, Any]:
    """Draw mp4s at random through our reader; return memory in MB at begin, half and end."""
    from fractions import Fraction

    from apprentice_dataset.decoder_cache import DecoderCache
    from apprentice_dataset.torch.decoders import TorchcodecFile
    import numpy as np
    files = sorted(Path(options['root']).glob('*.mp4'))
    cache = DecoderCache(None if options['unbounded'] else 'auto')
    rng = np.random.default_rng(0)
    taken, memory = [], []
    block = options['block']
    places = np.repeat(rng.integers(0, len(files), options['draws'] // block + 1), block)
    places = places[:options['draws'] + 1]
    for number, place in enumerate(places.tolist()):
        begin = time.perf_counter()
        with cache.lent(place, lambda: TorchcodecFile(files[place], Fraction(30))) as decoder:
            list(decoder.frames([int(rng.integers(0, options['frames']))]))
        taken.append(time.perf_counter() - begin)
        if number in (0, len(places) // 2, len(places) - 1):
            pages = int(Path('/proc/self/statm').read_text().split()[1])
            memory.append(pages * os.sysconf('SC_PAGESIZE') / 1e6)
    return {'memory': memory, 'kept': len(cache), 'estimate': cache.nbytes / 1e6,
            'batches': taken[1:]}


if __name__ == '__main__':
    given = json.loads(sys.argv[1])
    done = {'record': record, 'fetch': fetch, 'touch': touch}[given['do']](given)
    sys.stdout.write('\n' + json.dumps(done) + '\n')
    sys.stdout.flush()
    # Decoders that still live at the interpreter's end have no order in which to go.
    os._exit(0)
