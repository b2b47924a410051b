# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Read and write safetensors files, with errors that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from apprentice_policies.errors import PolicyError
from safetensors import safe_open
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

_PICKLES = ('*.bin', '*.pt', '*.pth', '*.ckpt', '*.pkl')


def read_tensors(path: Path, device: str = 'cpu') -> dict[str, Tensor]:
    """Return the tensors of a file by name, those that are stored once under all their names."""
    _refuse_pickle(path)
    try:
        with safe_open(path, 'pt', device=device) as file:
            found = {name: file.get_tensor(name) for name in file.keys()}
            same = file.metadata() or {}
    except FileNotFoundError:
        raise PolicyError(f'{path}: found no such file, expected a safetensors file; copy the '
                          'checkpoint again, with all its files') from None
    except (SafetensorError, OSError) as error:
        raise PolicyError(f'{path}: found {_size(path)} bytes that are no whole safetensors file '
                          f'({error}); it was cut short or changed: copy it again') from None
    # A name that stands for another one, of a tensor that two modules share.
    return found | {name: found[kept] for name, kept in same.items()
                    if kept in found and name not in found}


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """
    Write tensors, each once: names that share memory are kept in the file's metadata.

    The file is not synced; see `checkpoint`.
    """
    first: dict[tuple[int, tuple[int, ...], tuple[int, ...]], str] = {}
    kept, same = {}, {}
    for name in sorted(tensors):
        value = tensors[name].detach()
        place = (value.data_ptr(), tuple(value.shape), value.stride())
        if value.numel() and place in first:
            same[name] = first[place]
            continue
        first[place] = name
        kept[name] = value.cpu().contiguous()
    save_file(kept, path, {'format': 'pt', **same})


def _refuse_pickle(path: Path) -> None:
    pickles = [path] if path.suffix != '.safetensors' and path.is_file() else \
        [] if path.exists() else sorted(
            found for pattern in _PICKLES for found in path.parent.glob(pattern))
    if path.is_file():
        with open(path, 'rb') as file:
            head = file.read(9)
        pickles += [path] if _is_pickled(head) and path not in pickles else []
    if pickles:
        name = pickles[0]
        raise PolicyError(
            f'{name}: found a pickle, expected {path.with_suffix(".safetensors").name}. A pickle '
            'can run any program, so none is opened here. If you trust it, convert it where it '
            'came from: python3 -c "import torch, safetensors.torch as s; s.save_file(torch.load('
            f"'{name.name}', weights_only=True), 'model.safetensors')\"")


def _is_pickled(head: bytes) -> bool:
    """Know a zip archive, as torch.save writes, and a bare pickle by their first bytes."""
    # Behind its length, which may begin as a pickle does, the header of safetensors is JSON.
    return head.startswith(b'PK\x03\x04') or head[:1] == b'\x80' and head[8:9] != b'{'


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
