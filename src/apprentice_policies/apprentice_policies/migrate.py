# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Bring checkpoints up to date that hold their statistics among the weights.

Before there were processor files, `model.safetensors` had normalisation buffers, whose names
hold the feature with every dot as an underscore.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import re

from apprentice_policies.checkpoint import build
from apprentice_policies.checkpoint import fill
from apprentice_policies.checkpoint import find_checkpoint
from apprentice_policies.checkpoint import plain
from apprentice_policies.checkpoint import save_pretrained
from apprentice_policies.checkpoint import WEIGHTS_FILE
from apprentice_policies.config import PolicyConfig
from apprentice_policies.errors import PolicyError
from apprentice_policies.processors import make_processors
from apprentice_policies.processors import PREPROCESSOR
from apprentice_policies.tensor_files import read_tensors
import torch
from torch import Tensor

_BUFFER = re.compile(
    r'(?:normalize_inputs|unnormalize_outputs|normalize_targets|normalize|unnormalize|'
    r'input_normalizer|output_normalizer)\.(?:buffer_)?(.+)\.(\w+)')


def migrate(old: str | Path, new: str | Path) -> list[str]:
    """
    Write a new checkpoint out of an old one; return the features whose statistics it held.

    :raises PolicyError: it is up to date, has no statistics, or does not load otherwise.
    """
    old, new = find_checkpoint(old), Path(new)
    if (old / f'{PREPROCESSOR}.json').exists():
        raise PolicyError(f'{old}: found {PREPROCESSOR}.json, expected none; this checkpoint is '
                          'up to date')
    if new.exists() and (not new.is_dir() or any(new.iterdir())):
        raise PolicyError(f'{new}: found something, expected a new or empty folder')
    config = PolicyConfig.load(old)
    config.device = 'cpu'
    path = old / WEIGHTS_FILE
    tensors, stats = split_statistics(read_tensors(path), config, str(path))
    policy = build(config)
    fill(policy, tensors, str(path))
    pre, post = make_processors(config, stats)
    save_pretrained(new, policy, pre, post)
    return sorted(stats)


def split_statistics(
    tensors: Mapping[str, Tensor], config: PolicyConfig, where: str,
) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Return the weights proper, and the statistics by feature and name."""
    names = {key.replace('.', '_'): key
             for key in {**(config.input_features or {}), **(config.output_features or {})}}
    kept: dict[str, Tensor] = {}
    stats: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        match = _BUFFER.fullmatch(plain(name))
        if match is None:
            kept[plain(name)] = value
            continue
        key = names.get(match[1].replace('.', '_'))
        if key is None:
            raise PolicyError(f'{where}: found statistics of {match[1]!r}, expected those of '
                              f'{", ".join(names.values())}, the features of its configuration')
        # They were infinite until they were loaded.
        if not torch.isfinite(value).all():
            raise PolicyError(f'{where}: {name}: found infinite values, expected statistics; '
                              'this checkpoint was saved before it had any')
        stats.setdefault(key, {})[match[2]] = value
    if not stats:
        raise PolicyError(f'{where}: found no normalisation buffers, expected those of '
                          f'{", ".join(names.values())}')
    return kept, stats
