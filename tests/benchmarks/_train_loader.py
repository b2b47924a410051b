# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
One side of train_data_share.py: steps of ACT on batches of one loader, the time by part.

Runs under a Python with lerobot 0.6.1 that finds our library: a JSON object of options as the only
argument. Both sides take the same steps of the same network; only what loads differs.
"""
from __future__ import annotations

from collections.abc import Iterable
import json
from pathlib import Path
import sys
from typing import Any

CAMERAS = ('observation.images.front', 'observation.images.wrist')
HEIGHT, WIDTH, FPS, CHUNK = 240, 320, 30, 100


def record(options: dict[str, Any]) -> None:
    """Record pictures that drift and flicker, by lerobot, in its default form."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    import numpy as np
    camera = {'dtype': 'video', 'shape': (HEIGHT, WIDTH, 3),
              'names': ['height', 'width', 'channels']}
    joints = {'dtype': 'float32', 'shape': (6,), 'names': [f'joint_{n}.pos' for n in range(6)]}
    dataset = LeRobotDataset.create(
        'benchmark/train', FPS, {**dict.fromkeys(CAMERAS, camera), 'observation.state': joints,
                                 'action': joints}, root=options['root'], image_writer_threads=2)
    rng = np.random.default_rng(0)
    base = np.kron(rng.integers(0, 240, (40, 50, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    for number in range(options['episodes'] * options['frames']):
        at = number % 400
        view = base[at:at + HEIGHT, at:at + WIDTH] + rng.integers(0, 12, (HEIGHT, WIDTH, 3),
                                                                  np.uint8)
        value = rng.normal(size=6).astype(np.float32)
        dataset.add_frame({'observation.state': value, 'action': value, 'task': 'drift',
                           CAMERAS[0]: view, CAMERAS[1]: view[::-1].copy()})
        if number % options['frames'] == options['frames'] - 1:
            dataset.save_episode()
    dataset.finalize()


def training(options: dict[str, Any]) -> dict[str, Any]:
    """Take steps; return the seconds of every part of each."""
    from apprentice_policies.act.config import ACTConfig
    from apprentice_policies.act.policy import ACTPolicy
    from apprentice_policies.processors import make_processors
    from apprentice_training.config import DatasetConfig
    from apprentice_training.config import TrainConfig
    from apprentice_training.data import open_sources
    from apprentice_training.data import statistics
    from apprentice_training.features import adopt
    from apprentice_training.features import policy_statistics
    from apprentice_training.feed import Feed
    from apprentice_training.session import seed_all
    from apprentice_training.step import Stepper
    from apprentice_training.watch import Watch
    from apprentice_training.world import World
    import torch
    torch.set_num_threads(options['threads'])
    policy_config = ACTConfig(chunk_size=CHUNK, n_action_steps=CHUNK, device='cpu',
                              pretrained_backbone_weights=None)
    config = TrainConfig(DatasetConfig('benchmark/train', root=options['root']),
                         policy=policy_config, num_workers=options['workers'], batch_size=8)
    config.optimizer = policy_config.preset().optimizer
    sources = open_sources(config.dataset, 0)
    adopt(policy_config, sources[0], {}, False)
    seed_all(0)
    policy = ACTPolicy(policy_config)
    stats = policy_statistics(policy_config, statistics(sources), {}, True, 'benchmark')
    pre, _ = make_processors(policy_config, stats)
    world = World(0, 1, torch.device('cpu'))
    watch = Watch(world.device)
    stepper = Stepper(policy, config.optimizer.build(policy.optimizer_parameters()), None, config,
                      world, watch)
    count = options['steps'] + options['warm']
    feed = Feed((ours if options['side'] == 'ours' else lerobots)(config, sources, count), pre,
                world.device)
    feed.time(watch)
    taken = []
    for _ in range(count):
        stepper.update(feed)
        taken.append(watch.take())
    return {'steps': taken[options['warm']:]}


def ours(config: Any, sources: Any, count: int) -> Iterable[Any]:
    """Return the batches of our loader."""
    from apprentice_training.data import loader
    from apprentice_training.data import Mixture
    from apprentice_training.order import Batches
    from apprentice_training.order import Order
    data = Mixture(sources, config)
    return loader(data, Batches(Order(data.lengths, [1.0], 0), config.batch_size, 0, count),
                  config, False)


def lerobots(config: Any, sources: Any, count: int) -> Iterable[Any]:
    """Return the batches of lerobot's dataset as its training loads them: shuffled, collated."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    from torch.utils.data import DataLoader
    data = LeRobotDataset(
        'benchmark/train', root=config.dataset.root,
        delta_timestamps={'action': [step / FPS for step in range(CHUNK)]}, return_uint8=True)
    more = {'prefetch_factor': config.prefetch_factor, 'persistent_workers': True,
            'multiprocessing_context': 'spawn'} if config.num_workers else {}
    return DataLoader(data, config.batch_size, shuffle=True, num_workers=config.num_workers,
                      drop_last=True, **more)


if __name__ == '__main__':
    given = json.loads(sys.argv[1])
    Path(given['root']).parent.mkdir(parents=True, exist_ok=True)
    done = {'record': record, 'train': training}[given['do']](given)
    sys.stdout.write('\n' + json.dumps(done or {}) + '\n')
