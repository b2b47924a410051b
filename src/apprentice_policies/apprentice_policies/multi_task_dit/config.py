# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The settings of the multi-task diffusion transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import ClassVar
import warnings

from apprentice_policies.config import normalization
from apprentice_policies.config import PolicyConfig
from apprentice_policies.denoising_config import DenoisingConfig
from apprentice_policies.features import NormalizationMode


@PolicyConfig.register_subclass('multi_task_dit')
@dataclass
class MultiTaskDiTConfig(DenoisingConfig):
    """A transformer denoises actions, conditioned on CLIP's view of pictures and of the task."""

    TITLE: ClassVar[str] = ('A Careful Examination of Large Behavior Models for Multitask '
                            'Dexterous Manipulation, TRI LBM Team 2025, arXiv 2507.05331')

    n_obs_steps: int = 2
    horizon: int = 32
    n_action_steps: int = 24

    objective: str = 'diffusion'
    noise_scheduler_type: str = 'DDPM'
    num_train_timesteps: int = 100
    beta_schedule: str = 'squaredcos_cap_v2'
    beta_start: float = 0.0001
    beta_end: float = 0.02
    prediction_type: str = 'epsilon'
    clip_sample: bool = True
    clip_sample_range: float = 1.0
    num_inference_steps: int | None = None

    sigma_min: float = 0.0
    num_integration_steps: int = 100
    integration_method: str = 'euler'
    timestep_sampling_strategy: str = 'beta'
    timestep_sampling_s: float = 0.999
    timestep_sampling_alpha: float = 1.5
    timestep_sampling_beta: float = 1.0

    hidden_dim: int = 512
    num_layers: int = 6
    num_heads: int = 8
    dropout: float = 0.1
    use_positional_encoding: bool = False
    timestep_embed_dim: int = 256
    use_rope: bool = True
    rope_base: float = 10000.0

    vision_encoder_name: str = 'openai/clip-vit-base-patch16'
    use_separate_rgb_encoder_per_camera: bool = False
    vision_encoder_lr_multiplier: float = 0.1
    image_resize_shape: tuple[int, int] | None = None
    image_crop_shape: tuple[int, int] | None = (224, 224)
    image_crop_is_random: bool = True

    text_encoder_name: str = 'openai/clip-vit-base-patch16'
    tokenizer_max_length: int = 77
    tokenizer_padding: str = 'max_length'
    tokenizer_padding_side: str = 'right'
    tokenizer_truncation: bool = True

    normalization_mapping: dict[str, NormalizationMode] = normalization(
        VISUAL='MEAN_STD', STATE='MIN_MAX', ACTION='MIN_MAX')
    optimizer_lr: float = 2e-5
    optimizer_betas: tuple[float, float] = (0.95, 0.999)
    optimizer_eps: float = 1e-8
    optimizer_weight_decay: float = 0.0
    scheduler_name: str = 'cosine'
    scheduler_warmup_steps: int = 0
    do_mask_loss_for_padding: bool = False
    drop_n_last_frames: int | None = None

    def __post_init__(self) -> None:
        """Let episodes end where a chunk that is carried out ends."""
        super().__post_init__()
        if self.drop_n_last_frames is None:
            self.drop_n_last_frames = (
                self.horizon - self.n_action_steps - self.n_obs_steps + 1)

    def language_steps(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the tokenizer of the text tower."""
        return [('tokenizer_processor', {
            'max_length': self.tokenizer_max_length, 'task_key': 'task',
            'padding_side': self.tokenizer_padding_side, 'padding': self.tokenizer_padding,
            'truncation': self.tokenizer_truncation, 'tokenizer_name': self.text_encoder_name})]

    def check(self) -> None:
        """Refuse what the network cannot be built from."""
        super().check()
        self._check_flow()
        self.demand(self.num_heads > 0 and self.hidden_dim % self.num_heads == 0, 'hidden_dim',
                    f'a multiple of num_heads ({self.num_heads})')
        self.demand(not self.use_rope or self.hidden_dim // self.num_heads % 2 == 0, 'use_rope',
                    'false, for hidden_dim / num_heads is odd')
        self.demand(self.timestep_embed_dim >= 4 and self.timestep_embed_dim % 2 == 0,
                    'timestep_embed_dim', 'an even number from 4')
        self.demand(0 <= self.dropout <= 1, 'dropout', '0 to 1')
        for name in ('vision_encoder_name', 'text_encoder_name'):
            self.demand('clip' in getattr(self, name).lower(), name,
                        'a CLIP model, with clip in its name')

    def _check_flow(self) -> None:
        self.demand(self.objective in ('diffusion', 'flow_matching'), 'objective',
                    'diffusion or flow_matching')
        self.demand(0 <= self.sigma_min <= 1, 'sigma_min', '0 to 1')
        self.demand(self.num_integration_steps > 0, 'num_integration_steps', 'at least 1')
        self.demand(self.integration_method in ('euler', 'rk4'), 'integration_method',
                    'euler or rk4')
        self.demand(self.timestep_sampling_strategy in ('uniform', 'beta'),
                    'timestep_sampling_strategy', 'uniform or beta')
        self.demand(0 < self.timestep_sampling_s <= 1, 'timestep_sampling_s',
                    'above 0, at most 1')
        for name in ('timestep_sampling_alpha', 'timestep_sampling_beta'):
            self.demand(getattr(self, name) > 0, name, 'above 0')

    def check_features(self) -> None:
        """Give up a crop that is larger than the pictures."""
        super().check_features()
        for feature in self.images.values():
            have = tuple(self.image_resize_shape or feature.shape[1:])
            if self.image_crop_shape and any(
                    cut > size for cut, size in zip(self.image_crop_shape, have)):
                warnings.warn(f'policy.image_crop_shape: {self.image_crop_shape} does not fit '
                              f'into pictures of {have}; nothing is cut', stacklevel=2)
                self.image_crop_shape = None
