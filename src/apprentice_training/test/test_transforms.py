# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Random changes of pictures: what they do, and that they follow from the position alone."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch')
from apprentice_training import transforms  # noqa: E402, I100
from apprentice_training.config import ImageTransformConfig  # noqa: E402, I100
from apprentice_training.config import ImageTransformsConfig  # noqa: E402, I100
from apprentice_training.transforms import ImageTransforms  # noqa: E402, I100


def pictures(count: int = 4, frames: int = 2) -> torch.Tensor:
    """Return random pictures."""
    return torch.rand(count, frames, 3, 12, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(('name', 'values'), [
    ('brightness', [1.0]), ('contrast', [1.0]), ('saturation', [1.0]), ('sharpness', [1.0]),
    ('hue', [0.0]), ('hue', [1.0]), ('affine', [0.0, 0.0, 0.0, 1.0]),
    ('affine', [360.0, 0.0, 0.0, 1.0])])
def test_nothing(name: str, values: list[float]) -> None:
    """The value in the middle changes nothing; neither does a whole turn."""
    before = pictures()
    after = getattr(transforms, name)(before.clone(), torch.tensor([values] * 4))
    torch.testing.assert_close(after, before, atol=2e-6, rtol=0)


def test_colours() -> None:
    """Known values come out."""
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 1, 3, 1, 1).expand(1, 1, 3, 4, 4).clone()
    third = transforms.hue(red, torch.tensor([[1 / 3]]))
    torch.testing.assert_close(third[0, 0, :, 0, 0], torch.tensor([0.0, 1.0, 0.0]))
    grey = transforms.saturation(red, torch.tensor([[0.0]]))
    torch.testing.assert_close(grey[0, 0, :, 0, 0], torch.full((3,), 0.299))
    dark = transforms.brightness(red, torch.tensor([[0.5]]))
    torch.testing.assert_close(dark[0, 0, :, 0, 0], torch.tensor([0.5, 0.0, 0.0]))
    flat = transforms.contrast(pictures(), torch.zeros(4, 1))
    assert flat.flatten(2).std(-1).max() < 1e-6


def test_affine_moves_and_turns() -> None:
    """A quarter of the width moves four pixels; a half turn shows the picture upside down."""
    before = pictures(1, 1)
    moved = transforms.affine(before, torch.tensor([[0.0, 0.25, 0.0, 1.0]]))
    torch.testing.assert_close(moved[..., 4:], before[..., :-4])
    assert moved[..., :4].abs().max() == 0
    down = transforms.affine(before, torch.tensor([[0.0, 0.0, 0.25, 1.0]]))
    torch.testing.assert_close(down[..., 3:, :], before[..., :-3, :])
    turned = transforms.affine(before, torch.tensor([[180.0, 0.0, 0.0, 1.0]]))
    torch.testing.assert_close(turned, before.flip(-1, -2))


def test_sharpness_smooths() -> None:
    """At 0 a point is spread by the kernel, and the border stays."""
    point = torch.zeros(1, 1, 3, 5, 5)
    point[..., 2, 2] = 1
    smooth = transforms.sharpness(point, torch.tensor([[0.0]]))
    assert smooth[0, 0, 0, 2, 2] == pytest.approx(5 / 13)
    assert smooth[0, 0, 0, 1, 1] == pytest.approx(1 / 13)
    assert smooth[0, 0, 0, 0].abs().max() == 0


@pytest.mark.parametrize('random_order', [False, True])
def test_position_decides(random_order: bool) -> None:
    """A sample is changed alike in whatever batch; all frames of a window are changed alike."""
    change = ImageTransforms(ImageTransformsConfig(True, 3, random_order), 7)
    before = pictures()
    before[:, 1] = before[:, 0]
    together = change(before, range(10, 14), 0)
    alone = torch.cat([change(before[row:row + 1], range(10 + row, 11 + row), 0)
                       for row in range(4)])
    torch.testing.assert_close(together, alone)
    torch.testing.assert_close(together[:, 0], together[:, 1])
    assert not torch.equal(together, change(before, range(11, 15), 0))
    assert not torch.equal(together, change(before, range(10, 14), 1))
    assert together.min() >= 0 and together.max() <= 1


def test_drawn_by_weight() -> None:
    """As many are drawn as are asked for, never one of weight 0, values within the ranges."""
    config = ImageTransformsConfig(True, 2)
    config.tfs['affine'].weight = 0
    config.tfs['all'] = ImageTransformConfig(1, 'ColorJitter', {'hue': 0.1, 'contrast': 0.5})
    change = ImageTransforms(config, 0)
    names = set()
    for position in range(200):
        drawn = change.draw(position, 0)
        names |= {name for name, _ in drawn}
        assert 2 <= len(drawn) <= 3
        assert all(0.5 <= values[0] <= 1.5 for name, values in drawn if name != 'hue')
    assert names == {'brightness', 'contrast', 'saturation', 'hue', 'sharpness'}
