# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Prompts that hold the state as numbers from 0 to 255, as pi0.5 and pi0-FAST read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apprentice_policies.errors import PolicyError
from apprentice_policies.features import STATE
from apprentice_policies.processors.step import Batch
from apprentice_policies.processors.step import Step
from apprentice_policies.processors.step import tasks
import torch
from torch import Tensor

_BINS = 256


@dataclass
class Pi05Prompt(Step):
    """Put the normalised state (B, D), or the newest of (B, T, D), into every task."""

    NAME: ClassVar[str] = 'pi05_prepare_state_tokenizer_processor_step'
    END: ClassVar[str] = 'Action: '

    def __call__(self, batch: Batch) -> Batch:
        """Replace the tasks by prompts."""
        state = batch.get(STATE)
        if not isinstance(state, Tensor):
            raise PolicyError(f'{STATE}: found none, expected the state, which is part of the '
                              'prompt')
        state = state[:, -1] if state.ndim == 3 else state
        prompts = []
        for task, bins in zip(tasks(batch), discretize(state).tolist(), strict=True):
            text = task.strip().replace('_', ' ').replace('\n', ' ')
            numbers = ' '.join(map(str, bins))
            prompts.append(f'Task: {text}, State: {numbers};\n{self.END}')
        return {**batch, 'task': prompts}


class Pi0FastPrompt(Pi05Prompt):
    """Do the same without the last word, under pi0-FAST's name."""

    NAME: ClassVar[str] = 'pi0_fast_prepare_state_tokenizer_processor_step'
    END: ClassVar[str] = ''


def discretize(state: Tensor) -> Tensor:
    """Return the bins of values from -1 to 1: 0 to 255; below -1 it is -1, above 1 255."""
    edges = torch.linspace(-1, 1, _BINS + 1, dtype=torch.float64)[:-1]
    return torch.bucketize(state.detach().cpu().double(), edges, right=True) - 1
