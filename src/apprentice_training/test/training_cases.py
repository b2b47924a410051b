# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Small datasets, and runs on them, for the tests of training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from apprentice_dataset.features import DatasetSpec
from apprentice_dataset.features import Feature
from apprentice_dataset.images import EncodedImage
from apprentice_dataset.writer import DatasetWriter
from apprentice_training.train import main
import numpy as np
import simplejpeg

ACT = ('--policy.type=act', '--policy.dim_model=32', '--policy.n_heads=2',
       '--policy.dim_feedforward=16', '--policy.n_encoder_layers=1', '--policy.latent_dim=4',
       '--policy.n_vae_encoder_layers=1', '--policy.chunk_size=5', '--policy.n_action_steps=5',
       '--policy.pretrained_backbone_weights=null', '--policy.optimizer_lr=1e-3')
PROBE = ('--policy.type=probe',)
PLAIN = ('--policy.device=cpu', '--num_workers=0', '--batch_size=4', '--log_freq=1',
         '--save_freq=0')
CAMERA = 'observation.images.front'
STATE = Feature('float32', (3,), ['a.pos', 'b.pos', 'c.pos'])
ACTION = Feature('float32', (2,), ['a.pos', 'b.pos'])
WORLD = Feature('float32', (2,), ['x', 'y'])
FEATURES = {'observation.state': STATE, 'observation.environment_state': WORLD, 'action': ACTION}


def make(root: Path, *lengths: int, fps: int = 10, camera: bool = False,
         features: dict[str, Feature] = FEATURES) -> Path:
    """Record episodes whose action follows from the state."""
    rng = np.random.default_rng(len(lengths))
    kinds = dict(features)
    if camera:
        kinds[CAMERA] = Feature('video', (48, 64, 3), ['height', 'width', 'channels'])
    with DatasetWriter.create(root, DatasetSpec(fps, None, kinds)) as writer:
        for length in lengths:
            episode = writer.begin_episode()
            for _ in range(length):
                state = rng.normal(size=3).astype(np.float32)
                row: dict[str, Any] = {
                    name: np.resize(state * (2 if name == 'action' else 1), feature.shape)
                    for name, feature in features.items()}
                picture = rng.integers(0, 255, (48, 64, 3), np.uint8)
                pictures = {CAMERA: EncodedImage(simplejpeg.encode_jpeg(picture), 'jpeg')}
                episode.add(row, pictures if camera else {}, 'reach')
            episode.save()
    return root


def flags(data: Path, run: Path, *more: str) -> list[str]:
    """Return the flags of a small run."""
    return [*PLAIN, '--dataset.repo_id=test/data', f'--dataset.root={data}',
            f'--output_dir={run}', *more]


def train(data: Path, run: Path, *more: str) -> int:
    """Train in this process; return the exit code."""
    return main(flags(data, run, *more))


def metrics(run: Path, name: str = 'loss') -> list[float]:
    """Return a figure of every step that has it."""
    records = [json.loads(line) for line in (run / 'metrics.jsonl').read_text().splitlines()]
    return [record[name] for record in records if name in record]


def contents(checkpoint: Path) -> dict[str, Any]:
    """Return the files that two runs of the same steps must share: tensors byte by byte."""
    # The place of the run and whether it was resumed stand in its configuration.
    return {path.relative_to(checkpoint).as_posix():
            json.loads(path.read_bytes()) if path.suffix == '.json' else path.read_bytes()
            for path in sorted(checkpoint.rglob('*'))
            if path.is_file() and path.name != 'train_config.json'}
