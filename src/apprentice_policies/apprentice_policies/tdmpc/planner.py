# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Plan actions in the model by the cross-entropy method.

Sequences are drawn from a Gaussian a step and from the policy, valued in the model, and the
Gaussian is drawn towards the best of them.
"""

from __future__ import annotations

from apprentice_policies.tdmpc.config import TDMPCConfig
from apprentice_policies.tdmpc.model import WorldModel
import torch
from torch import Tensor


def plan(config: TDMPCConfig, model: WorldModel, latent: Tensor, last: Tensor | None = None,
         generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """
    Return a sequence of actions and the mean of the best, (horizon, B, A) both.

    :param latent: where the plans begin, (B, latent).
    :param last: the mean of the plan made a step before; None at the start of an episode.
    """
    suggested = _suggest(config, model, latent, generator)
    mean = latent.new_zeros((config.horizon, len(latent), *config.action.shape))
    if last is not None:
        mean[:-1] = last[1:]
    std = torch.full_like(mean, config.max_std)
    for _ in range(config.cem_iterations):
        noise = torch.randn((config.horizon, config.n_gaussian_samples, *mean.shape[1:]),
                            generator=generator, device=mean.device, dtype=mean.dtype)
        drawn = (mean[:, None] + std[:, None] * noise).clamp(-1, 1)
        samples = torch.cat((drawn, suggested), 1)
        elites, weights = _best(config, samples, worth(config, model, latent, samples, generator))
        shares = weights[None, :, :, None]
        best = (shares * elites).sum(1)
        std = (shares * (elites - best[:, None]).square()).sum(1).sqrt()
        std = std.clamp(config.min_std, config.max_std)
        mean = torch.lerp(best, mean, config.gaussian_mean_momentum)
    chosen = torch.multinomial(weights.T, 1, generator=generator)[:, 0]
    return elites[:, chosen, torch.arange(len(chosen), device=chosen.device)], mean


def _suggest(config: TDMPCConfig, model: WorldModel, latent: Tensor,
             generator: torch.Generator | None) -> Tensor:
    """Return what the policy would do, (horizon, n_pi_samples, B, A)."""
    actions = []
    latent = latent.expand(config.n_pi_samples, *latent.shape)
    for _ in range(config.horizon):
        actions.append(model.act(latent, config.min_std, generator))
        latent, _ = model.step(latent, actions[-1])
    return torch.stack(actions)


def _best(config: TDMPCConfig, samples: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the elites (horizon, n_elites, B, A) and their weights (n_elites, B)."""
    values, places = values.nan_to_num(0).topk(config.n_elites, 0)
    places = places[None, :, :, None].expand(len(samples), -1, -1, samples.shape[-1])
    weights = torch.softmax(config.elite_weighting_temperature * values, 0)
    return samples.gather(1, places), weights


def worth(config: TDMPCConfig, model: WorldModel, latent: Tensor, actions: Tensor,
          generator: torch.Generator | None = None) -> Tensor:
    """
    Return what sequences (horizon, N, B, A) are worth from latent vectors (B, latent): (N, B).

    Earnings of the horizon and the smaller of two Q values after it, each less what the ensemble
    disagrees.
    """
    latent = latent.expand(actions.shape[1], *latent.shape)
    total, factor = 0.0, 1.0
    for action in actions:
        # The ensemble takes most of the time, and tells nothing where doubt costs nothing.
        doubt = (_doubt(config, model.q_values(latent, action))
                 if config.uncertainty_regularizer_coeff else 0.0)
        latent, reward = model.step(latent, action)
        total = total + factor * (reward - doubt)
        factor *= config.discount
    values = model.q_values(latent, model.act(latent, config.min_std, generator))
    pair = torch.randint(0, len(values), (2,), generator=generator, device=latent.device)
    return total + factor * (values[pair].amin(0) - _doubt(config, values))


def _doubt(config: TDMPCConfig, values: Tensor) -> Tensor:
    if len(values) == 1:
        return torch.zeros_like(values[0])
    return config.uncertainty_regularizer_coeff * values.std(0)
