# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
A `pretrained_model` folder: `config.json`, `model.safetensors`, and both pipelines.

Nothing in it can name code, and weights in a pickle are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
import json
from pathlib import Path
from typing import Any

from apprentice_policies.config import CONFIG_FILE
from apprentice_policies.config import PolicyConfig
from apprentice_policies.device import resolve_device
from apprentice_policies.errors import PolicyError
from apprentice_policies.folders import replacing
from apprentice_policies.policy import Policy
from apprentice_policies.processors.pipeline import connect
from apprentice_policies.processors.pipeline import entries
from apprentice_policies.processors.pipeline import Overrides
from apprentice_policies.processors.pipeline import Pipeline
from apprentice_policies.processors.pipeline import POSTPROCESSOR
from apprentice_policies.processors.pipeline import PREPROCESSOR
from apprentice_policies.registry import policy_class
from apprentice_policies.tensor_files import read_tensors
from apprentice_policies.tensor_files import write_tensors
import torch
from torch import Tensor

FOLDER = 'pretrained_model'
WEIGHTS_FILE = 'model.safetensors'
TRAIN_CONFIG_FILE = 'train_config.json'
# torch.compile puts it into the names of a module that it wraps.
_COMPILED = '._orig_mod'
_LISTED = 20


def save_pretrained(folder: str | Path, policy: Policy, pre: Pipeline, post: Pipeline,
                    train_config: Mapping[str, Any] | None = None) -> None:
    """
    Write a checkpoint, whole or not at all, in the place of what `folder` holds.

    :param train_config: what `train_config.json` is to hold; None: no such file.
    :raises PolicyError: the disk is full, or the folder cannot be written.
    """
    with replacing(Path(folder)) as beside:
        (beside / CONFIG_FILE).write_text(policy.config.to_json(), encoding='utf-8')
        write_tensors(beside / WEIGHTS_FILE, weights(policy))
        pre.save(beside)
        post.save(beside)
        if train_config is not None:
            text = json.dumps(train_config, indent=4)
            (beside / TRAIN_CONFIG_FILE).write_text(text, encoding='utf-8')


def weights(policy: Policy) -> dict[str, Tensor]:
    """Return parameters and persistent buffers under the names of the file."""
    return {plain(name): value for name, value in policy.state_dict().items()}


def plain(name: str) -> str:
    """Return a tensor's name without what `torch.compile` put into it."""
    return name.replace(_COMPILED, '')


def load_pretrained(
    folder: str | Path, device: str | None = None, overrides: Overrides | None = None,
) -> tuple[Policy, Pipeline, Pipeline]:
    """
    Return the policy of a checkpoint, ready to act, and both of its pipelines.

    :param device: torch's name; None: the configuration's. Where it is missing, the CPU.
    :param overrides: of the preprocessor, by registry name.
    :raises PolicyError: something is missing, broken or does not fit, all of it named.
    """
    folder = find_checkpoint(folder)
    config = PolicyConfig.load(folder)
    config.device = str(resolve_device(device or config.device))
    policy = build(config)
    load_weights(policy, folder / WEIGHTS_FILE)
    pre, post = load_processors(folder, config.device, overrides)
    return policy.to(config.device).eval(), pre, post


def load_processors(folder: Path, device: str,
                    overrides: Overrides | None = None) -> tuple[Pipeline, Pipeline]:
    """Return both pipelines of a checkpoint, the first one ending on a device."""
    overrides = dict(overrides or {})
    names = [entry.get('registry_name') for entry in entries(folder / f'{PREPROCESSOR}.json')]
    if 'device_processor' in names:
        overrides['device_processor'] = {'device': device,
                                         **overrides.get('device_processor', {})}
    pre = Pipeline.load(folder, PREPROCESSOR, overrides)
    post = Pipeline.load(folder, POSTPROCESSOR)
    connect(pre, post)
    return pre, post


def build(config: PolicyConfig) -> Policy:
    """Return the policy of a configuration whose weights come from a file: none is fetched."""
    kind = policy_class(config.type)
    with _without_backbone(config):
        return kind(config)


@contextmanager
def _without_backbone(config: PolicyConfig) -> Iterator[None]:
    # The file holds the backbone, too: what it began from need not be here.
    name = 'pretrained_backbone_weights'
    value = getattr(config, name, None)
    if value is None:
        yield
        return
    setattr(config, name, None)
    try:
        yield
    finally:
        setattr(config, name, value)


def find_checkpoint(path: str | Path) -> Path:
    """Return the `pretrained_model` folder that a path is, holds, or has as its `last` one."""
    path = Path(path).expanduser()
    for found in (path, path / FOLDER, path / 'last' / FOLDER,
                  path / 'checkpoints' / 'last' / FOLDER):
        if (found / CONFIG_FILE).is_file():
            return found
    if path.is_file():
        read_tensors(path)
        path = path.parent
    there = ', '.join(sorted(one.name for one in path.iterdir())[:_LISTED]) \
        if path.is_dir() else 'no such folder'
    raise PolicyError(f'{path}: found {there or "nothing"}, expected a checkpoint with '
                      f'{CONFIG_FILE}; one on the Hub is fetched by `ros2 run '
                      'apprentice_policies pull USER/NAME FOLDER`')


def load_weights(policy: Policy, path: str | Path) -> None:
    """
    Fill a policy from a safetensors file, which must hold exactly its tensors.

    :raises PolicyError: lists what is missing, what is too much and what has another shape.
    """
    path = Path(path)
    fill(policy, {plain(name): value for name, value in _read(path).items()}, str(path))


def _read(path: Path) -> dict[str, Tensor]:
    for other, what in (('model.safetensors.index.json', 'weights in several files'),
                        ('adapter_model.safetensors', 'an adapter to other weights (PEFT)')):
        if not path.exists() and (path.parent / other).exists():
            raise PolicyError(f'{path.parent / other}: found {what}, expected {path.name}; join '
                              'them with the software that wrote them')
    return read_tensors(path)


def fill(policy: Policy, tensors: Mapping[str, Tensor], where: str) -> None:
    """Copy tensors into a policy by name; PolicyError unless they are exactly its own."""
    own = weights(policy)
    problems = [
        *(f'missing: {name} {_form(own[name])}' for name in own if name not in tensors),
        *(f'not of this policy: {name} {_form(tensors[name])}' for name in tensors
          if name not in own),
        *(f'another shape: {name} found {_form(tensors[name])}, expected {_form(own[name])}'
          for name in own if name in tensors and not _fits(tensors[name], own[name]))]
    if problems:
        more = f'\n  and {len(problems) - _LISTED} more' if len(problems) > _LISTED else ''
        lines = ''.join(f'\n  {problem}' for problem in problems[:_LISTED])
        raise PolicyError(
            f'{where}: {len(problems)} tensor(s) do not fit policy {policy.config.type}; '
            f'{CONFIG_FILE} and weights must come from one checkpoint:{lines}{more}')
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(tensors[name])


def _fits(found: Tensor, own: Tensor) -> bool:
    return found.shape == own.shape and found.is_floating_point() == own.is_floating_point()


def _form(value: Tensor) -> str:
    return f'{list(value.shape)} {str(value.dtype).removeprefix("torch.")}'
