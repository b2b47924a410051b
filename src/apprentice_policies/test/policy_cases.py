# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Small configurations, and inputs made by a rule; imports neither our packages nor lerobot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from zlib import crc32

import numpy as np

BATCH = 2
TASKS = ['pick up the red cube', 'put_it in the box\n']
FRONT, WRIST = 'observation.images.front', 'observation.images.wrist'
CLIP = 'assets/clip'
"""Where a case's CLIP lies, seen from the folder of its checkpoint; LeRobot asks for the name."""


@dataclass(frozen=True)
class Case:
    """A policy, the fields of its configuration that differ, and its features by shape."""

    policy: str
    config: dict[str, Any]
    cameras: dict[str, tuple[int, int]] = field(default_factory=lambda: {
        FRONT: (96, 96), WRIST: (96, 96)})
    state: int = 6
    environment: int = 0
    action: int = 6

    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return kind and shape of every input by key."""
        found = {key: ('VISUAL', (3, *size)) for key, size in self.cameras.items()}
        if self.state:
            found['observation.state'] = ('STATE', (self.state,))
        if self.environment:
            found['observation.environment_state'] = ('ENV', (self.environment,))
        return found

    def outputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return kind and shape of the action."""
        return {'action': ('ACTION', (self.action,))}


_ACT = {'pretrained_backbone_weights': None, 'dropout': 0.0, 'chunk_size': 8, 'n_action_steps': 2,
        'dim_model': 64, 'n_heads': 4, 'dim_feedforward': 128, 'n_encoder_layers': 2,
        'n_vae_encoder_layers': 2, 'latent_dim': 8}
_DIFFUSION = {'pretrained_backbone_weights': None, 'horizon': 16, 'n_action_steps': 2,
              'down_dims': (32, 64, 128), 'crop_shape': (84, 84), 'diffusion_step_embed_dim': 32,
              'spatial_softmax_num_keypoints': 8, 'num_train_timesteps': 20,
              'num_inference_steps': 5}
_VQBET = {'pretrained_backbone_weights': None, 'dropout': 0.0, 'n_obs_steps': 3,
          'n_action_pred_token': 2, 'action_chunk_size': 2, 'gpt_input_dim': 64,
          'gpt_output_dim': 64, 'gpt_hidden_dim': 64, 'gpt_n_layer': 2, 'gpt_n_head': 4,
          'gpt_block_size': 32, 'vqvae_embedding_dim': 32, 'vqvae_enc_hidden_dim': 32,
          'spatial_softmax_num_keypoints': 8}
_TDMPC = {'horizon': 3, 'mlp_dim': 32, 'latent_dim': 16, 'state_encoder_hidden_dim': 32,
          'cem_iterations': 2, 'n_gaussian_samples': 16, 'n_pi_samples': 4, 'n_elites': 5,
          'image_encoder_hidden_dim': 8}
_DIT = {'dropout': 0.0, 'horizon': 8, 'n_action_steps': 2, 'hidden_dim': 32, 'num_layers': 2,
        'num_heads': 4, 'timestep_embed_dim': 16, 'image_crop_shape': (64, 64),
        'num_train_timesteps': 20, 'num_inference_steps': 5, 'tokenizer_max_length': 32,
        'vision_encoder_name': CLIP, 'text_encoder_name': CLIP}

CASES = {
    'act': {
        'small': Case('act', _ACT),
        'altered': Case('act', {
            **_ACT, 'chunk_size': 12, 'n_action_steps': 5, 'pre_norm': True,
            'n_decoder_layers': 2, 'feedforward_activation': 'gelu', 'kl_weight': 3.0},
            {'observation.images.top': (64, 80), 'observation.images.left': (64, 80),
             'observation.images.gripper': (48, 64)}, state=7, environment=4, action=5),
        'ensemble': Case('act', {**_ACT, 'n_action_steps': 1, 'temporal_ensemble_coeff': 0.01}),
        'state only': Case('act', {**_ACT, 'use_vae': False}, {}, environment=9, action=3),
        'dilated': Case('act', {**_ACT, 'vision_backbone': 'resnet50',
                                'replace_final_stride_with_dilation': 1}, {FRONT: (64, 96)}),
    },
    'diffusion': {
        'small': Case('diffusion', _DIFFUSION),
        'altered': Case('diffusion', {
            **_DIFFUSION, 'n_obs_steps': 3, 'horizon': 24, 'n_action_steps': 7,
            'down_dims': (32, 64), 'kernel_size': 3, 'crop_shape': None, 'resize_shape': (80, 64),
            'crop_ratio': 0.9, 'use_group_norm': True, 'use_film_scale_modulation': False,
            'use_separate_rgb_encoder_per_camera': False, 'noise_scheduler_type': 'DDIM',
            'prediction_type': 'sample', 'do_mask_loss_for_padding': True},
            {'observation.images.top': (72, 96), 'observation.images.left': (72, 96),
             'observation.images.right': (72, 96)}, state=7, environment=3, action=4),
        'state only': Case('diffusion', {**_DIFFUSION, 'beta_schedule': 'linear'}, {},
                           environment=9, action=3),
    },
    'vqbet': {
        'small': Case('vqbet', _VQBET, {FRONT: (96, 96)}),
        'altered': Case('vqbet', {
            **_VQBET, 'n_obs_steps': 4, 'n_action_pred_token': 3, 'action_chunk_size': 3,
            'sequentially_select': True, 'crop_shape': (64, 72), 'vqvae_n_embed': 12},
            {'observation.images.eye': (72, 88)}, state=9, action=4),
    },
    'tdmpc': {
        'small': Case('tdmpc', _TDMPC, {'observation.image': (84, 84)}),
        'altered': Case('tdmpc', {
            **_TDMPC, 'horizon': 4, 'n_action_repeats': 1, 'n_action_steps': 3,
            'q_ensemble_size': 3}, {}, state=5, environment=4, action=3),
    },
    'multi_task_dit': {
        'small': Case('multi_task_dit', _DIT),
        'altered': Case('multi_task_dit', {
            **_DIT, 'n_obs_steps': 3, 'horizon': 12, 'n_action_steps': 5,
            'objective': 'flow_matching', 'num_integration_steps': 4, 'use_rope': False,
            'use_positional_encoding': True, 'use_separate_rgb_encoder_per_camera': True,
            'do_mask_loss_for_padding': True},
            {'observation.images.top': (72, 80), 'observation.images.left': (72, 80)},
            state=7, action=4),
    },
}


def draw(name: str, seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return normal float32 numbers that follow from a name and a seed."""
    # RandomState is frozen: its numbers are the same in every version of numpy.
    source = np.random.RandomState((crc32(name.encode()) + 7919 * seed) % 2 ** 32)
    return source.standard_normal(shape).astype(np.float32)


def statistics(case: Case, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Return a dataset's statistics of every feature, float32."""
    found = {}
    for key, (kind, shape) in {**case.inputs(), **case.outputs()}.items():
        if kind == 'VISUAL':
            values = {'min': np.zeros(3), 'max': np.ones(3), 'mean': np.array([0.49, 0.46, 0.41]),
                      'std': np.array([0.23, 0.22, 0.225])}
            values = {name: value.reshape(3, 1, 1) for name, value in values.items()}
        else:
            low = -50 - 5 * abs(draw(f'{key} low', seed, shape))
            high = 50 + 5 * abs(draw(f'{key} high', seed, shape))
            values = {'min': low, 'max': high, 'mean': (low + high) / 2,
                      'std': 25 + abs(draw(f'{key} std', seed, shape)), 'q01': low + 2,
                      'q99': high - 2, 'q10': low + 10, 'q90': high - 10}
        found[key] = {name: value.astype(np.float32) for name, value in values.items()}
    return found


def training_batch(case: Case, seed: int, config: Any) -> dict[str, Any]:
    """Return what a dataset would give, before the preprocessor; the last actions are padded."""
    lead = _lead(config.observation_delta_indices)
    batch: dict[str, Any] = {'index': np.arange(BATCH), 'task': list(TASKS)}
    for key, (kind, shape) in case.inputs().items():
        batch[key] = _value(f'batch {key}', seed, kind, (*lead, *shape))
        batch[f'{key}_is_pad'] = np.zeros(lead, bool)
    lead = _lead(config.action_delta_indices)
    batch['action'] = _value('batch action', seed, 'ACTION', (*lead, case.action))
    batch['action_is_pad'] = np.zeros(lead, bool)
    batch['action_is_pad'][-1, -max(1, lead[-1] // 4):] = True
    if config.reward_delta_indices is not None:
        lead = _lead(config.reward_delta_indices)
        batch['next.reward'] = abs(draw('reward', seed, lead))
        batch['next.reward_is_pad'] = np.zeros(lead, bool)
    return batch


def frame(case: Case, seed: int, number: int) -> dict[str, Any]:
    """Return one observation of a batch of robots, before the preprocessor."""
    found: dict[str, Any] = {
        key: _value(f'frame {number} {key}', seed, kind, (BATCH, *shape))
        for key, (kind, shape) in case.inputs().items()}
    return {**found, 'task': list(TASKS)}


def _lead(deltas: Iterable[int] | None) -> tuple[int, ...]:
    return (BATCH,) if deltas is None else (BATCH, len(list(deltas)))


def _value(name: str, seed: int, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    if kind != 'VISUAL':
        return 20 * draw(name, seed, shape)
    # Smooth waves on the grid of 1/255, as decoded pictures are.
    *lead, height, width = shape
    fy, fx, phase = (draw(f'{name} {part}', seed, (*lead, 1, 1)) for part in ('y', 'x', 'phase'))
    y, x = np.linspace(0, 6, height)[:, None], np.linspace(0, 6, width)
    return (np.round(127.5 + 100 * np.sin(fy * 2 * y + fx * 2 * x + 3 * phase))
            / 255).astype(np.float32)
