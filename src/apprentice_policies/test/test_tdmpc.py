# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""TD-MPC: a model is learned from trajectories, actions are planned in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from apprentice_policies.errors import PolicyError  # noqa: E402, I100
from apprentice_policies.features import FeatureType  # noqa: E402
from apprentice_policies.features import PolicyFeature  # noqa: E402
from apprentice_policies.tdmpc.config import TDMPCConfig  # noqa: E402
from apprentice_policies.tdmpc.loss import expectile  # noqa: E402
from apprentice_policies.tdmpc.loss import shift  # noqa: E402
from apprentice_policies.tdmpc.planner import plan  # noqa: E402
from apprentice_policies.tdmpc.policy import TDMPCPolicy  # noqa: E402

STATE = PolicyFeature(FeatureType.STATE, (6,))
FRONT = 'observation.images.front'
PICTURE = PolicyFeature(FeatureType.VISUAL, (3, 48, 48))
ACTION = {'action': PolicyFeature(FeatureType.ACTION, (2,))}
SMALL = {'horizon': 3, 'mlp_dim': 16, 'latent_dim': 8, 'state_encoder_hidden_dim': 16,
         'cem_iterations': 3, 'n_gaussian_samples': 32, 'n_pi_samples': 4, 'n_elites': 6,
         'image_encoder_hidden_dim': 4}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    np.random.seed(0)


def config(inputs: dict[str, PolicyFeature] | None = None, **changes: Any) -> TDMPCConfig:
    return TDMPCConfig(input_features=inputs or {'observation.state': STATE},
                       output_features=ACTION, **{**SMALL, **changes})


def batch(inputs: dict[str, PolicyFeature] | None = None, count: int = 4,
          horizon: int = 3) -> dict[str, torch.Tensor]:
    found = {key: torch.rand(count, horizon + 1, *feature.shape)
             for key, feature in (inputs or {'observation.state': STATE}).items()}
    return {**found, 'action': torch.rand(count, horizon, 2) * 2 - 1,
            'next.reward': torch.rand(count, horizon)}


def loss_of(policy: TDMPCPolicy, data: dict[str, torch.Tensor]) -> float:
    np.random.seed(0)
    torch.manual_seed(0)
    return policy(data)[0].item()


class Line:
    """A world known exactly: the action moves a point, which wants to be at 0.3."""

    def act(self, latent: torch.Tensor, std: float = 0.0,
            generator: torch.Generator | None = None) -> torch.Tensor:
        return torch.zeros_like(latent)

    def step(self, latent: torch.Tensor,
             action: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        after = latent + 0.2 * action
        return after, -(after[..., 0] - 0.3).abs()

    def q_values(self, latent: torch.Tensor, action: torch.Tensor,
                 members: list[int] | None = None) -> torch.Tensor:
        return torch.zeros(2, *latent.shape[:-1])


def test_default_network_has_as_many_values_as_lerobots() -> None:
    """One camera, six joints and the settings of LeRobot make it as large."""
    inputs = {'observation.image': PolicyFeature(FeatureType.VISUAL, (3, 84, 84)),
              'observation.state': STATE}
    outputs = {'action': PolicyFeature(FeatureType.ACTION, (6,))}
    policy = TDMPCPolicy(TDMPCConfig(input_features=inputs, output_features=outputs))
    assert sum(value.numel() for value in policy.parameters()) == 5_486_558


@pytest.mark.parametrize('inputs, said', [
    ({'a': PICTURE, 'b': PICTURE}, 'at most one'),
    ({FRONT: PolicyFeature(FeatureType.VISUAL, (3, 48, 64))}, '48 x 64 pixels, expected a square'),
    ({'observation.effort': STATE}, 'expected a picture'),
])
def test_inputs_that_do_not_suit_are_refused(inputs: dict[str, PolicyFeature], said: str) -> None:
    """At most one square picture is taken, and a picture or a state is needed."""
    with pytest.raises(PolicyError, match=said):
        TDMPCPolicy(config(inputs))


@pytest.mark.parametrize('changes, said', [
    ({'n_obs_steps': 2}, 'n_obs_steps'), ({'n_gaussian_samples': 0}, 'n_gaussian_samples'),
    ({'n_action_steps': 2}, 'n_action_repeats'), ({'n_elites': 37}, 'at most 36'),
    ({'n_action_steps': 4, 'n_action_repeats': 1}, 'at most the horizon'),
    ({'normalization_mapping': {'ACTION': 'MEAN_STD'}}, 'MIN_MAX for ACTION')])
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], said: str) -> None:
    """The error names the setting or its bound."""
    with pytest.raises(PolicyError, match=said):
        config(**changes)


def test_batch_without_rewards_is_refused() -> None:
    """The error names the key that is missing."""
    data = batch()
    del data['next.reward']
    with pytest.raises(PolicyError, match='next.reward'):
        TDMPCPolicy(config())(data)


def test_plan_reaches_the_goal_in_a_known_world() -> None:
    """The first action is nearly the largest, and the last step ends at the goal."""
    found, mean = plan(config(n_gaussian_samples=256, cem_iterations=6), Line(),
                       torch.full((1, 2), -0.2), generator=torch.Generator().manual_seed(0))
    reached = -0.2 + 0.2 * mean[:, 0, 0].cumsum(0)
    assert mean[0, 0, 0] > 0.8
    assert reached[-1].item() == pytest.approx(0.3, abs=0.05)
    assert found.shape == mean.shape == (3, 1, 2)


def test_next_plan_begins_at_the_last_one() -> None:
    """The last plan is moved by one step and filled with zeros."""
    settings = config(n_gaussian_samples=1, n_pi_samples=0, n_elites=1, cem_iterations=1,
                      max_std=1e-6, min_std=1e-6)
    last = torch.tensor([0.1, 0.2, 0.3])[:, None, None].expand(3, 1, 2)
    found, _ = plan(settings, Line(), torch.zeros(1, 2), last)
    assert found[:, 0, 0].tolist() == pytest.approx([0.2, 0.3, 0.0], abs=1e-4)


def test_first_action_is_repeated_and_reset_forgets() -> None:
    """A plan gives two equal actions; after a reset the same seed gives them again."""
    policy = TDMPCPolicy(config()).eval()
    seen = {'observation.state': torch.rand(2, 6)}
    generator = torch.Generator().manual_seed(0)
    one, two, three = (policy.select_action(seen, generator) for _ in range(3))
    assert one.equal(two) and not two.equal(three)
    policy.reset()
    assert policy.select_action(seen, torch.Generator().manual_seed(0)).equal(one)


def test_several_actions_of_a_plan_are_carried_out() -> None:
    """They are the first ones of the chunk, in order."""
    policy = TDMPCPolicy(config(n_action_repeats=1, n_action_steps=2)).eval()
    seen = {'observation.state': torch.rand(2, 6)}
    plan_ = policy.predict_chunk(seen, torch.Generator().manual_seed(0))
    policy.reset()
    generator = torch.Generator().manual_seed(0)
    found = [policy.select_action(seen, generator) for _ in range(2)]
    assert plan_.shape == (2, 3, 2) and torch.stack(found, 1).equal(plan_[:, :2])


def test_noise_explores_within_bounds() -> None:
    """It has the asked spread, and no action leaves -1 to 1."""
    policy = TDMPCPolicy(config(use_mpc=False)).eval()
    seen = {'observation.state': torch.rand(64, 6)}
    quiet = policy.explore(seen, 0.0)
    policy.reset()
    loud = policy.explore(seen, 0.5)
    assert 0.2 < (loud - quiet).std() < 0.6
    assert loud.abs().max() <= 1


def test_camera_of_any_name_is_read() -> None:
    """A policy of LeRobot acts on `observation.image` only, whatever it was trained on."""
    inputs = {FRONT: PICTURE, 'observation.state': STATE}
    policy = TDMPCPolicy(config(inputs, use_mpc=False)).eval()
    seen = {FRONT: torch.zeros(1, 3, 48, 48), 'observation.state': torch.zeros(1, 6)}
    dark = policy.select_action(seen)
    policy.reset()
    assert not policy.select_action({**seen, FRONT: torch.ones(1, 3, 48, 48)}).equal(dark)
    data = batch(inputs)
    still = TDMPCPolicy(config(inputs, max_random_shift_ratio=0.0))
    still.load_state_dict(policy.state_dict())
    assert loss_of(still, data) != loss_of(policy, data)


def test_shift_repeats_edges() -> None:
    """Every shift by up to one pixel is found, and no other picture."""
    images = torch.arange(16.0).view(1, 1, 4, 4)
    assert shift(images, 0).equal(images)
    allowed = torch.nn.functional.pad(images, (1, 1, 1, 1), mode='replicate')
    allowed = allowed.unfold(2, 4, 1).unfold(3, 4, 1).flatten(0, 3)
    found = {tuple(shift(images, 1).flatten().tolist()) for _ in range(200)}
    assert found == {tuple(one.flatten().tolist()) for one in allowed}


def test_padding_does_not_count() -> None:
    """What stands in padded steps leaves the loss as it is."""
    policy = TDMPCPolicy(config())
    data = batch()
    data |= {'observation.state_is_pad': torch.zeros(4, 4, dtype=torch.bool),
             'action_is_pad': torch.zeros(4, 3, dtype=torch.bool),
             'next.reward_is_pad': torch.zeros(4, 3, dtype=torch.bool)}
    whole = loss_of(policy, data)
    for key in ('action_is_pad', 'next.reward_is_pad'):
        data[key][0, 2] = True
    data['observation.state_is_pad'][0, 3] = True
    padded = loss_of(policy, data)
    assert padded != whole
    data['observation.state'][0, 3] += 5
    data['next.reward'][0, 2] += 5
    assert loss_of(policy, data) == pytest.approx(padded)


def test_nothing_is_earned_after_the_end() -> None:
    """No value of a later state is added to the reward of a terminal step."""
    policy = TDMPCPolicy(config())
    torch.nn.init.constant_(policy.model._V[-1].bias, 7.0)
    data = {**batch(), 'next.reward': torch.zeros(4, 3)}
    goes_on = policy(data)[1]['Q_value_loss']
    data['next.terminated'] = torch.ones(4, 3, dtype=torch.bool)
    assert policy(data)[1]['Q_value_loss'] == pytest.approx(0)
    assert goes_on > 1


def test_expectile_weighs_what_was_better_than_thought() -> None:
    """With 0.9 it weighs nine times as much as what was worse."""
    found = expectile(torch.tensor([2.0, -2.0]), 0.9)
    assert found.tolist() == pytest.approx([3.6, 0.4])


def test_copy_follows_slowly_and_is_not_trained() -> None:
    """A step moves the copy by half a percent, and it has no gradient."""
    policy = TDMPCPolicy(config())
    with torch.no_grad():
        policy.model._V[-1].bias.add_(1.0)
    policy.after_step()
    assert policy.model_target._V[-1].bias.item() == pytest.approx(0.005)
    loss, _ = policy(batch())
    loss.backward()
    assert all(value.grad is None for value in policy.model_target.parameters())
    assert all(value.grad is not None for value in policy.model.parameters())


def test_model_learns() -> None:
    """The error of the predicted rewards falls."""
    policy = TDMPCPolicy(config()).train()
    optimizer = policy.config.preset().optimizer.build(policy.optimizer_parameters())
    data, rewards = batch(count=32), []
    for _ in range(150):
        loss, figures = policy(data)
        rewards.append(figures['reward_loss'])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        policy.after_step()
    assert rewards[-1] < 0.3 * rewards[0]
