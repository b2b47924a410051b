# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The model of the task: what is seen, what comes next, what it earns, what it is worth.

Everything happens in a latent vector. Shapes are (..., latent) and (..., A), any number of axes
in front.
"""

from __future__ import annotations

from apprentice_policies.features import STATE
from apprentice_policies.policy import Batch
from apprentice_policies.tdmpc.config import TDMPCConfig
import torch
from torch import nn
from torch import Tensor


class Encoder(nn.Module):
    """The mean of one latent vector a kind of observation."""

    def __init__(self, config: TDMPCConfig) -> None:
        """Build what the features need."""
        super().__init__()
        self.image_key = next(iter(config.images), None)
        self.environment_key = config.environment_key if config.environment_state else None
        self.reads_state = config.robot_state is not None
        if self.image_key:
            self.image_enc_layers = _image_layers(config)
        if self.reads_state:
            self.state_enc_layers = _vector_layers(config, config.robot_state.shape[0])
        if self.environment_key:
            self.env_state_enc_layers = _vector_layers(config, config.environment_state.shape[0])

    def forward(self, observation: Batch) -> Tensor:
        """Map observations (..., D) and pictures (..., 3, H, W) to (..., latent)."""
        parts = []
        if self.image_key:
            images = observation[self.image_key]
            seen = self.image_enc_layers(images.flatten(0, -4))
            parts.append(seen.view(*images.shape[:-3], -1))
        if self.environment_key:
            parts.append(self.env_state_enc_layers(observation[self.environment_key]))
        if self.reads_state:
            parts.append(self.state_enc_layers(observation[STATE]))
        return torch.stack(parts).mean(0)


class WorldModel(nn.Module):
    """Encoder, dynamics, reward, policy, an ensemble of Q and V, under LeRobot's names."""

    def __init__(self, config: TDMPCConfig) -> None:
        """Start orthogonal; rewards and values of actions start at zero."""
        super().__init__()
        latent, width, (action_dim,) = config.latent_dim, config.mlp_dim, config.action.shape
        self._encoder = Encoder(config)
        self._dynamics = nn.Sequential(*_layers(latent + action_dim, width, latent),
                                       nn.LayerNorm(latent), nn.Sigmoid())
        self._reward = _layers(latent + action_dim, width, 1)
        self._pi = _layers(latent, width, action_dim)
        self._Qs = nn.ModuleList(_value_layers(latent + action_dim, width)
                                 for _ in range(config.q_ensemble_size))
        self._V = _value_layers(latent, width)
        self.apply(_start)
        for last in (self._reward[-1], *(value[-1] for value in self._Qs)):
            nn.init.zeros_(last.weight)

    @property
    def image_key(self) -> str | None:
        """Return the key of the picture that is read."""
        return self._encoder.image_key

    @property
    def ensemble(self) -> int:
        """Return how many Q functions there are."""
        return len(self._Qs)

    def encode(self, observation: Batch) -> Tensor:
        """Return the latent vector of an observation."""
        return self._encoder(observation)

    def step(self, latent: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Return what comes after an action, (..., latent), and what it earns, (...)."""
        both = torch.cat((latent, action), -1)
        return self._dynamics(both), self._reward(both)[..., 0]

    def act(self, latent: Tensor, std: float = 0.0,
            generator: torch.Generator | None = None) -> Tensor:
        """Return the policy's action, within (-1, 1) before noise of a standard deviation."""
        action = torch.tanh(self._pi(latent))
        if std > 0:
            action = action + std * torch.randn(action.shape, generator=generator,
                                                device=action.device, dtype=action.dtype)
        return action

    def q_values(self, latent: Tensor, action: Tensor, members: list[int] | None = None) -> Tensor:
        """Return what an action is worth to each member of the ensemble, (members, ...)."""
        both = torch.cat((latent, action), -1)
        chosen = self._Qs if members is None else [self._Qs[number] for number in members]
        return torch.stack([value(both)[..., 0] for value in chosen])

    def value(self, latent: Tensor) -> Tensor:
        """Return what a latent vector is worth, (...)."""
        return self._V(latent)[..., 0]


def _layers(entering: int, width: int, leaving: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(entering, width), nn.LayerNorm(width), nn.Mish(),
                         nn.Linear(width, width), nn.LayerNorm(width), nn.Mish(),
                         nn.Linear(width, leaving))


def _value_layers(entering: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(entering, width), nn.LayerNorm(width), nn.Tanh(),
                         nn.Linear(width, width), nn.ELU(), nn.Linear(width, 1))


def _vector_layers(config: TDMPCConfig, entering: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(entering, config.state_encoder_hidden_dim), nn.ELU(),
                         nn.Linear(config.state_encoder_hidden_dim, config.latent_dim),
                         nn.LayerNorm(config.latent_dim), nn.Sigmoid())


def _image_layers(config: TDMPCConfig) -> nn.Sequential:
    channels, side = config.image_encoder_hidden_dim, next(iter(config.images.values())).shape[1]
    layers, entering = [], 3
    for size in (7, 5, 3, 3):
        layers += [nn.Conv2d(entering, channels, size, 2), nn.ReLU()]
        entering, side = channels, (side - size) // 2 + 1
    return nn.Sequential(*layers, nn.Flatten(),
                         nn.Linear(channels * side * side, config.latent_dim),
                         nn.LayerNorm(config.latent_dim), nn.Sigmoid())


def _start(part: nn.Module) -> None:
    if isinstance(part, nn.Linear | nn.Conv2d):
        gain = nn.init.calculate_gain('relu') if isinstance(part, nn.Conv2d) else 1.0
        nn.init.orthogonal_(part.weight, gain)
        nn.init.zeros_(part.bias)
