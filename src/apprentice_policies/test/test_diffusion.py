# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Diffusion Policy: shapes, what depends on what, and that it learns."""

from __future__ import annotations

from typing import Any

from apprentice_policies.diffusion.config import DiffusionConfig
from apprentice_policies.diffusion.model import Conv1d
from apprentice_policies.diffusion.policy import DiffusionPolicy
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import FeatureType
from apprentice_policies.features import PolicyFeature
import pytest
import torch
from torch import nn
from torch import Tensor

STATE = PolicyFeature(FeatureType.STATE, (4,))
ROOM = PolicyFeature(FeatureType.ENV, (3,))
PICTURE = PolicyFeature(FeatureType.VISUAL, (3, 64, 48))
FRONT, WRIST = 'observation.images.front', 'observation.images.wrist'
BLIND = {'observation.state': STATE, 'observation.environment_state': ROOM}
SEEING = {WRIST: PICTURE, 'observation.state': STATE, FRONT: PICTURE}
SMALL = {'horizon': 8, 'n_action_steps': 3, 'down_dims': (16, 32),
         'diffusion_step_embed_dim': 16, 'spatial_softmax_num_keypoints': 4,
         'num_train_timesteps': 10, 'pretrained_backbone_weights': None}


@pytest.fixture(autouse=True)
def _settled() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def config(inputs: dict[str, PolicyFeature] | None = None, **changes: Any) -> DiffusionConfig:
    return DiffusionConfig(
        input_features=dict(inputs or BLIND),
        output_features={'action': PolicyFeature(FeatureType.ACTION, (2,))},
        **{**SMALL, **changes})


def policy(inputs: dict[str, PolicyFeature] | None = None, **changes: Any) -> DiffusionPolicy:
    return DiffusionPolicy(config(inputs, **changes)).eval()


def batch(settings: DiffusionConfig, count: int = 2) -> dict[str, Tensor]:
    found = {key: torch.rand(count, settings.n_obs_steps, *feature.shape)
             for key, feature in settings.input_features.items()}
    return {**found, 'action': torch.rand(count, settings.horizon, 2) * 2 - 1,
            'action_is_pad': torch.zeros(count, settings.horizon, dtype=torch.bool)}


def chunk(one: DiffusionPolicy, data: dict[str, Tensor]) -> Tensor:
    return one.predict_chunk(data, torch.Generator().manual_seed(3))


def loss(one: DiffusionPolicy, data: dict[str, Tensor]) -> float:
    torch.manual_seed(3)
    return one(data)[0].item()


@pytest.mark.parametrize('changes', [
    {}, {'inputs': SEEING}, {'inputs': SEEING, 'use_separate_rgb_encoder_per_camera': False},
    {'inputs': SEEING, 'crop_shape': (33, 32), 'use_group_norm': True},
    {'inputs': SEEING, 'resize_shape': (80, 60), 'crop_ratio': 0.8},
    {'n_obs_steps': 1, 'down_dims': (8, 16, 24), 'noise_scheduler_type': 'DDIM'},
    {'use_film_scale_modulation': False, 'prediction_type': 'sample', 'kernel_size': 3},
    {'gradient_checkpointing': True}])
def test_every_weight_learns_and_a_chunk_begins_now(changes: dict[str, Any]) -> None:
    """Each that can have a gradient does; a chunk has the asked number of actions."""
    one = policy(**changes)
    data = batch(one.config)
    one.train()
    one(data)[0].backward()
    silent = [name for name, item in one.named_parameters()
              if item.grad is None or not item.grad.any()]
    # Where nothing is clipped off a map, a keypoint's bias moves all places alike.
    assert [name for name in silent if not name.endswith('pool.nets.bias')] == []
    one.eval()
    found = chunk(one, data)
    assert found.shape == (2, 3, 2)
    assert found.isfinite().all()


def test_a_chunk_begins_at_the_newest_observation() -> None:
    """A short chunk is the beginning of a chunk of all steps."""
    whole = policy(n_action_steps=7)
    part = policy(n_action_steps=2)
    part.load_state_dict(whole.state_dict())
    data = batch(whole.config)
    assert torch.equal(chunk(whole, data)[:, :2], chunk(part, data))


def test_what_is_computed_once_for_all_steps() -> None:
    """The prepared modulations are those that training computes."""
    one = policy()
    times = torch.tensor([9, 4, 0])
    condition = torch.rand(2, 14)
    prepared = one.diffusion.unet.modulations_of_steps(times, condition)
    for index, time in enumerate(times):
        plain = one.diffusion.unet.modulations(time.expand(2), condition)
        for ours, theirs in zip(prepared(index), plain, strict=True):
            assert torch.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize(('size', 'stride', 'padding'), [(5, 1, 2), (3, 2, 1), (1, 1, 0)])
def test_rows_of_windows_are_the_convolution(size: int, stride: int, padding: int) -> None:
    """Outputs and gradients are those of the plain layer, for few steps and many."""
    torch.manual_seed(1)
    ours = Conv1d(6, 64, size, stride, padding)
    plain = nn.Conv1d(6, 64, size, stride, padding)
    plain.load_state_dict(ours.state_dict())
    few, many = torch.randn(2, 6, 12), torch.randn(2, 6, 40)
    for sequence in (few, many):
        results = []
        for layer in (ours, plain):
            layer.zero_grad()
            given = sequence.clone().requires_grad_()
            out = layer(given)
            out.square().sum().backward()
            results.append((out, given.grad, layer.weight.grad, layer.bias.grad))
        for one, other in zip(*results):
            assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_cameras_are_read_in_the_order_of_the_file() -> None:
    """The state comes first, then each camera as the features list them."""
    one = policy(SEEING)
    data = batch(one.config)
    first = one.diffusion.condition(data)
    data[WRIST] = data[WRIST].flip(-1)
    second = one.diffusion.condition(data)
    changed = (first != second).view(2, 2, -1)
    assert not changed[..., :4].any(), 'the state comes first'
    assert changed[..., 4:12].any(), 'then the first camera of the file'
    assert not changed[..., 12:].any()


def test_one_encoder_for_all_cameras_sees_each_alike() -> None:
    """The same picture gives the same features from either camera."""
    one = policy(SEEING, use_separate_rgb_encoder_per_camera=False)
    data = batch(one.config)
    data[FRONT] = data[WRIST]
    found = one.diffusion.condition(data).view(2, 2, -1)
    assert torch.allclose(found[..., 4:12], found[..., 12:20])


def test_an_action_queue_is_refilled_when_it_is_empty() -> None:
    """A chunk is predicted only then, from the newest observations."""
    one = policy()
    seen = []
    plain = one.predict_chunk

    def counted(observation: dict[str, Tensor],
                generator: torch.Generator | None = None) -> Tensor:
        seen.append({key: value.clone() for key, value in observation.items()})
        return plain(observation, generator)
    one.predict_chunk = counted
    states = torch.rand(4, 1, 4)
    room = torch.rand(1, 3)
    for state in states:
        one.select_action({'observation.state': state, 'observation.environment_state': room})
    assert len(seen) == 2
    assert torch.equal(seen[0]['observation.state'], states[[0, 0]].transpose(0, 1))
    assert torch.equal(seen[1]['observation.state'], states[[2, 3]].transpose(0, 1))


def test_padding_is_masked_only_where_it_is_asked_for() -> None:
    """Marks of padding change the loss only with do_mask_loss_for_padding."""
    for masked in (False, True):
        one = policy(do_mask_loss_for_padding=masked)
        data = batch(one.config)
        all_known = loss(one, data)
        data['action_is_pad'][:, 5:] = True
        assert (loss(one, data) != all_known) is masked


def test_the_loss_falls_and_actions_follow_the_state() -> None:
    """Two states, two constant actions: a little training has to tell them apart."""
    one = policy(n_obs_steps=1, prediction_type='sample', horizon=4, n_action_steps=2)
    data = batch(one.config, 16)
    side = torch.arange(16) % 2 * 2.0 - 1
    data['observation.state'] = side.view(-1, 1, 1).expand(-1, 1, 4).clone()
    data['action'] = side.view(-1, 1, 1).expand(-1, 4, 2) * 0.6
    optimizer = torch.optim.Adam(one.optimizer_parameters(), 3e-3)
    one.train()
    losses = []
    for _ in range(60):
        value, figures = one(data)
        assert figures == {}
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    one.eval()
    assert sum(losses[-10:]) < sum(losses[:10]) / 10
    assert torch.allclose(chunk(one, data), data['action'][:, :2], atol=0.1)


def test_names_are_lerobots() -> None:
    """Weights have the names and shapes of LeRobot, and the process has none."""
    one = policy(SEEING, down_dims=(16, 24, 32))
    names = set(one.state_dict())
    assert {'diffusion.rgb_encoder.1.backbone.4.0.conv1.weight',
            'diffusion.rgb_encoder.0.pool.pos_grid', 'diffusion.rgb_encoder.0.out.bias',
            'diffusion.unet.diffusion_step_encoder.3.weight',
            'diffusion.unet.down_modules.1.2.weight',
            'diffusion.unet.mid_modules.0.cond_encoder.1.weight',
            'diffusion.unet.up_modules.1.2.bias', 'diffusion.unet.final_conv.1.bias'} <= names
    assert not any(name.startswith('process') for name in names)
    assert one.state_dict()['diffusion.unet.up_modules.0.0.conv1.block.0.weight'].shape == (
        24, 64, 5)


def test_a_compiled_unet_has_lerobots_names_for_it() -> None:
    """Its weights lie below _orig_mod."""
    names = policy(compile_model=True).state_dict()
    assert 'diffusion.unet._orig_mod.final_conv.1.bias' in names


def test_the_default_network_has_the_published_size() -> None:
    """Two cameras and six joints make it as large as that of LeRobot."""
    with torch.device('meta'):
        one = DiffusionPolicy(DiffusionConfig(
            input_features={'observation.state': PolicyFeature(FeatureType.STATE, (6,)),
                            **{key: PolicyFeature(FeatureType.VISUAL, (3, 480, 640))
                               for key in (FRONT, WRIST)}},
            output_features={'action': PolicyFeature(FeatureType.ACTION, (6,))}))
    assert sum(item.numel() for item in one.parameters()) == 277_819_846


def test_the_crop_follows_from_the_size() -> None:
    """It is a share of the size that pictures are scaled to, or there is none."""
    assert config(SEEING, resize_shape=(70, 60), crop_ratio=0.9).crop_shape == (63, 54)
    assert config(SEEING, resize_shape=(70, 60), crop_shape=(9, 9)).crop_shape is None


def test_windows_of_a_batch() -> None:
    """Observations end now; actions begin with the oldest of them."""
    settings = config(n_obs_steps=3)
    assert settings.observation_delta_indices == [-2, -1, 0]
    assert settings.action_delta_indices == list(range(-2, 6))


@pytest.mark.parametrize(('changes', 'message'), [
    ({'horizon': 6}, r'policy.horizon: found 6, expected a multiple of 4'),
    ({'n_action_steps': 8}, 'n_action_steps: found 8, expected 1 to 7'),
    ({'noise_scheduler_type': 'PNDM'}, 'noise_scheduler_type.*DDPM or DDIM'),
    ({'prediction_type': 'v'}, 'prediction_type.*epsilon or sample'),
    ({'num_inference_steps': 11}, 'num_inference_steps: found 11.*1 to num_train_timesteps'),
    ({'crop_ratio': 0.0}, 'crop_ratio: found 0.0'),
    ({'vision_backbone': 'vit'}, 'vision_backbone.*begins with resnet'),
    ({'down_dims': (12, 16)}, 'down_dims.*multiples of n_groups'),
    ({'use_group_norm': True, 'pretrained_backbone_weights': 'x'}, 'use_group_norm')])
def test_settings_that_contradict_each_other_are_refused(changes: dict[str, Any],
                                                         message: str) -> None:
    """The error names the setting, what was found and what was expected."""
    with pytest.raises(PolicyError, match=message):
        config(**changes)


@pytest.mark.parametrize(('inputs', 'changes', 'message'), [
    ({'observation.state': STATE}, {}, 'neither a picture nor an environment state'),
    ({FRONT: PICTURE}, {}, 'no observation.state'),
    ({**SEEING, FRONT: PolicyFeature(FeatureType.VISUAL, (3, 8, 8))}, {}, 'several shapes'),
    (SEEING, {'crop_shape': (65, 32)}, 'crop_shape.*at most the height and width')])
def test_features_that_do_not_suit_are_refused(inputs: dict[str, PolicyFeature],
                                               changes: dict[str, Any], message: str) -> None:
    """The policy needs a state, and pictures of one shape or an environment state."""
    with pytest.raises(PolicyError, match=message):
        policy(inputs, **changes)
