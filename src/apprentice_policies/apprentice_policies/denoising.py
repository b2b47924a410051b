# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Make actions out of noise, by diffusion or by flow matching.

A process says how actions are spoilt for training and how a network turns noise back into
actions. When `sample` evaluates the network is known beforehand (`times`), so that whatever
depends on time alone can be computed once for all evaluations.
"""

from __future__ import annotations

from collections.abc import Callable
import math
from typing import NamedTuple
from typing import Protocol

from apprentice_policies.errors import PolicyError
import torch
from torch import nn
from torch import Tensor

Predict = Callable[[Tensor, int], Tensor]
"""Evaluate a network on (B, T, A) at the time with this index in `times`."""

SCHEDULES = ('linear', 'scaled_linear', 'squaredcos_cap_v2')


class Process(Protocol):
    """What a policy needs of either process."""

    times: Tensor
    """(K,) times at which `sample` evaluates the network, as its step embedding takes them."""

    def corrupt(self, clean: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return spoilt actions, their times (B,) and what the network should say of them."""

    def sample(self, predict: Predict, noise: Tensor,
               generator: torch.Generator | None = None) -> Tensor:
        """Turn noise into actions of the same shape."""


class DiffusionSettings(Protocol):
    """The fields of a configuration that `Diffusion` reads."""

    noise_scheduler_type: str
    num_train_timesteps: int
    num_inference_steps: int | None
    beta_schedule: str
    beta_start: float
    beta_end: float
    prediction_type: str
    clip_sample: bool
    clip_sample_range: float


class Step(NamedTuple):
    """
    One step from a noisy sample x and the network's output o towards clean actions.

    First `clean = from_sample x + from_output o`, clipped, then the next sample is
    `to_clean clean + to_sample x + to_output o + spread noise`.
    """

    from_sample: float
    from_output: float
    to_clean: float
    to_sample: float
    to_output: float
    spread: float


class Diffusion(nn.Module):
    """
    Gaussian diffusion with DDPM's (Ho et al. 2020) or DDIM's (Song et al. 2020) sampler.

    Time is a step's number, 0 the cleanest. DDPM uses the smaller of the two posterior variances,
    DDIM adds no noise.
    """

    def __init__(self, config: DiffusionSettings) -> None:
        """Compute every coefficient once."""
        super().__init__()
        kept = torch.cumprod(1 - betas(config), 0)
        self._clip = config.clip_sample_range if config.clip_sample else None
        self._predicts_noise = config.prediction_type == 'epsilon'
        self.register_buffer('_signal', kept.sqrt(), persistent=False)
        self.register_buffer('_noise', (1 - kept).sqrt(), persistent=False)
        count = config.num_inference_steps or config.num_train_timesteps
        stride = config.num_train_timesteps // count
        times = range(stride * (count - 1), -1, -stride)
        self.register_buffer('times', torch.tensor(times), persistent=False)
        step = _ddpm if config.noise_scheduler_type == 'DDPM' else _ddim
        levels = [kept[time].item() for time in times] + [1.0]
        self._steps = [step(now, after, self._predicts_noise)
                       for now, after in zip(levels, levels[1:])]

    def corrupt(self, clean: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Draw noise, then one step a sample."""
        noise = torch.randn(clean.shape, dtype=clean.dtype, device=clean.device)
        time = torch.randint(0, len(self._signal), (len(clean),), device=clean.device)
        scale = (-1,) + (1,) * (clean.ndim - 1)
        noisy = (self._signal[time].view(scale) * clean + self._noise[time].view(scale) * noise)
        return noisy, time, noise if self._predicts_noise else clean

    def sample(self, predict: Predict, noise: Tensor,
               generator: torch.Generator | None = None) -> Tensor:
        """Run the sampler's steps; DDPM draws noise in all but the last."""
        sample = noise
        for index, step in enumerate(self._steps):
            output = predict(sample, index)
            clean = step.from_sample * sample + step.from_output * output
            if self._clip is not None:
                clean = clean.clamp_(-self._clip, self._clip)
            following = clean.mul_(step.to_clean).add_(sample, alpha=step.to_sample)
            if step.to_output:
                following.add_(output, alpha=step.to_output)
            if step.spread:
                drawn = torch.randn(sample.shape, dtype=sample.dtype, device=sample.device,
                                    generator=generator)
                following.add_(drawn, alpha=step.spread)
            sample = following
        return sample


def betas(config: DiffusionSettings) -> Tensor:
    """Return how much variance each step adds, float32 (num_train_timesteps,)."""
    count, first, last = config.num_train_timesteps, config.beta_start, config.beta_end
    if config.beta_schedule == 'linear':
        return torch.linspace(first, last, count, dtype=torch.float32, device='cpu')
    if config.beta_schedule == 'scaled_linear':
        return torch.linspace(first ** 0.5, last ** 0.5, count, dtype=torch.float32,
                              device='cpu') ** 2
    if config.beta_schedule == 'squaredcos_cap_v2':
        kept = [math.cos((step / count + 0.008) / 1.008 * math.pi / 2) ** 2
                for step in range(count + 1)]
        steps = [min(1 - after / now, 0.999) for now, after in zip(kept, kept[1:])]
        return torch.tensor(steps, dtype=torch.float32, device='cpu')
    raise PolicyError(f'policy.beta_schedule: found {config.beta_schedule!r}, expected one of '
                      f'{", ".join(SCHEDULES)}')


def _clean(kept: float, predicts_noise: bool) -> tuple[float, float]:
    if predicts_noise:
        return kept ** -0.5, -((1 - kept) / kept) ** 0.5
    return 0.0, 1.0


def _ddpm(now: float, after: float, predicts_noise: bool) -> Step:
    """Return the posterior's mean and spread, between two shares of the signal that is kept."""
    ratio = now / after
    to_clean = after ** 0.5 * (1 - ratio) / (1 - now)
    to_sample = ratio ** 0.5 * (1 - after) / (1 - now)
    spread = ((1 - after) / (1 - now) * (1 - ratio)) ** 0.5
    return Step(*_clean(now, predicts_noise), to_clean, to_sample, 0.0, spread)


def _ddim(now: float, after: float, predicts_noise: bool) -> Step:
    """Return the deterministic step along the noise that was predicted, before any clipping."""
    left = (1 - after) ** 0.5
    if predicts_noise:
        return Step(*_clean(now, True), after ** 0.5, 0.0, left, 0.0)
    per_noise = left / (1 - now) ** 0.5
    return Step(0.0, 1.0, after ** 0.5, per_noise, -per_noise * now ** 0.5, 0.0)


class FlowSettings(Protocol):
    """The fields of a configuration that `FlowMatching` reads."""

    sigma_min: float
    num_integration_steps: int
    integration_method: str
    timestep_sampling_strategy: str
    timestep_sampling_s: float
    timestep_sampling_alpha: float
    timestep_sampling_beta: float


class FlowMatching(nn.Module):
    """
    Straight paths from noise to actions (Lipman et al. 2022), with Euler's or RK4's integration.

    Time runs from 0, noise, to 1, actions; the network says the velocity.
    """

    def __init__(self, config: FlowSettings) -> None:
        """Lay the grid of times; RK4 also stops half way between two of them."""
        super().__init__()
        self._config = config
        count = config.num_integration_steps
        self._runge_kutta = config.integration_method == 'rk4'
        grid = torch.linspace(0, 1, (2 * count if self._runge_kutta else count) + 1)
        self.register_buffer('times', grid, persistent=False)

    def corrupt(self, clean: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Draw noise, then one time a sample: uniform, or mostly early, where noise is strong."""
        noise = torch.randn(clean.shape, dtype=clean.dtype, device=clean.device)
        time = self._draw_times(len(clean)).to(clean.device, clean.dtype)
        share = time.view((-1,) + (1,) * (clean.ndim - 1))
        gone = 1 - self._config.sigma_min
        return share * clean + (1 - gone * share) * noise, time, clean - gone * noise

    def _draw_times(self, count: int) -> Tensor:
        config = self._config
        if config.timestep_sampling_strategy == 'uniform':
            return torch.rand(count, device=self.times.device)
        shape = [torch.tensor(value, dtype=torch.float32, device=self.times.device)
                 for value in (config.timestep_sampling_alpha, config.timestep_sampling_beta)]
        drawn = torch.distributions.Beta(*shape).sample((count,))
        return config.timestep_sampling_s * (1 - drawn)

    def sample(self, predict: Predict, noise: Tensor,
               generator: torch.Generator | None = None) -> Tensor:
        """Integrate the velocity from 0 to 1; nothing is drawn."""
        sample, step = noise, 1 / self._config.num_integration_steps
        for index in range(self._config.num_integration_steps):
            if not self._runge_kutta:
                sample = sample + step * predict(sample, index)
                continue
            first = predict(sample, 2 * index)
            second = predict(sample + step / 2 * first, 2 * index + 1)
            third = predict(sample + step / 2 * second, 2 * index + 1)
            fourth = predict(sample + step * third, 2 * index + 2)
            sample = sample + step / 6 * (first + 2 * second + 2 * third + fourth)
        return sample


class StepEmbedding(nn.Module):
    """Sines, then cosines, of a time at geometrically falling frequencies, (K,) -> (K, width)."""

    def __init__(self, width: int) -> None:
        """Compute the frequencies, 1 to 1/10000."""
        super().__init__()
        half = width // 2
        frequencies = torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
        self.register_buffer('_frequencies', frequencies, persistent=False)

    def forward(self, time: Tensor) -> Tensor:
        """Embed times, whole numbers or fractions."""
        angle = time[:, None] * self._frequencies
        return torch.cat((angle.sin(), angle.cos()), 1)


def action_loss(output: Tensor, target: Tensor, padded: Tensor | None) -> Tensor:
    """Return the mean squared error of (B, T, A), without the steps where `padded` (B, T)."""
    error = nn.functional.mse_loss(output, target, reduction='none')
    if padded is None:
        return error.mean()
    known = ~padded[..., None]
    return (error * known).sum() / (known.sum() * error.shape[-1]).clamp(min=1)
