# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A batch of what was fetched together equals PyTorch's own, and is not copied."""
from __future__ import annotations

from pathlib import Path

from apprentice_dataset.torch import collate
from apprentice_dataset.torch import LeRobotDataset
import pytest
from recording import FRONT
from recording import make
from recording import WRIST
import torch
from torch.utils.data import DataLoader
from torch.utils.data import default_collate

ORDER = [3, 0, 4, 3, 9]
WINDOWS = {WRIST: [-1 / 30, 0], 'action': [0, 1 / 30]}


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset of two episodes."""
    folder = tmp_path_factory.mktemp('batches') / 'dataset'
    make(folder, 5, 5)
    return folder


def equal(one: dict, other: dict) -> bool:
    """Compare batches, types and order of names too."""
    return list(one) == list(other) and all(
        torch.equal(one[name], other[name]) and one[name].dtype == other[name].dtype
        if isinstance(one[name], torch.Tensor) else one[name] == other[name] for name in one)


@pytest.mark.parametrize('uint8', [True, False])
@pytest.mark.parametrize('windows', [None, WINDOWS])
def test_equals_the_default(uint8: bool, windows: dict | None, root: Path) -> None:
    """Whatever the kind of picture, nothing but the memory differs; nothing is copied."""
    dataset = LeRobotDataset('a/b', root, return_uint8=uint8, delta_timestamps=windows)
    items = dataset.__getitems__(ORDER)
    batch = collate(items)
    assert equal(batch, default_collate(items))
    for name in (FRONT, WRIST, 'action'):
        assert batch[name].data_ptr() == items[0][name].data_ptr()
    if windows is None:
        assert batch[FRONT].is_contiguous(memory_format=torch.channels_last)


def test_of_a_worker(root: Path) -> None:
    """Batches of workers are the same in the parent."""
    dataset = LeRobotDataset('a/b', root)
    loader = DataLoader(dataset, batch_sampler=[ORDER, [1, 2]], num_workers=1, collate_fn=collate)
    for positions, batch in zip((ORDER, [1, 2]), loader):
        assert equal(batch, default_collate(dataset.__getitems__(positions)))


def test_what_does_not_lie_together(root: Path) -> None:
    """Items of several fetches, in another order, transformed or alone are joined rightly too."""
    dataset = LeRobotDataset('a/b', root)
    apart = [dataset[number] for number in ORDER]
    assert equal(collate(apart), default_collate(apart))
    turned = dataset.__getitems__(ORDER)[::-1]
    assert equal(collate(turned), default_collate(turned))
    uneven = [turned[0], turned[1], turned[4]]
    assert equal(collate(uneven), default_collate(uneven))
    twice = [turned[0]] * 3
    assert equal(collate(twice), default_collate(twice))
    assert equal(collate(apart[:1]), default_collate(apart[:1]))
    dataset.set_image_transforms(lambda picture: picture.flip(-1))
    flipped = dataset.__getitems__(ORDER)
    assert equal(collate(flipped), default_collate(flipped))
