# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Bring batches from the dataset to the policy: device, floats, random changes, processors."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from apprentice_policies.processors import Pipeline
from apprentice_training.transforms import ImageTransforms
from apprentice_training.watch import Watch
import torch
from torch import Tensor

Batch = dict[str, Any]


class Feed:
    """Iterate over batches that are ready for the policy; `batch` is the last one."""

    def __init__(self, batches: Iterable[Batch], pre: Pipeline, device: torch.device) -> None:
        """Take what loads batches, and the preprocessor."""
        self._batches, self._pre, self._device = iter(batches), pre, device
        self.batch: Batch = {}
        self._watch: Watch | None = None
        self._transforms: ImageTransforms | None = None
        self._cameras: list[str] = []
        self._positions = range(0)
        self._stride = 0

    def time(self, watch: Watch) -> None:
        """Let the time be counted as data and transfer."""
        self._watch = watch

    def change(self, transforms: ImageTransforms, cameras: list[str], first: range,
               stride: int) -> None:
        """
        Change pictures at random.

        :param first: positions of the first batch in the order of samples.
        :param stride: how far the next batch of this process is from there.
        """
        self._transforms, self._cameras = transforms, cameras
        self._positions, self._stride = first, stride

    def __iter__(self) -> Iterator[Batch]:
        """Return itself."""
        return self

    def __next__(self) -> Batch:
        """Return the next batch, normalised."""
        batch = next(self._batches)
        self._mark('data')
        batch = {key: self._moved(value) for key, value in batch.items()}
        if self._transforms is not None:
            for number, camera in enumerate(self._cameras):
                batch[camera] = self._transforms(batch[camera], self._positions, number)
            self._positions = range(self._positions.start + self._stride,
                                    self._positions.stop + self._stride)
        self.batch = self._pre(batch)
        self._mark('transfer')
        return self.batch

    def _moved(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        moved = value.to(self._device, non_blocking=True)
        # Pictures travel as bytes, a quarter of the size.
        return moved.to(torch.float32).div_(255) if moved.dtype == torch.uint8 else moved

    def _mark(self, part: str) -> None:
        if self._watch is not None:
            self._watch.mark(part)
