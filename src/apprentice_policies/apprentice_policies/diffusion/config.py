# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The settings of Diffusion Policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apprentice_policies.config import normalization
from apprentice_policies.config import PolicyConfig
from apprentice_policies.denoising_config import DenoisingConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import NormalizationMode

FINAL_GROUPS = 8
"""Groups of the U-Net's last norm, whatever `n_groups` says: so it is in LeRobot's checkpoints."""


@PolicyConfig.register_subclass('diffusion')
@dataclass
class DiffusionConfig(DenoisingConfig):
    """
    Diffusion Policy: a U-Net over time turns noise into actions.

    With `resize_shape` the crop follows from `crop_ratio`; without it `crop_shape` holds.
    """

    TITLE: ClassVar[str] = ('Diffusion Policy: Visuomotor Policy Learning via Action Diffusion, '
                            'Chi et al. 2023, arXiv 2303.04137')

    n_obs_steps: int = 2
    horizon: int = 64
    n_action_steps: int = 32
    normalization_mapping: dict[str, NormalizationMode] = normalization(
        VISUAL='MEAN_STD', STATE='MIN_MAX', ACTION='MIN_MAX')
    drop_n_last_frames: int = 7

    vision_backbone: str = 'resnet18'
    resize_shape: tuple[int, int] | None = None
    crop_ratio: float = 1.0
    crop_shape: tuple[int, int] | None = None
    crop_is_random: bool = True
    pretrained_backbone_weights: str | None = 'ResNet18_Weights.IMAGENET1K_V1'
    use_group_norm: bool = False
    spatial_softmax_num_keypoints: int = 32
    use_separate_rgb_encoder_per_camera: bool = True

    down_dims: tuple[int, ...] = (512, 1024, 2048)
    kernel_size: int = 5
    n_groups: int = 8
    diffusion_step_embed_dim: int = 128
    use_film_scale_modulation: bool = True
    gradient_checkpointing: bool = False

    noise_scheduler_type: str = 'DDPM'
    num_train_timesteps: int = 100
    beta_schedule: str = 'squaredcos_cap_v2'
    beta_start: float = 0.0001
    beta_end: float = 0.02
    prediction_type: str = 'epsilon'
    clip_sample: bool = True
    clip_sample_range: float = 1.0
    num_inference_steps: int | None = None

    compile_model: bool = False
    compile_mode: str = 'reduce-overhead'
    do_mask_loss_for_padding: bool = False

    optimizer_lr: float = 1e-4
    optimizer_betas: tuple[float, float] = (0.95, 0.999)
    optimizer_eps: float = 1e-8
    optimizer_weight_decay: float = 1e-6
    scheduler_name: str = 'cosine'
    scheduler_warmup_steps: int = 500

    def __post_init__(self) -> None:
        """Derive the crop from the size that pictures are scaled to."""
        super().__post_init__()
        if self.resize_shape is not None:
            self.crop_shape = None
            if self.crop_ratio < 1:
                height, width = self.resize_shape
                self.crop_shape = (int(height * self.crop_ratio), int(width * self.crop_ratio))

    def check(self) -> None:
        """Refuse what the network cannot be built from."""
        super().check()
        self.demand(self.vision_backbone.startswith('resnet'), 'vision_backbone',
                    'a name that begins with resnet')
        self.demand(self.resize_shape is None or min(self.resize_shape) > 0, 'resize_shape',
                    'a height and a width in pixels, both above 0')
        self.demand(0 < self.crop_ratio <= 1, 'crop_ratio', 'more than 0, at most 1')
        factor = 2 ** len(self.down_dims)
        self.demand(self.horizon % factor == 0, 'horizon',
                    f'a multiple of {factor}, which is 2 to the number of down_dims')
        self.demand(self.down_dims and all(
            width % self.n_groups == 0 for width in self.down_dims), 'down_dims',
            f'one number or more, all multiples of n_groups ({self.n_groups})')
        self.demand(self.down_dims[0] % FINAL_GROUPS == 0, 'down_dims',
                    f'a first number that is a multiple of {FINAL_GROUPS}')
        self.demand(self.kernel_size % 2 == 1, 'kernel_size', 'an odd number')
        self.demand(self.diffusion_step_embed_dim >= 4, 'diffusion_step_embed_dim', 'at least 4')
        self.demand(not (self.use_group_norm and self.pretrained_backbone_weights),
                    'use_group_norm', 'false with pretrained_backbone_weights, which need batch '
                    'norms')

    def check_features(self) -> None:
        """Refuse a crop that is larger than the pictures, too."""
        super().check_features()
        if self.crop_shape and self.resize_shape is None:
            for key, feature in self.images.items():
                if any(cut > have for cut, have in zip(self.crop_shape, feature.shape[1:])):
                    raise PolicyError(f'policy.crop_shape: found {self.crop_shape}, expected at '
                                      f'most the height and width of {key}, {feature.shape[1:]}')
