# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Actions relative to the state they start from, and back."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import ClassVar

from apprentice_policies.errors import PolicyError
from apprentice_policies.features import ACTION
from apprentice_policies.features import STATE
from apprentice_policies.processors.step import Batch
from apprentice_policies.processors.step import Step
import torch
from torch import Tensor


@dataclass
class RelativeActions(Step):
    """
    Subtract the raw state from the action, and remember it for the way back.

    Dimensions whose name holds one of `exclude_joints`, in any case, are left alone.
    """

    NAME: ClassVar[str] = 'relative_actions_processor'
    enabled: bool = False
    exclude_joints: list[str] = field(default_factory=list)
    action_names: list[str] | None = None

    def __post_init__(self) -> None:
        """Begin without a state."""
        self.last: Tensor | None = None

    def __call__(self, batch: Batch) -> Batch:
        """Take the state (B, D) and subtract it from every step of the action (B, [T,] A)."""
        state = batch.get(STATE)
        if not isinstance(state, Tensor):
            return batch
        self.last = state
        action = batch.get(ACTION)
        if not self.enabled or not isinstance(action, Tensor):
            return batch
        return {**batch, ACTION: action - self.offset(action)}

    def offset(self, action: Tensor) -> Tensor:
        """Return what stands between relative and absolute actions, 0 where excluded."""
        state = self.last
        if state is None:
            raise PolicyError(f'{STATE}: found none, expected the observation that the relative '
                              'action starts from; run the preprocessor first')
        # Of a history the newest counts.
        state = state[:, -1] if state.ndim == 3 else state
        size = action.shape[-1]
        if state.shape[-1] < size:
            raise PolicyError(f'{STATE}: found {state.shape[-1]} values, expected at least the '
                              f'{size} of {ACTION}: relative actions are measured from them')
        state = state[..., :size].to(action.device, action.dtype)
        state = torch.where(self._mask(size).to(action.device), state, torch.zeros_like(state))
        return state.unsqueeze(-2) if action.ndim == state.ndim + 1 else state

    def _mask(self, size: int) -> Tensor:
        mask = torch.ones(size, dtype=torch.bool)
        words = [word.lower() for word in self.exclude_joints]
        for index, name in enumerate((self.action_names or [])[:size]):
            mask[index] = not any(word in name.lower() for word in words)
        return mask


@dataclass
class AbsoluteActions(Step):
    """Add the state back that the preprocessor of the same checkpoint saw last."""

    NAME: ClassVar[str] = 'absolute_actions_processor'
    enabled: bool = False

    def __post_init__(self) -> None:
        """Begin without a partner."""
        self.partner: RelativeActions | None = None

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with `action` in absolute units."""
        action = batch.get(ACTION)
        if not self.enabled or not isinstance(action, Tensor):
            return batch
        if self.partner is None:
            raise PolicyError(f'{self.NAME}: found no {RelativeActions.NAME} in the preprocessor, '
                              'expected the one that made the actions relative')
        return {**batch, ACTION: action + self.partner.offset(action)}
