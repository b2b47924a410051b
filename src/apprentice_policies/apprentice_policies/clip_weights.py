# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Sizes and weights of CLIP models, by name, from what is on this machine already."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
import json
from pathlib import Path
from typing import Any
from typing import TYPE_CHECKING
import warnings

from apprentice_policies.errors import PolicyError

if TYPE_CHECKING:
    from torch import nn

CONFIG_FILE = 'config.json'

WEIGHTS = ('model.safetensors', 'pytorch_model.bin')
"""Files with weights, the best first; of the second only tensors are read."""


@dataclass(frozen=True)
class Sizes:
    """What both towers have; fields and defaults are those of CLIP's `config.json`."""

    hidden_size: int = 512
    intermediate_size: int = 2048
    num_hidden_layers: int = 12
    num_attention_heads: int = 8
    layer_norm_eps: float = 1e-5
    hidden_act: str = 'quick_gelu'


@dataclass(frozen=True)
class TextSizes(Sizes):
    """Sizes of a text tower."""

    vocab_size: int = 49408
    max_position_embeddings: int = 77
    eos_token_id: int = 49407


@dataclass(frozen=True)
class VisionSizes(Sizes):
    """Sizes of a picture tower."""

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_attention_heads: int = 12
    image_size: int = 224
    patch_size: int = 32


@dataclass(frozen=True)
class ClipSizes:
    """Sizes of a model."""

    vision: VisionSizes = field(default_factory=VisionSizes)
    text: TextSizes = field(default_factory=TextSizes)


KNOWN = {
    'openai/clip-vit-base-patch16': ClipSizes(VisionSizes(patch_size=16)),
    'openai/clip-vit-base-patch32': ClipSizes(),
    'openai/clip-vit-large-patch14': ClipSizes(
        VisionSizes(1024, 4096, 24, 16, patch_size=14), TextSizes(768, 3072, 12, 12)),
}


def find_sizes(name: str) -> ClipSizes:
    """
    Return the sizes of a model: one in `KNOWN`, a folder, or one in the Hub's cache.

    :raises PolicyError: none of them; a configuration of another kind of network.
    """
    if name in KNOWN:
        return KNOWN[name]
    path = _find(name, CONFIG_FILE)
    if path is None:
        raise PolicyError(
            f'policy.vision_encoder_name or text_encoder_name: found {name!r}, expected one of '
            f'{", ".join(KNOWN)}, a folder with the {CONFIG_FILE} of a CLIP model, or a model in '
            "the Hugging Face Hub's cache on this machine")
    try:
        values = json.loads(path.read_bytes())
        return ClipSizes(_read(VisionSizes, values['vision_config']),
                         _read(TextSizes, values['text_config']))
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyError(f'{path}: {error!r}; expected the configuration of a CLIP model with '
                          'vision_config and text_config') from None


def _read(kind: type[Any], values: dict[str, Any]) -> Any:
    names = {item.name: type(item.default) for item in fields(kind)}
    found = {key: values[key] for key in names if key in values}
    for key, value in found.items():
        if type(value) is not names[key]:
            raise ValueError(f'{key}: found {value!r}, expected {names[key].__name__}')
    sizes = kind(**found)
    if sizes.hidden_act != Sizes.hidden_act:
        raise ValueError(f'hidden_act: found {sizes.hidden_act!r}, expected {Sizes.hidden_act!r}')
    return sizes


def load_clip(policy: nn.Module) -> list[str]:
    """
    Fill the CLIP towers in a policy with the weights of their names; return the files read.

    Call it where a training starts anew, never for a checkpoint, which holds its own weights. A
    model that is not on this machine leaves the random start, with a warning.

    :raises PolicyError: a file without a tensor of the tower, or with one of another shape.
    """
    from apprentice_policies.clip import TextTower
    from apprentice_policies.clip import VisionTower
    read = []
    for tower in policy.modules():
        if not isinstance(tower, (TextTower, VisionTower)):
            continue
        path = next(filter(None, (_find(tower.name, file) for file in WEIGHTS)), None)
        if path is None:
            warnings.warn(
                f'{tower.name}: no {" or ".join(WEIGHTS)} in a folder of that name nor in the '
                "Hugging Face Hub's cache; the tower starts from random weights and learns much "
                f'more slowly. Get it with: hf download {tower.name}', stacklevel=2)
            continue
        _fill(tower, path)
        read.append(str(path))
    return sorted(set(read))


def _fill(tower: nn.Module, path: Path) -> None:
    if path.suffix == '.safetensors':
        from safetensors.torch import load_file
        weights = load_file(path)
    else:
        import torch
        weights = torch.load(path, map_location='cpu', weights_only=True)
    wanted = tower.state_dict()
    for key, tensor in wanted.items():
        if key not in weights or weights[key].shape != tensor.shape:
            found = tuple(weights[key].shape) if key in weights else 'nothing'
            raise PolicyError(f'{path}: {key}: found {found}, expected {tuple(tensor.shape)}; is '
                              f'it the file of {tower.name}?')
    tower.load_state_dict({key: weights[key] for key in wanted})


def _find(name: str, file: str) -> Path | None:
    """Return a file of a model: in a folder of that name, else in the Hub's cache."""
    if Path(name).is_dir():
        path = Path(name, file)
        return path if path.is_file() else None
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        found = try_to_load_from_cache(name, file)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None
