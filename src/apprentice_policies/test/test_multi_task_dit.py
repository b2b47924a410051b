# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The multi-task diffusion transformer and CLIP: shapes, what depends on what, learning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from apprentice_policies.clip import TextTower
from apprentice_policies.clip import VisionTower
from apprentice_policies.clip_weights import load_clip
from apprentice_policies.errors import PolicyError
from apprentice_policies.features import FeatureType
from apprentice_policies.features import PolicyFeature
from apprentice_policies.multi_task_dit.config import MultiTaskDiTConfig
from apprentice_policies.multi_task_dit.model import RotaryAttention
from apprentice_policies.multi_task_dit.policy import MultiTaskDiTPolicy
from apprentice_policies.processors.tokenize import MASK
from apprentice_policies.processors.tokenize import TOKENS
import pytest
from safetensors.torch import save_file
import torch
from torch import Tensor

STATE = PolicyFeature(FeatureType.STATE, (4,))
PICTURE = PolicyFeature(FeatureType.VISUAL, (3, 40, 36))
FRONT, WRIST = 'observation.images.front', 'observation.images.wrist'
SEEING = {WRIST: PICTURE, 'observation.state': STATE, FRONT: PICTURE}
ROOM = {'observation.state': STATE,
        'observation.environment_state': PolicyFeature(FeatureType.ENV, (3,))}
SMALL = {'horizon': 8, 'n_action_steps': 3, 'hidden_dim': 16, 'num_layers': 2, 'num_heads': 2,
         'timestep_embed_dim': 8, 'image_crop_shape': (32, 32), 'num_train_timesteps': 10,
         'num_integration_steps': 4, 'dropout': 0.0}
END, VOCABULARY = 19, 20
CLIP = {'vision_config': {'hidden_size': 24, 'intermediate_size': 48, 'num_hidden_layers': 2,
                          'num_attention_heads': 3, 'image_size': 32, 'patch_size': 16},
        'text_config': {'hidden_size': 16, 'intermediate_size': 32, 'num_hidden_layers': 2,
                        'num_attention_heads': 2, 'vocab_size': VOCABULARY, 'eos_token_id': END,
                        'max_position_embeddings': 12}}
PICK, PLACE = [1, 4, 5, END, END, END, END, END], [1, 6, 7, 8, 9, END, END, END]


@pytest.fixture(autouse=True)
def _settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a small CLIP; tests run in its parent."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'clip').mkdir()
    (tmp_path / 'clip' / 'config.json').write_text(json.dumps(CLIP))


def config(inputs: dict[str, PolicyFeature] | None = None, **changes: Any) -> MultiTaskDiTConfig:
    return MultiTaskDiTConfig(
        input_features=dict(inputs or ROOM),
        output_features={'action': PolicyFeature(FeatureType.ACTION, (2,))},
        vision_encoder_name='clip', text_encoder_name='clip', **{**SMALL, **changes})


def policy(inputs: dict[str, PolicyFeature] | None = None, **changes: Any) -> MultiTaskDiTPolicy:
    """Return a policy whose gates are open: a new one's are shut."""
    one = MultiTaskDiTPolicy(config(inputs, **changes)).eval()
    for block in one.noise_predictor.transformer_blocks:
        torch.nn.init.normal_(block.adaLN_modulation[1].weight, std=0.2)
    return one


def batch(settings: MultiTaskDiTConfig, count: int = 2) -> dict[str, Tensor]:
    found = {key: torch.rand(count, settings.n_obs_steps, *feature.shape)
             for key, feature in settings.input_features.items()}
    tokens = torch.tensor([PICK, PLACE] * (count // 2))
    return {**found, **words(tokens), 'action': torch.rand(count, settings.horizon, 2) * 2 - 1,
            'action_is_pad': torch.zeros(count, settings.horizon, dtype=torch.bool)}


def words(tokens: Tensor) -> dict[str, Tensor]:
    ends = (tokens == END).int().argmax(1)
    return {TOKENS: tokens, MASK: torch.arange(tokens.shape[1]) <= ends[:, None]}


def chunk(one: MultiTaskDiTPolicy, data: dict[str, Tensor]) -> Tensor:
    return one.predict_chunk(data, torch.Generator().manual_seed(3))


@pytest.mark.parametrize('changes', [
    {}, {'inputs': SEEING}, {'inputs': SEEING, 'use_separate_rgb_encoder_per_camera': True},
    {'inputs': SEEING, 'image_resize_shape': (33, 48), 'image_crop_is_random': False},
    {'objective': 'flow_matching', 'use_rope': False, 'use_positional_encoding': True},
    {'objective': 'flow_matching', 'integration_method': 'rk4', 'n_obs_steps': 1},
    {'noise_scheduler_type': 'DDIM', 'prediction_type': 'sample', 'n_obs_steps': 3}])
def test_every_weight_but_the_texts_learns(changes: dict[str, Any]) -> None:
    """All others that can have a gradient do; a chunk has the asked number of actions."""
    one = policy(**changes)
    data = batch(one.config)
    one.train()
    one(data)[0].backward()
    silent = {name for name, item in one.named_parameters()
              if item.grad is None or not item.grad.any()}
    frozen = {name for name in silent if name.startswith('observation_encoder.text_encoder.text')}
    unused = {name for name in silent if 'post_layernorm' in name}
    # Adding the same to all keys changes no attention.
    keys = {name for name in silent if name.endswith('k_proj.bias')}
    assert silent == frozen | unused | keys
    assert len(frozen) == 36
    one.eval()
    found = chunk(one, data)
    assert found.shape == (2, 3, 2)
    assert found.isfinite().all()


def test_a_new_network_does_not_yet_mind_its_observations() -> None:
    """Its gates are shut; with open ones the state changes the actions."""
    one = MultiTaskDiTPolicy(config()).eval()
    data = batch(one.config)
    before = chunk(one, data)
    data['observation.state'] += 1
    assert torch.equal(chunk(one, data), before)
    opened = policy()
    before = chunk(opened, data)
    data['observation.state'] += 1
    assert not torch.allclose(chunk(opened, data), before)


def test_what_is_computed_once_for_all_steps() -> None:
    """The prepared modulations are those that training computes."""
    one = policy(objective='flow_matching').noise_predictor
    times = torch.tensor([0.0, 0.3, 1.0])
    condition = torch.rand(2, 46)
    prepared = one.modulations_of_steps(times, condition)
    for index, time in enumerate(times):
        plain = one.modulations(time.expand(2), condition)
        for ours, theirs in zip(prepared(index), plain, strict=True):
            assert torch.allclose(ours, theirs, atol=1e-6)


def test_the_task_changes_the_actions() -> None:
    """Another word does, and what stands behind the end does not."""
    one = policy()
    data = batch(one.config)
    before = chunk(one, data)
    longer = torch.cat((data[TOKENS], torch.full((2, 4), END)), 1)
    assert torch.allclose(chunk(one, {**data, **words(longer)}), before, atol=1e-6)
    other = data[TOKENS].clone()
    other[:, 2] += 1
    assert not torch.allclose(chunk(one, {**data, **words(other)}), before)


def test_a_batch_without_tokens_says_what_is_missing() -> None:
    """The error names the key and the step that makes it."""
    one = policy()
    data = batch(one.config)
    del data[TOKENS]
    with pytest.raises(PolicyError, match='observation.language.tokens.*tokenizer'):
        one(data)


def test_only_the_distance_of_places_counts() -> None:
    """Alike tokens with a moved window attend alike; without turning they would not differ."""
    attention = RotaryAttention(config(horizon=6)).eval()
    size = 8
    probe = torch.rand(1, 1, 1, size).expand(1, 1, 6, size)
    turned = probe * attention._cosine + probe.roll(size // 2, -1) * attention._sine
    scores = (turned @ turned.transpose(-1, -2))[0, 0]
    for distance in range(6):
        line = scores.diagonal(distance)
        assert torch.allclose(line, line[0].expand_as(line), atol=1e-5)
    assert not torch.allclose(scores[0, 1], scores[0, 0])
    angle = torch.tensor(1.0)
    assert turned[0, 0, 1, 0].item() == pytest.approx(
        (probe[0, 0, 0, 0] * angle.cos() - probe[0, 0, 0, size // 2] * angle.sin()).item())


def test_picture_towers_learn_at_a_tenth_of_the_rate() -> None:
    """They are a group of their own, and each trained weight is in one group."""
    one = policy(SEEING)
    others, towers = one.optimizer_parameters()
    assert 'lr' not in others
    assert towers['lr'] == pytest.approx(2e-6)
    inside = {id(item) for item in one.observation_encoder.vision_encoder.parameters()}
    assert {id(item) for item in towers['params']} == inside
    everything = [item for item in one.parameters() if item.requires_grad]
    assert len(others['params']) + len(towers['params']) == len(everything)


def test_the_loss_falls_and_actions_follow_the_task() -> None:
    """The observations say nothing: only the words tell which of two actions is meant."""
    one = MultiTaskDiTPolicy(config(n_obs_steps=1, prediction_type='sample', horizon=4,
                                    n_action_steps=2))
    data = batch(one.config, 16)
    data['observation.state'].zero_()
    side = torch.arange(16) % 2 * 2.0 - 1
    data['action'] = side.view(-1, 1, 1).expand(-1, 4, 2) * 0.6
    optimizer = torch.optim.Adam(one.optimizer_parameters(), 3e-3)
    losses = []
    for _ in range(80):
        value = one(data)[0]
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    one.eval()
    assert sum(losses[-10:]) < sum(losses[:10]) / 10
    assert torch.allclose(chunk(one, data), data['action'][:, :2], atol=0.15)


def test_a_picture_tower_against_the_paper() -> None:
    """It says what a plain reading of the paper says, written out here."""
    tower = VisionTower('clip')
    for item in tower.parameters():
        torch.nn.init.normal_(item, std=0.3)
    pictures = torch.rand(2, 3, 32, 32)
    weights = {key.removeprefix('vision_model.'): value
               for key, value in tower.state_dict().items()}

    def norm(tokens: Tensor, name: str) -> Tensor:
        return torch.layer_norm(tokens, (24,), weights[f'{name}.weight'], weights[f'{name}.bias'])

    def linear(tokens: Tensor, name: str) -> Tensor:
        return tokens @ weights[f'{name}.weight'].T + weights[f'{name}.bias']
    patches = [pictures[:, :, y:y + 16, x:x + 16].flatten(1)
               @ weights['embeddings.patch_embedding.weight'].flatten(1).T
               for y in (0, 16) for x in (0, 16)]
    tokens = torch.stack([weights['embeddings.class_embedding'].expand(2, -1), *patches], 1)
    tokens = norm(tokens + weights['embeddings.position_embedding.weight'], 'pre_layrnorm')
    for layer in ('encoder.layers.0', 'encoder.layers.1'):
        normed = norm(tokens, f'{layer}.layer_norm1')
        heads = [linear(normed, f'{layer}.self_attn.{name}_proj').view(2, 5, 3, 8).transpose(1, 2)
                 for name in 'qkv']
        share = (heads[0] @ heads[1].transpose(2, 3) / 8 ** 0.5).softmax(-1)
        seen = (share @ heads[2]).transpose(1, 2).reshape(2, 5, 24)
        tokens = tokens + linear(seen, f'{layer}.self_attn.out_proj')
        hidden = linear(norm(tokens, f'{layer}.layer_norm2'), f'{layer}.mlp.fc1')
        hidden = hidden * (1.702 * hidden).sigmoid()
        tokens = tokens + linear(hidden, f'{layer}.mlp.fc2')
    assert torch.allclose(tower(pictures), tokens[:, 0], atol=1e-4)


def test_a_text_tower_looks_back_only() -> None:
    """Neither later words nor hidden ones count."""
    tower = TextTower('clip').eval()
    tokens = torch.tensor([PICK, PLACE])
    data = words(tokens)
    both = tower(data[TOKENS], data[MASK])
    alone = tower(tokens[:1, :4], torch.ones(1, 4))
    assert torch.allclose(both[:1], alone, atol=1e-6)
    hidden = data[MASK].clone()
    hidden[0, 1] = False
    assert not torch.allclose(tower(tokens, hidden)[0], both[0])
    assert tower(tokens, torch.zeros_like(hidden)).isfinite().all()


def test_towers_take_the_weights_of_a_folder() -> None:
    """Every tower takes them; a folder without weights is warned of, one with too few refused."""
    wanted = {**VisionTower('clip').state_dict(), **TextTower('clip').state_dict(),
              'logit_scale': torch.ones(())}
    one = policy(SEEING, use_separate_rgb_encoder_per_camera=True)
    with pytest.warns(UserWarning, match='no model.safetensors .*random weights'):
        assert load_clip(one) == []
    save_file(wanted, 'clip/model.safetensors')
    assert load_clip(one) == ['clip/model.safetensors']
    for encoder in one.observation_encoder.vision_encoders:
        for key, value in encoder.model.state_dict().items():
            assert torch.equal(value, wanted[key])
    text = one.observation_encoder.text_encoder.text_encoder
    assert torch.equal(text.state_dict()['text_model.final_layer_norm.weight'],
                       wanted['text_model.final_layer_norm.weight'])
    del wanted['text_model.final_layer_norm.bias']
    save_file(wanted, 'clip/model.safetensors')
    with pytest.raises(PolicyError, match='final_layer_norm.bias: found nothing'):
        load_clip(one)


@pytest.mark.parametrize(('change', 'message'), [
    ({'vision_config': {'hidden_act': 'relu'}}, "hidden_act: found 'relu'"),
    ({'text_config': {'hidden_size': '16'}}, "hidden_size: found '16', expected int"),
    ({'vision_config': None}, 'expected the configuration of a CLIP model')])
def test_a_folder_of_another_network_is_refused(change: dict[str, Any], message: str,
                                                tmp_path: Path) -> None:
    """The error names the value that no CLIP has."""
    values = {**CLIP, **change}
    (tmp_path / 'clip' / 'config.json').write_text(json.dumps(values))
    with pytest.raises(PolicyError, match=message):
        VisionTower('clip')


def test_an_unknown_clip_says_which_are_known() -> None:
    """The error lists the names that need no folder."""
    with pytest.raises(PolicyError, match="found 'clip-of-nobody'.*openai/clip-vit-base-patch16"):
        TextTower('clip-of-nobody')


def test_a_crop_that_does_not_fit_is_given_up() -> None:
    """A warning says so, and the error of the tower names the tower's size."""
    one = config(SEEING, image_crop_shape=(50, 50))
    with pytest.warns(UserWarning, match='does not fit'):
        built = MultiTaskDiTPolicy(one)
    assert one.image_crop_shape is None
    with pytest.raises(PolicyError, match=r'found pictures of \(40, 36\).*expected 32 x 32'):
        built(batch(one))


def test_the_default_network_has_the_published_size() -> None:
    """Two cameras and six joints make it as large as that of LeRobot."""
    with torch.device('meta'):
        one = MultiTaskDiTPolicy(MultiTaskDiTConfig(
            input_features={'observation.state': PolicyFeature(FeatureType.STATE, (6,)),
                            **{key: PolicyFeature(FeatureType.VISUAL, (3, 480, 640))
                               for key in (FRONT, WRIST)}},
            output_features={'action': PolicyFeature(FeatureType.ACTION, (6,))}))
    count = sum(item.numel() for item in one.parameters())
    trained = sum(item.numel() for item in one.parameters() if item.requires_grad)
    assert (count, trained) == (248_855_302, 185_689_350)


def test_dropped_frames_follow_from_the_chunk() -> None:
    """They do unless they are given."""
    assert config(horizon=32, n_action_steps=24).drop_n_last_frames == 7
    assert config(drop_n_last_frames=1).drop_n_last_frames == 1


@pytest.mark.parametrize(('changes', 'message'), [
    ({'objective': 'score'}, 'objective.*diffusion or flow_matching'),
    ({'hidden_dim': 15}, 'hidden_dim: found 15, expected a multiple of num_heads'),
    ({'hidden_dim': 6}, 'use_rope.*odd'),
    ({'dropout': 1.5}, 'dropout: found 1.5'),
    ({'integration_method': 'heun'}, 'integration_method.*euler or rk4'),
    ({'timestep_sampling_alpha': 0.0}, 'timestep_sampling_alpha.*above 0'),
    ({'n_action_steps': 8}, 'n_action_steps: found 8, expected 1 to 7')])
def test_settings_that_contradict_each_other_are_refused(changes: dict[str, Any],
                                                         message: str) -> None:
    """The error names the setting and what was expected."""
    with pytest.raises(PolicyError, match=message):
        config(**changes)


def test_an_encoder_that_is_no_clip_is_refused() -> None:
    """Text is read by a CLIP only."""
    with pytest.raises(PolicyError, match="text_encoder_name: found 'bert'"):
        MultiTaskDiTConfig(text_encoder_name='bert')
