# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Put a training together from its configuration: data, policy, processors, optimiser, state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import random
from typing import Any

from apprentice_policies.checkpoint import build
from apprentice_policies.checkpoint import load_processors
from apprentice_policies.checkpoint import load_weights
from apprentice_policies.checkpoint import WEIGHTS_FILE
from apprentice_policies.clip_weights import load_clip
from apprentice_policies.imagenet import load_imagenet
from apprentice_policies.policy import Policy
from apprentice_policies.processors import make_processors
from apprentice_policies.processors import Pipeline
from apprentice_policies.processors.normalize import Normalize
from apprentice_policies.processors.normalize import tensors_of
from apprentice_policies.processors.normalize import Unnormalize
from apprentice_policies.processors.steps import Rename
from apprentice_policies.registry import policy_class
from apprentice_training.checks import check_disk
from apprentice_training.checks import check_memory
from apprentice_training.checks import check_numbers
from apprentice_training.config import TrainConfig
from apprentice_training.data import Mixture
from apprentice_training.data import open_sources
from apprentice_training.data import Source
from apprentice_training.data import statistics
from apprentice_training.ema import Ema
from apprentice_training.features import adopt
from apprentice_training.features import check_mixture
from apprentice_training.features import policy_statistics
from apprentice_training.flags import Start
from apprentice_training.order import Order
from apprentice_training.run import RunFolder
from apprentice_training.snapshot import check_same_data
from apprentice_training.snapshot import read_snapshot
from apprentice_training.world import World
import numpy as np
import torch


@dataclass
class Session:
    """A training that is ready to go on after `step`, and after `samples` of the order."""

    config: TrainConfig
    world: World
    folder: RunFolder
    sources: list[Source]
    data: Mixture
    held_out: Mixture | None
    order: Order
    policy: Policy
    pre: Pipeline
    post: Pipeline
    optimizer: Any
    scheduler: Any
    ema: Ema | None
    step: int = 0
    samples: int = 0


def prepare(start: Start, world: World, folder: RunFolder) -> Session:
    """
    Build everything, check it, and go on from a checkpoint where one is resumed.

    :raises TrainingError: or PolicyError, DatasetError: something cannot be trained with.
    """
    config = start.config
    assert config.policy is not None and config.optimizer is not None and config.seed is not None
    config.policy.device = world.device.type
    sources = open_sources(config.dataset, config.seed)
    check_mixture(sources, config.policy, config.rename_map)
    adopt(config.policy, sources[0], config.rename_map, start.pretrained is not None)
    data = Mixture(sources, config)
    held_out = Mixture(sources, config, held_out=True) if config.eval_steps else None
    seed_all(config.seed)
    policy = _policy(start).to(world.device)
    pre, post = _processors(start, sources)
    optimizer = config.optimizer.build(policy.optimizer_parameters())
    scheduler = config.scheduler.build(optimizer, config.steps) if config.scheduler else None
    ema = Ema(policy, config.ema.decay) if config.ema.enable else None
    weights = [source.weight for source in sources]
    session = Session(config, world, folder, sources, data, held_out,
                      Order(data.lengths, weights, config.seed), policy, pre, post, optimizer,
                      scheduler, ema)
    if world.is_main:
        check_numbers(data)
        check_memory(policy, data, config, world.device)
        check_disk(policy, config, folder.root)
    # Noise must differ between processes, weights must not.
    seed_all(config.seed + world.rank)
    if config.resume:
        assert config.checkpoint_path is not None
        checkpoint = Path(config.checkpoint_path)
        check_same_data(checkpoint, sources)
        read_snapshot(checkpoint, session)
    return session


def seed_all(seed: int) -> None:
    """Seed Python's, NumPy's and torch's random numbers."""
    random.seed(seed)
    np.random.seed(seed % (1 << 32))
    torch.manual_seed(seed)


def _policy(start: Start) -> Policy:
    assert start.config.policy is not None
    if start.pretrained is None:
        policy = policy_class(start.config.policy.type)(start.config.policy)
        load_imagenet(policy)
        load_clip(policy)
        return policy
    policy = build(start.config.policy)
    load_weights(policy, start.pretrained / WEIGHTS_FILE)
    return policy


def _processors(start: Start, sources: list[Source]) -> tuple[Pipeline, Pipeline]:
    """Return pipelines with the dataset's statistics; a resumed run keeps its own."""
    config = start.config
    assert config.policy is not None and config.policy.device is not None
    if config.resume and start.pretrained is not None:
        return load_processors(start.pretrained, config.policy.device)
    stats = policy_statistics(config.policy, statistics(sources), config.rename_map,
                              config.dataset.use_imagenet_stats,
                              ', '.join(source.repo_id for source in sources))
    if start.pretrained is None:
        pre, post = make_processors(config.policy, stats)
    else:
        pre, post = load_processors(start.pretrained, config.policy.device)
        for step in [*pre.steps, *post.steps]:
            if isinstance(step, (Normalize, Unnormalize)):
                step.load_state(tensors_of(stats), 'the dataset')
    for step in pre.steps:
        if isinstance(step, Rename) and config.rename_map:
            step.rename_map = dict(config.rename_map)
    return pre, post
