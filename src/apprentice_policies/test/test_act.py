# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""ACT: what its loss counts, what its layers save, the temporal ensemble, and that it learns."""

from __future__ import annotations

import copy
from typing import Any

from apprentice_policies.act.attention import Attention
from apprentice_policies.act.attention import Encoder
from apprentice_policies.act.config import ACTConfig
from apprentice_policies.act.model import position_grid
from apprentice_policies.act.policy import ACTPolicy
from apprentice_policies.act.policy import Ensemble
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import FeatureType
from apprentice_policies.features import PolicyFeature
import pytest
import torch

STATE = PolicyFeature(FeatureType.STATE, (4,))
ROOM = PolicyFeature(FeatureType.ENV, (3,))
FRONT, WRIST = 'observation.images.front', 'observation.images.wrist'
BLIND = {'observation.state': STATE, 'observation.environment_state': ROOM}
SMALL = {'chunk_size': 6, 'n_action_steps': 6, 'dim_model': 32, 'n_heads': 4,
         'dim_feedforward': 64, 'n_encoder_layers': 2, 'n_vae_encoder_layers': 2,
         'latent_dim': 4, 'pretrained_backbone_weights': None}


@pytest.fixture(autouse=True)
def _settled() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def config(inputs: dict[str, Any] | None = None, **changes: Any) -> ACTConfig:
    """Return a small ACT."""
    return ACTConfig(
        input_features=dict(inputs or BLIND),
        output_features={'action': PolicyFeature(FeatureType.ACTION, (2,))},
        **{**SMALL, **changes})


def batch(settings: Any, count: int = 3) -> dict[str, Any]:
    """Return a training batch."""
    found = {key: torch.rand(count, *feature.shape)
             for key, feature in settings.input_features.items()}
    return {**found, 'action': torch.rand(count, settings.chunk_size, 2),
            'action_is_pad': torch.zeros(count, settings.chunk_size, dtype=torch.bool)}


@pytest.mark.parametrize('changes, field', [
    ({'n_obs_steps': 2}, 'n_obs_steps'),
    ({'n_action_steps': 7}, 'n_action_steps'),
    ({'temporal_ensemble_coeff': 0.01}, 'n_action_steps'),
    ({'vision_backbone': 'vgg16'}, 'vision_backbone'),
    ({'feedforward_activation': 'glu'}, 'feedforward_activation'),
    ({'dim_model': 30}, 'dim_model'),
])
def test_contradicting_fields_are_named(changes: dict[str, Any], field: str) -> None:
    """Contradicting fields are named."""
    with pytest.raises(PolicyError, match=f'policy.{field}: found'):
        config(**changes)


def test_it_needs_to_see_something() -> None:
    """It needs to see something."""
    with pytest.raises(PolicyError, match='expected a camera or observation.environment_state'):
        ACTPolicy(config({'observation.state': STATE}))


def test_a_backbone_that_cannot_dilate_is_refused() -> None:
    """A backbone that cannot dilate is refused."""
    seeing = {FRONT: PolicyFeature(FeatureType.VISUAL, (3, 32, 32))}
    with pytest.raises(PolicyError, match='resnet50 or larger'):
        ACTPolicy(config(seeing, replace_final_stride_with_dilation=1))


def test_padded_actions_do_not_count() -> None:
    """Padded actions do not count."""
    policy = ACTPolicy(config(dropout=0.0)).train()
    data = batch(policy.config)
    data['action_is_pad'][0, 3:] = True
    losses = []
    for value in (0.0, 100.0):
        data['action'][0, 3:] = value
        torch.manual_seed(1)
        losses.append(policy(data)[0].item())
    assert losses[0] == losses[1]
    data['action_is_pad'][:] = True
    assert policy.eval()(data)[0].item() == 0.0


def test_the_latent_is_read_in_training_alone() -> None:
    """The latent is read in training alone."""
    policy = ACTPolicy(config(dropout=0.0))
    data = batch(policy.config)
    loss, figures = policy.train()(data)
    assert set(figures) == {'l1_loss', 'kld_loss'}
    assert loss.item() == pytest.approx(figures['l1_loss'] + 10 * figures['kld_loss'], rel=1e-5)
    assert set(policy.eval()(data)[1]) == {'l1_loss'}
    first = policy.predict_chunk(data)
    data['action'] += 1
    assert torch.equal(first, policy.predict_chunk(data))


def test_the_first_tokens_alone_are_what_all_of_them_begin_with() -> None:
    """The first tokens alone are what all of them begin with."""
    settings = config(dropout=0.0, pre_norm=True)
    encoder = Encoder(settings, 2)
    tokens, positions = torch.rand(3, 7, 32), torch.rand(7, 32)
    seen = torch.rand(3, 7) < 0.7
    seen[:, 0] = True
    torch.testing.assert_close(encoder(tokens, positions, seen, first=1),
                               encoder(tokens, positions, seen)[:, :1])


def test_one_value_for_all_takes_no_attention() -> None:
    """One value for all takes no attention."""
    attention = Attention(32, 4, 0.3)
    queries, value = torch.rand(5, 32), torch.rand(32)
    every = value.expand(2, 5, -1)
    query = queries.expand(2, -1, -1)
    torch.testing.assert_close(attention.eval().constant(queries, value, 2).expand(2, 5, -1),
                               attention(query, query, every))
    # In training dropout takes weights away: on average the same comes out.
    attention.train()
    mean = torch.stack([attention.constant(queries, value, 64) for _ in range(60)])
    expected = torch.stack([attention(query, query, every) for _ in range(2000)])
    torch.testing.assert_close(mean.mean((0, 1)), expected.mean((0, 1)), atol=0.02, rtol=0)
    torch.testing.assert_close(mean.std((0, 1)), expected.std((0, 1)), atol=0.02, rtol=0)


def test_positions_tell_rows_and_columns_apart() -> None:
    """Positions tell rows and columns apart."""
    grid = position_grid(3, 5, 8).reshape(3, 5, 8)
    assert torch.equal(grid[:, 0, :4], grid[:, 4, :4])
    assert torch.equal(grid[0, :, 4:], grid[2, :, 4:])
    assert len(torch.unique(grid.reshape(15, 8), dim=0)) == 15


def test_cameras_of_one_size_are_read_as_if_alone() -> None:
    """Cameras of one size are read as if alone."""
    sizes = {FRONT: (32, 64), WRIST: (32, 64)}
    seeing = {key: PolicyFeature(FeatureType.VISUAL, (3, *size)) for key, size in sizes.items()}
    policy = ACTPolicy(config(seeing, use_vae=False)).eval()
    data = batch(policy.config)
    maps = policy.model._maps([data[FRONT], data[WRIST]])
    for found, key in zip(maps, sizes):
        torch.testing.assert_close(found, policy.model.backbone(data[key]))


@pytest.mark.parametrize('coefficient', [0.1, -0.2])
def test_the_ensemble_weighs_every_chunk_that_speaks_of_a_step(coefficient: float) -> None:
    """The ensemble weighs every chunk that speaks of a step."""
    chunks = torch.rand(9, 2, 4, 3)
    ensemble = Ensemble(coefficient, 4)
    for now in range(9):
        found = ensemble.update(chunks[now])
        spoken = [chunks[past][:, now - past] for past in range(max(0, now - 3), now + 1)]
        weights = torch.exp(-coefficient * torch.arange(len(spoken)))
        expected = sum(w * item for w, item in zip(weights, spoken)) / weights.sum()
        torch.testing.assert_close(found, expected)


def test_reset_forgets_the_ensemble() -> None:
    """Reset forgets the ensemble."""
    policy = ACTPolicy(config(n_action_steps=1, temporal_ensemble_coeff=0.01))
    data = batch(policy.config)
    first = policy.select_action(data)
    other = {key: value + 1 for key, value in data.items() if key.startswith('observation')}
    assert not torch.equal(policy.select_action(other), first)
    policy.reset()
    assert torch.equal(policy.select_action(data), first)


def test_backbone_and_rest_are_two_groups() -> None:
    """Backbone and rest are two groups."""
    seeing = {**BLIND, FRONT: PolicyFeature(FeatureType.VISUAL, (3, 32, 32))}
    policy = ACTPolicy(config(seeing, optimizer_lr_backbone=1e-6))
    rest, backbone = policy.optimizer_parameters()
    assert backbone['lr'] == 1e-6
    assert sum(item.numel() for item in backbone['params']) == sum(
        item.numel() for item in policy.model.backbone.parameters())
    assert len(rest['params']) + len(backbone['params']) == len(list(policy.parameters()))


def test_what_predictions_keep_follows_the_weights() -> None:
    """What predictions keep follows the weights."""
    seeing = {FRONT: PolicyFeature(FeatureType.VISUAL, (3, 32, 32))}
    policy = ACTPolicy(config(seeing)).eval()
    data = batch(policy.config)
    with torch.no_grad():
        before = policy.predict_chunk(data)
        assert torch.equal(copy.deepcopy(policy).predict_chunk(data), before)
        for parameter in policy.parameters():
            parameter.mul_(1.05)
        found = policy.predict_chunk(data)
    assert not torch.allclose(found, before, atol=1e-3)
    torch.testing.assert_close(found, policy.predict_chunk(data).detach(), atol=1e-4, rtol=1e-4)
    with torch.inference_mode():
        torch.testing.assert_close(found.clone(), policy.predict_chunk(data))


def test_it_learns_a_batch() -> None:
    """It learns a batch."""
    policy = ACTPolicy(config()).train()
    data = batch(policy.config)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=2e-3)
    losses = []
    for _ in range(150):
        loss, figures = policy(data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(figures['l1_loss'])
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])
