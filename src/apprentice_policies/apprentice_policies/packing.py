# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights rearranged for predictions on a CPU, kept for as long as they are not changed."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from functools import cache
import platform
from typing import Any

import torch
from torch import nn
from torch import Tensor
import torch.nn.functional as functional


class _Kept:
    """What was made of weights, and their state then; a copy of the module starts without."""

    def __init__(self) -> None:
        self.state: Any = None
        self.value: Any = None

    def __deepcopy__(self, memo: dict[int, Any]) -> _Kept:
        return _Kept()

    def __reduce__(self) -> tuple[type[_Kept], tuple[()]]:
        return _Kept, ()


def kept(module: nn.Module, sources: Sequence[Tensor], make: Callable[[], Any],
         kind: object = None) -> Any:
    """Return what `make` gave when `sources` were last changed; `kind` tells ways to make."""
    # A change in place raises the version (which inference tensors lack: those are never kept),
    # moving and assigning change the address.
    state = (kind, *((item.data_ptr(), object() if item.is_inference() else item._version)
                     for item in sources))
    place = module.__dict__.setdefault('_kept', _Kept())
    if place.state != state:
        place.state, place.value = state, make()
    return place.value


def packs(values: Tensor) -> bool:
    """Say whether oneDNN, the CPU's library, may take weights in a layout of its own."""
    return (values.device.type == 'cpu' and values.dtype == torch.float32 and _onednn()
            and not torch.is_grad_enabled() and not torch.compiler.is_compiling()
            and not torch.is_autocast_enabled('cpu'))


@cache
def _onednn() -> bool:
    return (torch.backends.mkldnn.is_available() and platform.machine() in ('x86_64', 'AMD64')
            and hasattr(torch.ops.mkldnn, '_linear_pointwise')
            and hasattr(torch.ops.mkldnn, '_reorder_linear_weight'))


def linear(layer: nn.Linear, values: Tensor, relu: bool = False) -> Tensor:
    """Return `layer(values)`, with what is below 0 cut off on request."""
    if not packs(values):
        values = layer(values)
        return functional.relu_(values) if relu else values
    weight = kept(layer, [layer.weight],
                  lambda: torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), None))
    return torch.ops.mkldnn._linear_pointwise(values, weight, layer.bias,
                                              'relu' if relu else 'none', [], '')
