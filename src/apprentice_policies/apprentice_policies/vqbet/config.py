# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Configuration of VQ-BeT, with LeRobot's fields and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import ClassVar

from apprentice_policies.config import normalization
from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.optimization import AdamConfig
from apprentice_policies.optimization import Preset
from apprentice_policies.optimization import VQBeTSchedulerConfig


@PolicyConfig.register_subclass('vqbet')
@dataclass
class VQBeTConfig(PolicyConfig):
    """Chunks of actions as two learned codes and an offset, from one camera and the joints."""

    n_obs_steps: int = 5
    n_action_pred_token: int = 3
    action_chunk_size: int = 5
    normalization_mapping: dict[str, Any] = normalization(
        VISUAL='IDENTITY', STATE='MIN_MAX', ACTION='MIN_MAX')
    vision_backbone: str = 'resnet18'
    crop_shape: tuple[int, int] | None = (84, 84)
    crop_is_random: bool = True
    pretrained_backbone_weights: str | None = 'ResNet18_Weights.IMAGENET1K_V1'
    use_group_norm: bool = False
    spatial_softmax_num_keypoints: int = 32
    n_vqvae_training_steps: int = 20000
    vqvae_n_embed: int = 16
    vqvae_embedding_dim: int = 256
    vqvae_enc_hidden_dim: int = 128
    gpt_block_size: int = 500
    gpt_input_dim: int = 512
    gpt_output_dim: int = 512
    gpt_n_layer: int = 8
    gpt_n_head: int = 8
    gpt_hidden_dim: int = 512
    dropout: float = 0.1
    offset_loss_weight: float = 10000.0
    primary_code_loss_weight: float = 5.0
    secondary_code_loss_weight: float = 0.5
    bet_softmax_temperature: float = 0.1
    sequentially_select: bool = False
    optimizer_lr: float = 1e-4
    optimizer_betas: tuple[float, float] = (0.95, 0.999)
    optimizer_eps: float = 1e-8
    optimizer_weight_decay: float = 1e-6
    optimizer_vqvae_lr: float = 1e-3
    optimizer_vqvae_weight_decay: float = 1e-4
    scheduler_warmup_steps: int = 500

    TITLE: ClassVar[str] = ('Behavior Generation with Latent Actions, Lee et al. 2024, '
                            'arXiv 2403.03181')

    @property
    def n_action_steps(self) -> int:
        """Return how many actions of a chunk are carried out: all."""
        return self.action_chunk_size

    @property
    def windows(self) -> int:
        """Return how many chunks, each beginning a frame later, one batch element predicts."""
        return self.n_obs_steps + self.n_action_pred_token - 1

    @property
    def tokens(self) -> int:
        """Return the length of the sequence: picture, state and query a step, later queries."""
        return 3 * self.n_obs_steps + self.n_action_pred_token - 1

    @property
    def observation_delta_indices(self) -> list[int]:
        """Return the frames up to now."""
        return list(range(1 - self.n_obs_steps, 1))

    @property
    def action_delta_indices(self) -> list[int]:
        """Return the frames of all windows."""
        return list(range(1 - self.n_obs_steps,
                          self.n_action_pred_token + self.action_chunk_size - 1))

    def preset(self) -> Preset:
        """Return Adam at the rate of the second stage; the parameter groups hold the first's."""
        return Preset(
            AdamConfig(lr=self.optimizer_lr, weight_decay=self.optimizer_weight_decay,
                       betas=self.optimizer_betas, eps=self.optimizer_eps),
            VQBeTSchedulerConfig(num_warmup_steps=self.scheduler_warmup_steps,
                                 num_vqvae_training_steps=self.n_vqvae_training_steps))

    def check(self) -> None:
        """Refuse sizes that do not fit together."""
        for name in ('n_obs_steps', 'n_action_pred_token', 'action_chunk_size', 'vqvae_n_embed'):
            self.demand(getattr(self, name) >= 1, name, 'a number from 1')
        self.demand(self.vision_backbone.startswith('resnet'), 'vision_backbone',
                    'a ResNet, such as resnet18')
        self.demand(self.gpt_hidden_dim % self.gpt_n_head == 0, 'gpt_hidden_dim',
                    f'a multiple of gpt_n_head, {self.gpt_n_head}')
        self.demand(self.gpt_block_size >= self.tokens, 'gpt_block_size',
                    f'at least {self.tokens}, the tokens of {self.n_obs_steps} observations and '
                    f'{self.n_action_pred_token} predictions')
        self.demand(self.bet_softmax_temperature > 0, 'bet_softmax_temperature',
                    'a number above 0')

    def check_features(self) -> None:
        """Refuse all but one picture and `observation.state` going in, `action` coming out."""
        images = self.images
        if len(images) != 1 or self.robot_state is None or len(self.input_features) != 2:
            raise PolicyError(
                f'vqbet: found the inputs {sorted(self.input_features or ())}, expected exactly '
                'one picture and observation.state; leave out the others in '
                'policy.input_features, or take a policy that reads several, such as act')
        if self.action is None:
            raise PolicyError(f'vqbet: found the outputs {sorted(self.output_features or ())}, '
                              'expected action')
        (key, image), = images.items()
        if self.crop_shape and any(want > have for want, have in zip(self.crop_shape,
                                                                     image.shape[1:])):
            raise PolicyError(f'policy.crop_shape: found {tuple(self.crop_shape)}, expected a '
                              f'size within {tuple(image.shape[1:])}, that of {key}')
