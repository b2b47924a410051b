# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Backbones, spatial softmax, crops, and ImageNet's weights."""

from __future__ import annotations

from pathlib import Path

from apprentice_policies.convolution import convolve
from apprentice_policies.convolution import FrozenBatchNorm2d
from apprentice_policies.errors import PolicyError
from apprentice_policies.imagenet import FILES
from apprentice_policies.imagenet import FOLDER
from apprentice_policies.imagenet import load_imagenet
from apprentice_policies.packing import linear
from apprentice_policies.vision import crop
from apprentice_policies.vision import resize
from apprentice_policies.vision import ResNetBackbone
from apprentice_policies.vision import RgbEncoder
from apprentice_policies.vision import SpatialSoftmax
import pytest
import torch
from torch import nn

# Without the classifier, as torchvision publishes them.
PARAMETERS = {'resnet18': 11_176_512, 'resnet34': 21_284_672, 'resnet50': 23_508_032}
WEIGHTS = 'ResNet18_Weights.IMAGENET1K_V1'


@pytest.fixture(autouse=True)
def _settled() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def shake(norms: torch.nn.Module) -> None:
    """Move statistics off the identity."""
    for part in norms.modules():
        if hasattr(part, 'running_var'):
            part.running_var.uniform_(0.5, 2.0)
            part.running_mean.normal_(0, 0.3)
            part.weight.data.uniform_(0.5, 2.0)
            part.bias.data.normal_(0, 0.3)


@pytest.mark.parametrize('name', PARAMETERS)
def test_size_and_stride(name: str) -> None:
    """Networks have the published size, and maps a 32nd of the sides."""
    backbone = ResNetBackbone(name, 'batch').eval()
    assert sum(item.numel() for item in backbone.parameters()) == PARAMETERS[name]
    with torch.no_grad():
        found = backbone(torch.rand(1, 3, 65, 40))
    assert found.shape == (1, 512 if name != 'resnet50' else 2048, 3, 2)


def test_dilation_keeps_the_sides() -> None:
    """Dilation keeps the sides."""
    with torch.no_grad():
        maps = ResNetBackbone('resnet50', dilate=True)(torch.rand(1, 3, 64, 96))
    assert maps.shape == (1, 2048, 4, 6)


def test_names_are_those_of_torchvision_or_numbers() -> None:
    """Names are those of torchvision or numbers."""
    named, numbered = ResNetBackbone('resnet18'), ResNetBackbone('resnet18', 'batch', False)
    keys = set(named.state_dict())
    assert {'conv1.weight', 'bn1.running_var', 'layer4.1.bn2.weight',
            'layer2.0.downsample.1.bias'} <= keys
    assert not any('num_batches_tracked' in key for key in keys)
    assert {name for name, _ in named.named_parameters()} == {
        key for key in keys if 'conv' in key or 'downsample.0' in key}
    assert {'0.weight', '1.num_batches_tracked', '7.1.bn2.weight'} <= set(numbered.state_dict())


def test_an_unknown_network_is_named() -> None:
    """An unknown network is named."""
    with pytest.raises(PolicyError, match="found 'resnet20', expected one of resnet18"):
        ResNetBackbone('resnet20')


@pytest.mark.parametrize('norm', ['frozen', 'batch'])
def test_one_pass_gives_what_two_give(norm: str) -> None:
    """One pass gives what two give."""
    conv = nn.Conv2d(3, 16, 3, 2, 1, bias=False)
    after = FrozenBatchNorm2d(16) if norm == 'frozen' else nn.BatchNorm2d(16).eval()
    shake(after)
    maps = torch.rand(2, 3, 15, 20)
    expected = after(conv(maps))
    with torch.no_grad():
        torch.testing.assert_close(convolve(conv, after, maps), expected)
        conv.weight.mul_(2)
        after.running_mean.add_(1)
        torch.testing.assert_close(convolve(conv, after, maps), after(conv(maps)))
    torch.testing.assert_close(convolve(conv, after, maps), after(conv(maps)))


@pytest.mark.parametrize('norm', ['frozen', 'batch', 'group'])
def test_predicting_gives_what_training_code_gives(norm: str) -> None:
    """Predicting gives what training code gives."""
    backbone = ResNetBackbone('resnet18', norm).eval()
    shake(backbone)
    images = torch.rand(2, 3, 64, 64)
    expected = backbone(images).detach()
    with torch.no_grad():
        found = backbone(images)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_statistics_move_in_training_alone() -> None:
    """Statistics move in training alone."""
    backbone = ResNetBackbone('resnet18', 'batch', named=False)
    before = backbone.state_dict()['1.running_mean'].clone()
    backbone.eval()(torch.rand(2, 3, 32, 32))
    assert torch.equal(backbone.state_dict()['1.running_mean'], before)
    backbone.train()(torch.rand(2, 3, 32, 32))
    assert not torch.equal(backbone.state_dict()['1.running_mean'], before)


@pytest.mark.parametrize('relu', [False, True])
def test_a_packed_linear_layer_is_the_same_and_follows_its_weights(relu: bool) -> None:
    """A packed linear layer is the same and follows its weights."""
    layer, values = nn.Linear(64, 96), torch.randn(2, 30, 64)
    with torch.no_grad():
        for _ in range(2):
            expected = layer(values).relu() if relu else layer(values)
            torch.testing.assert_close(linear(layer, values, relu), expected)
            layer.weight.mul_(-2)


def test_spatial_softmax_finds_a_bright_pixel() -> None:
    """Spatial softmax finds a bright pixel."""
    pool = SpatialSoftmax((1, 5, 9), 1)
    with torch.no_grad():
        pool.nets.weight.fill_(1000.0)
    maps = torch.zeros(1, 1, 5, 9)
    maps[0, 0, 4, 2] = 1.0
    torch.testing.assert_close(pool(maps), torch.tensor([[[-0.5, 1.0]]]))
    assert pool.pos_grid.shape == (45, 2)


def test_crops() -> None:
    """A crop has the size asked for, in the middle unless at random."""
    images = torch.arange(2 * 3 * 7 * 9.0).reshape(2, 3, 7, 9)
    assert torch.equal(crop(images, (4, 4), False), images[..., 2:6, 2:6])
    generator = torch.Generator().manual_seed(5)
    found = crop(images, (4, 4), True, generator)
    again = torch.Generator().manual_seed(5)
    top, left = (torch.randint(0, room + 1, (1,), generator=again).item() for room in (3, 5))
    assert torch.equal(found, images[..., top:top + 4, left:left + 4])
    state = torch.get_rng_state()
    assert crop(images, (7, 9), True) is images
    assert torch.equal(torch.get_rng_state(), state)


def test_resizing_to_the_same_size_changes_nothing() -> None:
    """Resizing to the same size changes nothing."""
    images = torch.rand(1, 3, 8, 8)
    assert resize(images, (8, 8)) is images
    assert resize(images, (4, 6)).shape == (1, 3, 4, 6)


def test_an_encoder_crops_at_random_in_training_alone() -> None:
    """An encoder crops at random in training alone."""
    encoder = RgbEncoder('resnet18', (3, 96, 96), 4, crop_shape=(64, 64), norm='group').eval()
    images = torch.rand(2, 3, 96, 96)
    assert encoder(images).shape == (2, encoder.feature_dim) == (2, 8)
    assert torch.equal(encoder(images), encoder(images))
    encoder.train()
    torch.manual_seed(0)
    assert len({encoder(images).sum().item() for _ in range(4)}) > 1


def test_imagenet_weights_come_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file in the folder named by the environment fills both kinds of backbone."""
    published = {key: torch.randn_like(value) if value.dtype.is_floating_point else value
                 for key, value in ResNetBackbone('resnet18', 'batch').state_dict().items()}
    published['fc.weight'] = torch.zeros(1000, 512)
    torch.save(published, tmp_path / FILES[WEIGHTS])
    monkeypatch.setenv(FOLDER, str(tmp_path))
    both = nn.ModuleList([ResNetBackbone('resnet18', weights=WEIGHTS),
                          ResNetBackbone('resnet18', 'batch', False, weights=WEIGHTS)])
    plain = ResNetBackbone('resnet18')
    kept = plain.conv1.weight.clone()
    assert load_imagenet(nn.ModuleList([*both, plain])) == [str(tmp_path / FILES[WEIGHTS])]
    assert torch.equal(both[0].layer3[1].bn2.running_var, published['layer3.1.bn2.running_var'])
    found = both[1].state_dict()['4.0.conv1.weight']
    assert torch.equal(found, published['layer1.0.conv1.weight'])
    assert torch.equal(plain.conv1.weight, kept)


def test_missing_imagenet_weights_leave_a_random_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Missing ImageNet's weights leave a random start."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    backbone = ResNetBackbone('resnet18', weights=WEIGHTS)
    with pytest.warns(UserWarning, match=f'Download .*{FILES[WEIGHTS]}'):
        assert load_imagenet(backbone) == []
    with pytest.raises(PolicyError, match="found 'best', expected null or one of ResNet18"):
        load_imagenet(ResNetBackbone('resnet18', weights='best'))


def test_a_file_of_another_network_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file of another network is named."""
    torch.save(ResNetBackbone('resnet34', 'batch').state_dict(), tmp_path / FILES[WEIGHTS])
    monkeypatch.setenv(FOLDER, str(tmp_path))
    wrong = ResNetBackbone('resnet50', weights=WEIGHTS)
    with pytest.raises(PolicyError, match='no tensor for|expected the weights of resnet50'):
        load_imagenet(wrong)
