# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Noise schedules, samplers and losses of denoising, against what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from apprentice_policies.denoising import action_loss
from apprentice_policies.denoising import betas
from apprentice_policies.denoising import Diffusion
from apprentice_policies.denoising import FlowMatching
from apprentice_policies.denoising import StepEmbedding
from apprentice_policies.errors import PolicyError
import pytest
import torch
from torch import Tensor

DIFFUSION = {'noise_scheduler_type': 'DDPM', 'num_train_timesteps': 20,
             'num_inference_steps': None, 'beta_schedule': 'squaredcos_cap_v2',
             'beta_start': 1e-4, 'beta_end': 0.02, 'prediction_type': 'epsilon',
             'clip_sample': False, 'clip_sample_range': 1.0}
FLOW = {'sigma_min': 0.0, 'num_integration_steps': 4, 'integration_method': 'euler',
        'timestep_sampling_strategy': 'beta', 'timestep_sampling_s': 0.999,
        'timestep_sampling_alpha': 1.5, 'timestep_sampling_beta': 1.0}
SHAPE = (3, 8, 2)


@pytest.fixture(autouse=True)
def _settled() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def diffusion(**changes: Any) -> Diffusion:
    return Diffusion(SimpleNamespace(**{**DIFFUSION, **changes}))


def flow(**changes: Any) -> FlowMatching:
    return FlowMatching(SimpleNamespace(**{**FLOW, **changes}))


def kept(**changes: Any) -> Tensor:
    """Return the share of the clean signal's variance that is left after each step."""
    return torch.cumprod(1 - betas(SimpleNamespace(**{**DIFFUSION, **changes})), 0)


def all_knowing(process: Diffusion, clean: Tensor,
                says: str) -> Callable[[Tensor, int], Tensor]:
    """Return a network that knows the clean actions, and says them or the noise."""
    left = kept()

    def predict(sample: Tensor, index: int) -> Tensor:
        share = left[process.times[index]]
        noise = (sample - share.sqrt() * clean) / (1 - share).sqrt()
        return noise if says == 'epsilon' else clean
    return predict


def test_the_cosine_schedule() -> None:
    """It keeps less of the signal at every step, and next to nothing at the last."""
    left = kept()
    assert (left.diff() < 0).all()
    assert left[0] > 0.98
    assert left[-1] < 1e-4
    assert betas(SimpleNamespace(**DIFFUSION)).max() <= 0.999


def test_linear_schedules_begin_and_end_where_they_are_told() -> None:
    """The betas reach both ends, evenly or by their roots."""
    for name in ('linear', 'scaled_linear'):
        values = betas(SimpleNamespace(**{**DIFFUSION, 'beta_schedule': name}))
        assert values[[0, -1]].tolist() == pytest.approx([1e-4, 0.02])
    assert values[10] < 0.0101, 'the root is what grows evenly'


def test_an_unknown_schedule_is_refused() -> None:
    """The error names the schedules that are known."""
    with pytest.raises(PolicyError, match="beta_schedule: found 'sigmoid'.*squaredcos_cap_v2"):
        diffusion(beta_schedule='sigmoid')


@pytest.mark.parametrize('says', ['epsilon', 'sample'])
def test_spoilt_actions(says: str) -> None:
    """They are the share that the schedule keeps and, for the rest, noise."""
    clean = torch.rand(SHAPE)
    noisy, time, target = diffusion(prediction_type=says).corrupt(clean)
    share = kept()[time].view(-1, 1, 1)
    noise = (noisy - share.sqrt() * clean) / (1 - share).sqrt()
    assert torch.allclose(target, clean if says == 'sample' else noise, atol=1e-4)


@pytest.mark.parametrize('says', ['epsilon', 'sample'])
@pytest.mark.parametrize('steps', [None, 1, 3, 20])
@pytest.mark.parametrize('kind', ['DDPM', 'DDIM'])
def test_a_network_that_knows_the_answer_is_believed(kind: str, steps: int | None,
                                                     says: str) -> None:
    """Every sampler finds the clean actions, in any number of steps."""
    process = diffusion(noise_scheduler_type=kind, num_inference_steps=steps,
                        prediction_type=says)
    clean = torch.rand(SHAPE) * 2 - 1
    found = process.sample(all_knowing(process, clean, says), torch.randn(SHAPE))
    assert torch.allclose(found, clean, atol=1e-3)


@pytest.mark.parametrize(('steps', 'times'), [
    (5, [16, 12, 8, 4, 0]), (7, [12, 10, 8, 6, 4, 2, 0]), (1, [0])])
def test_fewer_steps_are_spread_from_the_cleanest_on(steps: int, times: list[int]) -> None:
    """The times are evenly apart and end at zero."""
    assert diffusion(num_inference_steps=steps).times.tolist() == times


def test_ddpm_leaves_the_spread_of_actions() -> None:
    """The exact noise of unit normal data must give unit normal actions at every step count."""
    process = diffusion(num_train_timesteps=100)
    left = kept(num_train_timesteps=100)

    def predict(sample: Tensor, index: int) -> Tensor:
        return (1 - left[process.times[index]]).sqrt() * sample
    found = process.sample(predict, torch.randn(20000, 1, 1))
    assert found.std().item() == pytest.approx(1, abs=0.02)


def test_clean_actions_are_clipped_on_the_way() -> None:
    """No sample leaves the range that it is clipped to."""
    process = diffusion(prediction_type='sample', clip_sample=True, clip_sample_range=0.5)
    found = process.sample(lambda sample, index: torch.full_like(sample, 3), torch.randn(SHAPE))
    assert torch.equal(found, torch.full(SHAPE, 0.5))


def test_what_samplers_draw() -> None:
    """DDIM draws nothing, and DDPM from the generator alone."""
    start = torch.randn(SHAPE)
    found = []
    for kind in ('DDIM', 'DDPM'):
        process = diffusion(noise_scheduler_type=kind)
        for seed in (1, 1, 2):
            before = torch.get_rng_state()
            found.append(process.sample(lambda sample, index: 0.1 * sample, start,
                                        torch.Generator().manual_seed(seed)))
            assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(found[0], found[2])
    assert torch.equal(found[3], found[4])
    assert not torch.equal(found[4], found[5])


def test_flow_goes_straight() -> None:
    """It leads from noise at time zero to actions at time one."""
    clean = torch.rand(SHAPE)
    process = flow(sigma_min=0.1)
    noisy, time, velocity = process.corrupt(clean)
    share = time.view(-1, 1, 1)
    noise = (clean - velocity) / 0.9
    assert torch.allclose(noisy, share * clean + (1 - 0.9 * share) * noise, atol=1e-6)
    assert torch.allclose(noisy + (1 - share) * velocity, clean + 0.1 * noise, atol=1e-6)


@pytest.mark.parametrize(('strategy', 'mean'), [('uniform', 0.5), ('beta', 0.4)])
def test_times_are_drawn_as_told(strategy: str, mean: float) -> None:
    """The mean of s (1 - u) is s (1 - alpha / (alpha + beta)), 0.3996 here."""
    time = flow(timestep_sampling_strategy=strategy).corrupt(torch.zeros(20000, 1, 1))[1]
    assert time.mean().item() == pytest.approx(mean, abs=0.01)
    assert 0 <= time.min()
    assert time.max() <= 1


@pytest.mark.parametrize(('method', 'error', 'calls'), [('euler', 0.3, 4), ('rk4', 1e-4, 16)])
def test_integration_of_a_known_equation(method: str, error: float, calls: int) -> None:
    """Solve x' = x, whose answer is e: Euler of four steps gives 2.44, RK4 is far closer."""
    process = flow(integration_method=method)
    times = []

    def predict(sample: Tensor, index: int) -> Tensor:
        times.append(process.times[index].item())
        return sample
    found = process.sample(predict, torch.ones(1, 1, 1)).item()
    assert abs(found - torch.e) < error
    assert found == pytest.approx(1.25 ** 4 if method == 'euler' else torch.e, abs=1e-3)
    assert len(times) == calls
    assert times == sorted(times)


def test_integration_asks_at_the_times_that_it_says() -> None:
    """For x' = t the answer is the square of time over two, exact for RK4."""
    process = flow(integration_method='rk4')
    found = process.sample(lambda sample, index: process.times[index].expand_as(sample),
                           torch.zeros(1, 1, 1)).item()
    assert found == pytest.approx(0.5, abs=1e-6)


def test_a_step_is_embedded() -> None:
    """Sines come first, then cosines, each from fast to slow."""
    found = StepEmbedding(6)(torch.tensor([0.0, 2.0]))
    slow = [2.0, 2.0 / 100, 2.0 / 10000]
    assert found[0].tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.allclose(found[1], torch.cat((torch.tensor(slow).sin(),
                                               torch.tensor(slow).cos())))


def test_padded_actions_do_not_count() -> None:
    """The loss is a mean over real actions, and zero where there are none."""
    output, target = torch.zeros(2, 4, 3), torch.ones(2, 4, 3)
    padded = torch.zeros(2, 4, dtype=torch.bool)
    padded[0, 2:] = True
    target[padded] = 100
    assert action_loss(output, target, padded).item() == 1
    assert action_loss(output, target, None).item() > 1000
    assert action_loss(output, target, torch.ones_like(padded)).item() == 0
