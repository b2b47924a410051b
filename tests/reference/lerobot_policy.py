# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Run policies through our interface, by lerobot under its own Python or by our code under ours.

    lerobot_policy.py make FOLDER TYPE     write a checkpoint by lerobot
    lerobot_policy.py resave OLD NEW       load a checkpoint by our code and save it again
    lerobot_policy.py act FOLDER WAY       print what a policy does; WAY is lerobot or ours
"""
from __future__ import annotations

import json
from pathlib import Path
import sys
from typing import Any
import warnings

import numpy as np
import torch

FRONT, STATE, ACTION = 'observation.images.front', 'observation.state', 'action'
SIZES = {
    'act': {'chunk_size': 6, 'n_action_steps': 3, 'dim_model': 32, 'n_heads': 4,
            'dim_feedforward': 32, 'n_encoder_layers': 1, 'latent_dim': 4, 'dropout': 0.0},
    'vqbet': {'n_obs_steps': 2, 'n_action_pred_token': 2, 'action_chunk_size': 3,
              'gpt_input_dim': 32, 'gpt_output_dim': 32, 'gpt_hidden_dim': 32, 'gpt_n_layer': 1,
              'gpt_n_head': 2, 'dropout': 0.0, 'vqvae_embedding_dim': 16,
              'vqvae_enc_hidden_dim': 16}}
STEPS = 8


def make(folder: Path, kind: str) -> None:
    """Write a checkpoint with random weights."""
    from lerobot.configs import FeatureType
    from lerobot.configs import PolicyFeature
    from lerobot.policies import get_policy_class
    from lerobot.policies import make_policy_config
    from lerobot.policies import make_pre_post_processors
    torch.manual_seed(0)
    config = make_policy_config(
        kind, **SIZES[kind], pretrained_backbone_weights=None, device='cpu',
        input_features={FRONT: PolicyFeature(FeatureType.VISUAL, (3, 96, 96)),
                        STATE: PolicyFeature(FeatureType.STATE, (6,))},
        output_features={ACTION: PolicyFeature(FeatureType.ACTION, (6,))})
    policy = get_policy_class(kind)(config).eval()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        for name, flag in policy.named_buffers():
            # Past the first stage of VQ-BeT, in which it learns the codes.
            if name.endswith(('discretized', 'freeze_codebook')):
                flag.fill_(True)
    span = torch.arange(1.0, 7.0)
    vector = {'min': -span, 'max': span, 'mean': 0.1 * span, 'std': 0.5 * span}
    picture = {'mean': torch.full((3, 1, 1), 0.5), 'std': torch.full((3, 1, 1), 0.25)}
    stats = {FRONT: picture, STATE: vector, ACTION: vector}
    for part in (policy, *make_pre_post_processors(config, dataset_stats=stats)):
        part.save_pretrained(folder)


def resave(old: Path, new: Path) -> None:
    """Bring a checkpoint through our code."""
    from apprentice_policies.checkpoint import load_pretrained
    from apprentice_policies.checkpoint import save_pretrained
    save_pretrained(new, *load_pretrained(old))


def act(folder: Path, way: str) -> dict[str, Any]:
    """Return actions, their chunk and a loss, for observations that follow from a seed."""
    if way == 'ours':
        from apprentice_policies import load
    else:
        from apprentice_policies.lerobot_adapter import load
    torch.set_num_threads(1)
    loaded = load(folder, 'cpu')
    rng = np.random.default_rng(0)
    frames = [{FRONT: rng.integers(0, 256, (96, 96, 3), dtype=np.uint8),
               STATE: rng.normal(size=6)} for _ in range(STEPS)]
    torch.manual_seed(1)
    actions = [loaded.act(frame) for frame in frames]
    loaded.reset()
    again = [loaded.act(frame, torch.Generator().manual_seed(3)) for frame in frames]
    loaded.reset()
    repeated = [loaded.act(frame, torch.Generator().manual_seed(3)) for frame in frames]
    config = loaded.policy.config
    return {'type': config.type, 'actions': np.array(actions).tolist(),
            'seeded': np.array_equal(again, repeated), 'loss': _loss(loaded, frames),
            'inputs': {key: [value.type.value, *value.shape]
                       for key, value in config.input_features.items()}}


def _loss(loaded: Any, frames: list[dict[str, Any]]) -> float:
    config = loaded.policy.config
    batch, _ = loaded.batch(frames[0])
    if config.observation_delta_indices is not None:
        batch = {key: torch.stack([value] * len(config.observation_delta_indices), 1)
                 for key, value in batch.items()}
    size = len(config.action_delta_indices)
    batch[ACTION] = torch.linspace(-3, 3, 6 * size).reshape(1, size, 6)
    batch[f'{ACTION}_is_pad'] = torch.zeros(1, size, dtype=torch.bool)
    torch.manual_seed(2)
    with torch.no_grad():
        loss, said = loaded.policy(loaded.preprocess(batch))
    assert all(isinstance(value, float) for value in said.values())
    return float(loss)


def main(todo: str, folder: str, argument: str) -> None:
    """Do what the command line says."""
    warnings.simplefilter('ignore')
    if todo == 'make':
        make(Path(folder), argument)
    elif todo == 'resave':
        resave(Path(folder), Path(argument))
    else:
        sys.stdout.write(json.dumps(act(Path(folder), argument)) + '\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
