# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Lay what is fetched together one behind the other, so that a batch of it needs no copy."""

from __future__ import annotations

from collections.abc import Sequence
import math
from typing import Any

import torch
from torch.utils.data import default_collate
from torch.utils.data import get_worker_info


def allocated(shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """Return a tensor to fill; a worker's lies in memory that its parent can map."""
    if get_worker_info() is None:
        return torch.empty(tuple(shape), dtype=dtype)
    size = math.prod(shape) * dtype.itemsize
    return torch.empty(0, dtype=dtype).set_(torch.UntypedStorage._new_shared(size)).view(
        tuple(shape))


def collate(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """
    Return a batch as `default_collate` does; items that were fetched together are not copied.

    Give it to a DataLoader as `collate_fn`. Pictures then are (batch, channels, height, width)
    with channels last in memory, which is `torch.channels_last`.
    """
    found = {}
    for name in items[0]:
        values = [item[name] for item in items]
        joined = _joined(values) if all(isinstance(one, torch.Tensor) for one in values) else None
        found[name] = default_collate(values) if joined is None else joined
    return found


def _joined(values: Sequence[torch.Tensor]) -> torch.Tensor | None:
    """Return tensors as one if they lie in one piece of memory at equal distances."""
    first = values[0]
    offset = first.storage_offset()
    step = values[1].storage_offset() - offset if len(values) > 1 else first.numel()
    if step < first.numel():
        return None
    for number, one in enumerate(values):
        if (one.shape, one.stride(), one.dtype) != (first.shape, first.stride(), first.dtype) \
                or one.storage_offset() != offset + number * step \
                or one.untyped_storage().data_ptr() != first.untyped_storage().data_ptr():
            return None
    return first.as_strided((len(values), *first.shape), (step, *first.stride()), offset)
