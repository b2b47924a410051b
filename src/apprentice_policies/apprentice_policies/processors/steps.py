# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""The short steps: renaming, the batch axis, devices, line ends."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import ClassVar

from apprentice_policies.errors import PolicyError
from apprentice_policies.features import ACTION
from apprentice_policies.features import ENVIRONMENT
from apprentice_policies.features import STATE
from apprentice_policies.processors.step import Batch
from apprentice_policies.processors.step import map_tensors
from apprentice_policies.processors.step import Step
from apprentice_policies.processors.step import tasks
import torch
from torch import Tensor

_SUFFIXES = ('', '_is_pad', '_padding_mask')
_FLOATS = {'float16': torch.float16, 'half': torch.float16, 'bfloat16': torch.bfloat16,
           'float32': torch.float32, 'float': torch.float32, 'float64': torch.float64,
           'double': torch.float64}


@dataclass
class Rename(Step):
    """Give observations the names that the policy was trained with, old name to new."""

    NAME: ClassVar[str] = 'rename_observations_processor'
    rename_map: dict[str, str] = field(default_factory=dict)

    def __call__(self, batch: Batch) -> Batch:
        """Rename a key and what belongs to it; where two meet, the renamed one stays."""
        new = {old + suffix: name + suffix for old, name in self.rename_map.items()
               for suffix in _SUFFIXES if old + suffix in batch}
        kept = {key: value for key, value in batch.items() if key not in new}
        return {**kept, **{name: batch[old] for old, name in new.items()}}


@dataclass
class ToBatch(Step):
    """Put the batch axis before what has none."""

    NAME: ClassVar[str] = 'to_batch_processor'
    AXES: ClassVar[dict[str, int]] = {ACTION: 1, STATE: 1, ENVIRONMENT: 1, 'index': 0,
                                      'task_index': 0}

    def __call__(self, batch: Batch) -> Batch:
        """Add the axis to vectors (D,), pictures (3, H, W), numbers () and a task in words."""
        out = dict(batch)
        for key, value in batch.items():
            axes = 3 if key.startswith('observation.image') else self.AXES.get(key)
            if isinstance(value, Tensor) and value.ndim == axes:
                out[key] = value.unsqueeze(0)
        if isinstance(batch.get('task'), str):
            out['task'] = [batch['task']]
        return out


@dataclass
class Device(Step):
    """Move tensors to a device and, where asked, floats to another type."""

    NAME: ClassVar[str] = 'device_processor'
    device: str = 'cpu'
    float_dtype: str | None = None

    def __post_init__(self) -> None:
        """Refuse names that torch does not know."""
        if self.float_dtype is not None and self.float_dtype not in _FLOATS:
            raise PolicyError(f'float_dtype: found {self.float_dtype!r}, expected null or one of '
                              f'{", ".join(_FLOATS)}')
        try:
            self._device = torch.device(self.device)
        except RuntimeError:
            raise PolicyError(f'device: found {self.device!r}, expected a name of torch such as '
                              'cpu or cuda') from None
        self._dtype = _FLOATS.get(self.float_dtype or '')

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch on the device."""
        return map_tensors(batch, self._moved)

    def config(self) -> dict[str, str | None]:
        """Return the kind of the device without a number, which is another on each machine."""
        return {'device': self._device.type, 'float_dtype': self.float_dtype}

    def _moved(self, value: Tensor) -> Tensor:
        # On one of several GPUs already: it was put there on purpose.
        stays = value.is_cuda and self._device.type == 'cuda'
        dtype = self._dtype if value.is_floating_point() else None
        if self._device.type == 'mps' and (dtype or value.dtype) == torch.float64:
            dtype = torch.float32
        # Copies from pinned memory need not be waited for.
        return value.to(device=value.device if stays else self._device,
                        dtype=dtype or value.dtype, non_blocking=self._device.type == 'cuda')


@dataclass
class NewLine(Step):
    """End every task by a line feed, as PaliGemma's and SmolVLM's prompts are."""

    NAME: ClassVar[str] = 'smolvla_new_line_processor'

    def __call__(self, batch: Batch) -> Batch:
        """Add the line feed where it is missing."""
        if batch.get('task') is None:
            return batch
        return {**batch, 'task': [task if task.endswith('\n') else f'{task}\n'
                                  for task in tasks(batch)]}


class Pi0NewLine(NewLine):
    """Do the same under pi0's name."""

    NAME: ClassVar[str] = 'pi0_new_line_processor'


@dataclass
class Identity(Step):
    """Do nothing; the one step that LeRobot saves by a class instead of a registry name."""

    NAME: ClassVar[str] = 'lerobot.processor.pipeline.IdentityProcessorStep'

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch."""
        return batch
