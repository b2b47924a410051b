# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""VQ-BeT: codes of actions are learned first, then predicted."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip('torch')

from apprentice_policies.errors import PolicyError  # noqa: E402, I100
from apprentice_policies.features import FeatureType  # noqa: E402
from apprentice_policies.features import PolicyFeature  # noqa: E402
from apprentice_policies.vqbet.config import VQBeTConfig  # noqa: E402
from apprentice_policies.vqbet.gpt import GPT  # noqa: E402
from apprentice_policies.vqbet.policy import focal_loss  # noqa: E402
from apprentice_policies.vqbet.policy import VQBeTPolicy  # noqa: E402
from apprentice_policies.vqbet.quantizer import ActionVqVae  # noqa: E402
from apprentice_policies.vqbet.quantizer import Codebook  # noqa: E402
from apprentice_policies.vqbet.quantizer import ResidualQuantizer  # noqa: E402

CAMERA = 'observation.images.front'
STATE = PolicyFeature(FeatureType.STATE, (6,))
ACTION = {'action': PolicyFeature(FeatureType.ACTION, (6,))}
SMALL = {
    'n_obs_steps': 3, 'n_action_pred_token': 2, 'action_chunk_size': 2, 'gpt_input_dim': 32,
    'gpt_output_dim': 24, 'gpt_hidden_dim': 32, 'gpt_n_layer': 2, 'gpt_n_head': 4,
    'gpt_block_size': 16, 'dropout': 0.0, 'vqvae_embedding_dim': 16, 'vqvae_enc_hidden_dim': 32,
    'spatial_softmax_num_keypoints': 4, 'crop_shape': (32, 32), 'n_vqvae_training_steps': 3,
    'pretrained_backbone_weights': None}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def config(size: tuple[int, int] = (40, 40), inputs: dict[str, PolicyFeature] | None = None,
           **changes: Any) -> VQBeTConfig:
    cameras = {CAMERA: PolicyFeature(FeatureType.VISUAL, (3, *size))}
    return VQBeTConfig(input_features=inputs or {**cameras, 'observation.state': STATE},
                       output_features=ACTION, **{**SMALL, **changes})


def batch(count: int = 2, steps: int = 3) -> dict[str, torch.Tensor]:
    return {CAMERA: torch.rand(count, steps, 3, 40, 40), 'action': torch.rand(count, 5, 6) * 2 - 1,
            'observation.state': torch.rand(count, steps, 6)}


def past_first_stage(policy: VQBeTPolicy) -> VQBeTPolicy:
    policy.vqbet.action_head.vqvae_model.finish()
    return policy


def test_default_network_has_as_many_parameters_as_lerobots() -> None:
    """One camera, six joints and the settings of LeRobot make it as large."""
    inputs = {CAMERA: PolicyFeature(FeatureType.VISUAL, (3, 480, 640)), 'observation.state': STATE}
    with torch.device('meta'):
        policy = VQBeTPolicy(VQBeTConfig(input_features=inputs, output_features=ACTION))
    assert sum(value.numel() for value in policy.parameters()) == 37_851_038


@pytest.mark.parametrize('inputs, said', [
    ({'observation.state': STATE}, 'exactly one picture'),
    ({key: PolicyFeature(FeatureType.VISUAL, (3, 40, 40)) for key in ('a', 'b')}
     | {'observation.state': STATE}, "'a', 'b'"),
    ({CAMERA: PolicyFeature(FeatureType.VISUAL, (3, 40, 20)), 'observation.state': STATE},
     'crop_shape'),
])
def test_inputs_that_do_not_suit_are_refused(inputs: dict[str, PolicyFeature], said: str) -> None:
    """Exactly one picture is taken, and the crop has to fit it."""
    with pytest.raises(PolicyError, match=said):
        VQBeTPolicy(config(inputs=inputs))


@pytest.mark.parametrize('changes, said', [
    ({'gpt_block_size': 9}, 'at least 10'), ({'vision_backbone': 'vit'}, 'resnet18'),
    ({'gpt_n_head': 5}, 'multiple of gpt_n_head'), ({'bet_softmax_temperature': 0}, 'above 0')])
def test_sizes_that_do_not_fit_are_refused(changes: dict[str, Any], said: str) -> None:
    """The error names the setting or its bound."""
    with pytest.raises(PolicyError, match=said):
        config(**changes)


def test_codebook_follows_what_falls_to_a_code() -> None:
    """A code moves towards the mean of the vectors that are nearest to it."""
    book = Codebook(2, 1)
    for value in (book.embed, book.embed_avg):
        value.copy_(torch.tensor([[[0.0], [10.0]]]))
    vectors = torch.tensor([[1.0], [3.0], [11.0]])
    codes = book.nearest(vectors)
    assert codes.tolist() == [0, 0, 1]
    book.follow(vectors, codes)
    # Sizes 0.2 * (2, 1), sums 0.8 * (0, 10) + 0.2 * (4, 11).
    assert book.cluster_size[0].tolist() == pytest.approx([0.4, 0.2])
    assert book.embed[0, :, 0].tolist() == pytest.approx([0.8 / 0.4, 10.2 / 0.2], rel=1e-3)


def test_second_level_quantizes_what_the_first_leaves() -> None:
    """The levels add up to the vector, and each has its own loss."""
    quantizer = ResidualQuantizer(2, 1).eval()
    quantizer.layers[0].codebook.embed.copy_(torch.tensor([[[0.0], [10.0]]]))
    quantizer.layers[1].codebook.embed.copy_(torch.tensor([[[-1.0], [2.0]]]))
    total, codes, losses = quantizer(torch.tensor([[11.5], [-0.5]]))
    assert codes.tolist() == [[1, 1], [0, 0]]
    assert total[:, 0].tolist() == pytest.approx([12.0, -1.0])
    assert quantizer.look_up(codes).equal(total)
    assert losses.tolist() == pytest.approx([(1.5 ** 2 + 0.5 ** 2) / 2, 0.5 ** 2])


def test_frozen_codebook_does_not_move() -> None:
    """Training leaves it alone until it is free again."""
    quantizer = ResidualQuantizer(4, 2).train()
    before = quantizer.layers[0].codebook.embed.clone()
    quantizer.freeze_codebook.fill_(True)
    quantizer(torch.rand(8, 2))
    assert quantizer.layers[0].codebook.embed.equal(before)
    quantizer.freeze_codebook.fill_(False)
    quantizer(torch.rand(8, 2))
    assert not quantizer.layers[0].codebook.embed.equal(before)


def test_codebooks_keep_their_digits_in_half_precision() -> None:
    """They stay float32 under autocast, and the loss is finite."""
    policy = VQBeTPolicy(config()).train()
    with torch.autocast('cpu', torch.bfloat16):
        loss, _ = policy(batch())
    assert torch.isfinite(loss)
    book = policy.vqbet.action_head.vqvae_model.vq_layer.layers[0].codebook
    assert book.embed.dtype == torch.float32 and book.cluster_size.sum() > 0


def test_gpt_does_not_look_ahead() -> None:
    """Later tokens change nothing before them."""
    gpt = GPT(8, 8, 16, 2, 2, 10, 0.1).eval()
    tokens = torch.rand(1, 6, 8)
    other = tokens.clone()
    other[:, 4:] += 1
    assert torch.allclose(gpt(tokens)[:, :4], gpt(other)[:, :4], atol=1e-6)
    assert not torch.allclose(gpt(tokens)[:, 4:], gpt(other)[:, 4:])


def test_focal_loss_weighs_what_is_sure_less() -> None:
    """It is the cross entropy times the square of the doubt."""
    logits = torch.tensor([[2.0, 0.0]])
    chance = torch.softmax(logits, -1)[0, 0]
    found = focal_loss(logits, torch.tensor([0]))
    assert found.item() == pytest.approx((-(1 - chance) ** 2 * chance.log()).item())


def test_first_stage_ends_after_its_steps() -> None:
    """From then on the loss is that of predicted codes."""
    policy = VQBeTPolicy(config()).train()
    for step in range(3):
        assert not policy.codes_are_learned
        assert 'recon_l1_error' in policy(batch())[1]
        policy.after_step()
    assert policy.codes_are_learned
    assert 'classification_loss' in policy(batch())[1]


def test_first_stage_goes_on_where_it_was() -> None:
    """A resumed training of LeRobot counts from zero again."""
    policy = VQBeTPolicy(config()).train()
    policy.after_step()
    again = VQBeTPolicy(config()).train()
    again.load_state_dict(policy.state_dict())
    again.continue_from(1)
    again.after_step()
    assert not again.codes_are_learned
    again.after_step()
    assert again.codes_are_learned


def test_second_stage_leaves_the_codes_alone() -> None:
    """Everything has a gradient but them."""
    policy = past_first_stage(VQBeTPolicy(config())).train()
    loss, _ = policy(batch())
    loss.backward()
    codes = dict(policy.vqbet.action_head.vqvae_model.named_parameters())
    assert codes and all(value.grad is None for value in codes.values())
    others = [name for name, value in policy.named_parameters()
              if value.grad is None and 'vqvae_model' not in name]
    assert others == []


@pytest.mark.parametrize('sequentially', [False, True])
def test_every_parameter_is_in_one_group(sequentially: bool) -> None:
    """Each group has the rate and the decay of its kind."""
    policy = VQBeTPolicy(config(sequentially_select=sequentially))
    groups = policy.optimizer_parameters()
    found = [id(value) for group in groups for value in group['params']]
    assert len(found) == len(set(found))
    assert set(found) == {id(value) for value in policy.parameters()}
    assert groups[1]['lr'] == 1e-3 and groups[1]['weight_decay'] == 1e-4
    assert all(value.ndim == 1 or value is policy.vqbet.policy.transformer.wpe.weight
               for value in groups[2]['params'])


def test_unlearned_codes_are_warned_of() -> None:
    """The warning names the setting of the first stage."""
    with pytest.warns(UserWarning, match='n_vqvae_training_steps'):
        VQBeTPolicy(config()).eval().predict_chunk(batch())


def test_whole_chunk_is_carried_out() -> None:
    """Its actions come in order, and follow from the seed."""
    policy = past_first_stage(VQBeTPolicy(config())).eval()
    seen = {key: value[:, 0] for key, value in batch().items() if key != 'action'}
    runs = []
    for _ in range(2):
        policy.reset()
        generator = torch.Generator().manual_seed(5)
        runs.append(torch.stack([policy.select_action(seen, generator) for _ in range(4)]))
    assert runs[0].equal(runs[1])
    policy.reset()
    generator = torch.Generator().manual_seed(5)
    stacked = {key: torch.stack([value] * 3, 1) for key, value in seen.items()}
    assert runs[0][:2].equal(policy.predict_chunk(stacked, generator).transpose(0, 1))


def test_codes_learn_chunks_that_come_again() -> None:
    """Four chunks get four codes, which are decoded to what they were."""
    network = ActionVqVae(2, 3, 8, 16, 32).train()
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    kinds = torch.rand(4, 2, 3) * 2 - 1
    errors = []
    for _ in range(200):
        loss, figures = network.loss(kinds[torch.randint(0, 4, (32,))])
        errors.append(figures['recon_l1_error'])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert errors[-1] < 0.2 * errors[0]
    codes = network.eval().encode(kinds)
    assert len(codes.unique(dim=0)) == 4
    assert (network.decode(codes) - kinds).abs().mean() < 0.2 * errors[0]


def test_second_stage_learns() -> None:
    """The error of the offsets falls."""
    policy = past_first_stage(VQBeTPolicy(config(optimizer_lr=5e-3))).train()
    optimizer = policy.config.preset().optimizer.build(policy.optimizer_parameters())
    data, errors = batch(), []
    for _ in range(15):
        loss, figures = policy(data)
        errors.append(figures['offset_loss'])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 10)
        optimizer.step()
    assert min(errors[-3:]) < 0.9 * errors[0]
