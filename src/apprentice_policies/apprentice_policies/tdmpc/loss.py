# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
The loss of TD-MPC: consistency, reward, Q, V by expectile and the policy by advantage.

Time is the first axis here, (H, B, ...).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from apprentice_policies.errors import PolicyError
from apprentice_policies.features import ACTION
from apprentice_policies.features import STATE
from apprentice_policies.policy import Batch
from apprentice_policies.tdmpc.config import TDMPCConfig
from apprentice_policies.tdmpc.model import WorldModel
import numpy as np
import torch
from torch import Tensor
import torch.nn.functional as functional

REWARD = 'next.reward'
TERMINATED = 'next.terminated'
MOST_ADVANTAGE = 100.0
"""How much one action can weigh in the policy's loss."""


@dataclass
class Trajectories:
    """A batch with time first, and which parts of it count (1) or are padding (0)."""

    observation: dict[str, Tensor]
    """(H + 1, B, ...)"""
    action: Tensor
    """(H, B, A)"""
    reward: Tensor
    """(H, B)"""
    goes_on: Tensor
    """(H, B), 0 where the task is over after the step"""
    acts: Tensor
    """(H, B), the action and the first observation are real"""
    arrives: Tensor
    """(H, B), the observation after the action is real too"""
    earns: Tensor
    """(H, B), the reward is real"""

    @classmethod
    def of(cls, config: TDMPCConfig, batch: Batch) -> Self:
        """Take a batch (B, H, ...); raise `PolicyError` where it has no rewards."""
        if REWARD not in batch:
            raise PolicyError(f'tdmpc: found a batch of {sorted(batch)}, expected {REWARD} too; '
                              'take a dataset that records rewards')
        keys = list(config.input_features)
        padded = f'{STATE if STATE in keys else keys[0]}_is_pad'
        action, reward = batch[ACTION].transpose(0, 1), batch[REWARD].transpose(0, 1)
        real = _real(batch, padded, action.new_ones(len(action) + 1, action.shape[1]))
        acts = real[0] * _real(batch, f'{ACTION}_is_pad', torch.ones_like(reward))
        return cls(
            observation={key: batch[key].transpose(0, 1) for key in keys},
            action=action, reward=reward, acts=acts, arrives=acts * real[1:],
            goes_on=_real(batch, TERMINATED, torch.ones_like(reward)),
            earns=_real(batch, f'{REWARD}_is_pad', torch.ones_like(reward)))


def _real(batch: Batch, key: str, otherwise: Tensor) -> Tensor:
    return (~batch[key]).to(otherwise.dtype).transpose(0, 1) if key in batch else otherwise


def trajectory_loss(config: TDMPCConfig, model: WorldModel, target: WorldModel, data: Trajectories
                    ) -> tuple[Tensor, dict[str, float]]:
    """Return the weighted sum of the five losses, and figures."""
    seen = augmented(config, model, data.observation)
    steps = len(data.action)
    decay = config.temporal_decay_coeff ** torch.arange(steps, device=data.action.device)
    decay = decay[:, None]
    latents, rewards = roll_out(model, seen, data.action)
    with torch.no_grad():
        later = {key: value[1:] for key, value in seen.items()}
        goal = target.encode(later)
        worth = data.reward + config.discount * data.goes_on * model.value(model.encode(later))
        least = _least(target, latents[:-1].detach(), data.action)
    here = latents[:-1]
    consistency = (latents[1:] - goal).square().mean(-1) * data.arrives
    reward = (rewards - data.reward).square() * data.earns * data.acts
    values = model.q_values(here, data.action)
    q = (values - worth).square().sum(0) * data.earns * data.arrives
    value = model.value(here)
    v = expectile(least - value, config.expectile_weight) * data.acts
    with torch.no_grad():
        fixed = here.detach()
        advantage = _least(target, fixed, data.action) - model.value(fixed)
        weight = (config.advantage_scaling * advantage).exp().clamp(max=MOST_ADVANTAGE)
    pi = weight * (model.act(fixed) - data.action).square().sum(-1) * data.acts
    parts = {'consistency_loss': (config.consistency_coeff, (decay * consistency).sum(0).mean()),
             'reward_loss': (config.reward_coeff, (decay * reward).sum(0).mean()),
             'Q_value_loss': (config.value_coeff, (decay * q).sum(0).mean()),
             'V_value_loss': (config.value_coeff, (decay * v).sum(0).mean()),
             'pi_loss': (config.pi_coeff, (decay * pi).mean())}
    loss = sum(coefficient * part for coefficient, part in parts.values())
    return loss, {**{name: part.item() for name, (_, part) in parts.items()},
                  'Q': values.mean().item(), 'V': value.mean().item(),
                  'advantage': advantage.mean().item(), 'sum_loss': loss.item() * steps}


def roll_out(model: WorldModel, seen: dict[str, Tensor], actions: Tensor
             ) -> tuple[Tensor, Tensor]:
    """Return the latent vectors (H + 1, B, latent) that the model expects, and rewards (H, B)."""
    latents = [model.encode({key: value[0] for key, value in seen.items()})]
    rewards = []
    for action in actions:
        latent, reward = model.step(latents[-1], action)
        latents.append(latent)
        rewards.append(reward)
    return torch.stack(latents), torch.stack(rewards)


def _least(target: WorldModel, latents: Tensor, actions: Tensor) -> Tensor:
    """Return the smaller of two Q values; members are drawn by numpy, as LeRobot draws them."""
    pair = np.random.choice(target.ensemble, 2)
    return target.q_values(latents, actions, pair.tolist()).amin(0)


def expectile(difference: Tensor, weight: float) -> Tensor:
    """Return squares that weigh more where the difference is positive (weight above 0.5)."""
    return torch.where(difference > 0, weight, 1 - weight) * difference.square()


def augmented(config: TDMPCConfig, model: WorldModel, observation: dict[str, Tensor]
              ) -> dict[str, Tensor]:
    """Return observations with every picture shifted by a few pixels of its own."""
    key = model.image_key
    if key is None or config.max_random_shift_ratio <= 0:
        return observation
    images = observation[key]
    most = round(config.max_random_shift_ratio * images.shape[-1])
    shifted = shift(images.flatten(0, 1), most).view(images.shape)
    return {**observation, key: shifted}


def shift(images: Tensor, most: int) -> Tensor:
    """Move each picture (N, C, H, W) by up to `most` pixels each way, edges repeated."""
    height, width = images.shape[-2:]
    by = torch.randint(0, 2 * most + 1, (len(images), 1, 1, 2), device=images.device)
    across, down = by.unbind(-1)
    padded = functional.pad(images, (most,) * 4, mode='replicate')
    rows = down + torch.arange(height, device=images.device)[:, None]
    columns = across + torch.arange(width, device=images.device)
    which = torch.arange(len(images), device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows, columns].permute(0, 3, 1, 2)
