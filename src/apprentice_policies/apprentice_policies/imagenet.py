# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Give new backbones torchvision's ImageNet weights, from files that are there already."""

from __future__ import annotations

import os
from pathlib import Path
import warnings

from apprentice_policies.errors import PolicyError
from apprentice_policies.vision import NAMES
from apprentice_policies.vision import ResNetBackbone
import torch
from torch import nn
from torch import Tensor

FOLDER = 'APPRENTICE_IMAGENET_WEIGHTS'
"""The environment variable that names a folder to look into before torch hub's cache."""

SITE = 'https://download.pytorch.org/models'

FILES = {
    'ResNet18_Weights.IMAGENET1K_V1': 'resnet18-f37072fd.pth',
    'ResNet34_Weights.IMAGENET1K_V1': 'resnet34-b627a593.pth',
    'ResNet50_Weights.IMAGENET1K_V1': 'resnet50-0676ba61.pth',
    'ResNet50_Weights.IMAGENET1K_V2': 'resnet50-11ad3fa6.pth',
    'ResNet101_Weights.IMAGENET1K_V1': 'resnet101-63fe2227.pth',
    'ResNet101_Weights.IMAGENET1K_V2': 'resnet101-cd907fc2.pth',
    'ResNet152_Weights.IMAGENET1K_V1': 'resnet152-394f9c45.pth',
    'ResNet152_Weights.IMAGENET1K_V2': 'resnet152-f82ba261.pth',
}


def load_imagenet(policy: nn.Module) -> list[str]:
    """
    Fill the backbones that ask for weights; return the files read.

    Call it where a training starts anew, never for a checkpoint, which holds its own weights. A
    file that is missing leaves the random start, with a warning that says where to get it.

    :raises PolicyError: an unknown name, or a file of another network.
    """
    read = {}
    for part in policy.modules():
        if isinstance(part, ResNetBackbone) and part.weights:
            path = find(part.weights)
            if path is None:
                continue
            if path not in read:
                read[path] = torch.load(path, map_location='cpu', weights_only=True)
            _fill(part, read[path], path)
    return [str(path) for path in read]


def find(name: str) -> Path | None:
    """Return the file of a weights name, None with a warning where there is none."""
    if name not in FILES:
        raise PolicyError(f'pretrained_backbone_weights: found {name!r}, expected null or one of '
                          f'{", ".join(FILES)}')
    folders = [Path(torch.hub.get_dir()) / 'checkpoints']
    if os.environ.get(FOLDER):
        folders.insert(0, Path(os.environ[FOLDER]))
    for folder in folders:
        if (folder / FILES[name]).is_file():
            return folder / FILES[name]
    warnings.warn(
        f'{name}: {FILES[name]} is not in {" or ".join(map(str, folders))}; the backbone starts '
        f'from random weights and learns more slowly. Download {SITE}/{FILES[name]} into that '
        f'folder, name another one in {FOLDER}, or set pretrained_backbone_weights to null',
        stacklevel=3)
    return None


def _fill(backbone: ResNetBackbone, weights: dict[str, Tensor], path: Path) -> None:
    named = dict(zip((name for name, _ in backbone.named_children()),
                     NAMES))
    found = {}
    for key in backbone.state_dict():
        child, _, rest = key.partition('.')
        found[key] = weights.get(f'{named[child]}.{rest}')
    # Files older than torch 0.4.1 have no counter; it takes no part in what comes out.
    found = {key: value for key, value in found.items()
             if value is not None or not key.endswith('num_batches_tracked')}
    missing = [key for key, value in found.items() if value is None]
    if missing:
        raise PolicyError(f'{path}: no tensor for {missing[0]} of {backbone.name}; expected the '
                          'file torchvision publishes under that name')
    try:
        backbone.load_state_dict(found, strict=False)
    except RuntimeError as error:
        raise PolicyError(f'{path}: {error}; expected the weights of {backbone.name}') from None
