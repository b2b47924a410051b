# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The processes of a training, as `torchrun` and `accelerate launch` start them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import os

from apprentice_policies.device import resolve_device
import torch
from torch import distributed


@dataclass(frozen=True)
class World:
    """This process among the others, and its device."""

    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Tell whether this process writes, prints and evaluates."""
        return self.rank == 0

    def mean(self, value: float) -> float:
        """Return the mean of a value of every process; all have to ask."""
        if self.size == 1:
            return value
        found = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.all_reduce(found)
        return float(found) / self.size

    def gather(self, value: object) -> list[object]:
        """Return the values of all processes, by rank."""
        if self.size == 1:
            return [value]
        found: list[object] = [None] * self.size
        distributed.all_gather_object(found, value)
        return found

    def wait(self) -> None:
        """Go on when every process has come here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def joined(device: str | None) -> Iterator[World]:
    """Join the processes that the environment tells of; alone where it tells of none."""
    size = int(os.environ.get('WORLD_SIZE', '1'))
    rank, local = int(os.environ.get('RANK', '0')), int(os.environ.get('LOCAL_RANK', '0'))
    kind = resolve_device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    if kind.type == 'cuda' and kind.index is None:
        kind = torch.device('cuda', local)
        torch.cuda.set_device(kind)
    if size == 1:
        yield World(0, 1, kind)
        return
    distributed.init_process_group('nccl' if kind.type == 'cuda' else 'gloo')
    try:
        yield World(rank, size, kind)
    finally:
        distributed.destroy_process_group()
