# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""A running mean of a policy's weights, which often acts better than the last ones."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager

from apprentice_training.errors import TrainingError
import torch
from torch import nn
from torch import Tensor

EMA_FILE = 'ema_state.safetensors'


class Ema:
    """
    Keep `decay * mean + (1 - decay) * weights` of every float parameter; buffers are copied.

    At step n the decay is at most (1 + n) / (10 + n), so the first weights are soon forgotten.
    """

    def __init__(self, policy: nn.Module, decay: float) -> None:
        """Begin with the weights as they are."""
        self._policy, self._decay = policy, decay
        self.tensors = {name: value.detach().clone()
                        for name, value in policy.state_dict().items()}
        self._averaged = {name for name, value in policy.named_parameters()
                          if value.is_floating_point()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step, counted from 1."""
        share = 1 - min(self._decay, (1 + step) / (10 + step))
        for name, value in self._policy.state_dict().items():
            if name in self._averaged:
                self.tensors[name].lerp_(value, share)
            else:
                self.tensors[name].copy_(value)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on with means that were saved."""
        if tensors.keys() != self.tensors.keys():
            raise TrainingError(f'{EMA_FILE}: found other names than the policy has, expected '
                                'the file of the same checkpoint')
        for name, value in self.tensors.items():
            value.copy_(tensors[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the policy have the means for a while."""
        own = {name: value.detach().clone() for name, value in self._policy.state_dict().items()}
        self._policy.load_state_dict(self.tensors)
        try:
            yield
        finally:
            self._policy.load_state_dict(own)
