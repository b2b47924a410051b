# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Configuration of ACT, with LeRobot's fields and defaults."""

from __future__ import annotations

from dataclasses import dataclass

from apprentice_policies.config import normalization
from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import NormalizationMode
from apprentice_policies.optimization import AdamWConfig
from apprentice_policies.optimization import Preset


@PolicyConfig.register_subclass('act')
@dataclass
class ACTConfig(PolicyConfig):
    """
    Action chunking with transformers.

    `temporal_ensemble_coeff` (0.01 in the paper) averages all chunks that speak of a step; it
    needs `n_action_steps` 1. `replace_final_stride_with_dilation` is true or false, as a number.
    """

    TITLE = 'ACT (Zhao et al. 2023, arXiv 2304.13705)'

    n_obs_steps: int = 1
    chunk_size: int = 100
    n_action_steps: int = 100
    normalization_mapping: dict[str, NormalizationMode] = normalization(
        VISUAL='MEAN_STD', STATE='MEAN_STD', ACTION='MEAN_STD')
    vision_backbone: str = 'resnet18'
    pretrained_backbone_weights: str | None = 'ResNet18_Weights.IMAGENET1K_V1'
    replace_final_stride_with_dilation: int = False
    pre_norm: bool = False
    dim_model: int = 512
    n_heads: int = 8
    dim_feedforward: int = 3200
    feedforward_activation: str = 'relu'
    n_encoder_layers: int = 4
    n_decoder_layers: int = 1
    use_vae: bool = True
    latent_dim: int = 32
    n_vae_encoder_layers: int = 4
    temporal_ensemble_coeff: float | None = None
    dropout: float = 0.1
    kl_weight: float = 10.0
    optimizer_lr: float = 1e-5
    optimizer_weight_decay: float = 1e-4
    optimizer_lr_backbone: float = 1e-5

    def check(self) -> None:
        """Raise `PolicyError` where fields contradict each other."""
        self.demand(self.n_obs_steps == 1, 'n_obs_steps', '1: ACT reads one observation')
        self.demand(self.chunk_size > 0, 'chunk_size', 'at least 1')
        self.demand(0 < self.n_action_steps <= self.chunk_size, 'n_action_steps',
                    f'1 to chunk_size ({self.chunk_size})')
        self.demand(self.temporal_ensemble_coeff is None or self.n_action_steps == 1,
                    'n_action_steps', '1: temporal_ensemble_coeff is set, so every step predicts')
        self.demand(self.vision_backbone.startswith('resnet'), 'vision_backbone',
                    'a ResNet, such as resnet18')
        self.demand(self.feedforward_activation in ('relu', 'gelu'), 'feedforward_activation',
                    'relu or gelu')
        self.demand(self.dim_model % 4 == 0 and self.dim_model % self.n_heads == 0, 'dim_model',
                    f'a multiple of 4 and of n_heads ({self.n_heads})')

    def check_features(self) -> None:
        """Raise `PolicyError` where the features do not suit ACT."""
        if not self.images and self.environment_state is None:
            raise PolicyError(f'policy.input_features: found {list(self.input_features or ())}, '
                              'expected a camera or observation.environment_state')
        if self.action is None:
            raise PolicyError('policy.output_features: found '
                              f'{list(self.output_features or ())}, expected action')

    @property
    def action_delta_indices(self) -> list[int]:
        """Return 0 to `chunk_size` - 1."""
        return list(range(self.chunk_size))

    def preset(self) -> Preset:
        """Return AdamW at a constant rate."""
        return Preset(AdamWConfig(lr=self.optimizer_lr, weight_decay=self.optimizer_weight_decay))
