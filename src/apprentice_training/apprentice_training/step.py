# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""One step of training: batches forward and backward, the gradient clipped, weights updated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextlib import nullcontext
import math
from typing import Any

from apprentice_policies.policy import Policy
from apprentice_training.config import TrainConfig
from apprentice_training.errors import TrainingError
from apprentice_training.watch import Watch
from apprentice_training.world import World
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

Batch = dict[str, Any]
_OUT_OF_MEMORY = ('out of memory', "can't allocate memory", 'not enough memory')


class NotFinite(Exception):
    """The loss or the gradient is no number; the weights were not changed."""


class Stepper:
    """What updates a policy's weights; all processes step together."""

    def __init__(self, policy: Policy, optimizer: Any, scheduler: Any, config: TrainConfig,
                 world: World, watch: Watch) -> None:
        """Wrap the policy for several processes and compile it, as configured."""
        assert config.policy is not None and config.optimizer is not None
        self.policy, self.optimizer, self.scheduler = policy, optimizer, scheduler
        self._accumulation = config.gradient_accumulation_steps
        self._clip = config.optimizer.grad_clip_norm
        self._amp, self._device, self._watch = config.policy.use_amp, world.device, watch
        if config.compile:
            policy.compile()
        self._model: nn.Module = policy
        if world.size > 1:
            # A policy may leave parameters out, as VQ-BeT does while it learns its codes.
            ids = [world.device.index] if world.device.type == 'cuda' else None
            self._model = DistributedDataParallel(policy, ids, find_unused_parameters=True)

    def update(self, batches: Iterator[Batch]) -> dict[str, float]:
        """
        Take one step; return loss, gradient norm, and the policy's own figures.

        :raises NotFinite: before anything is changed.
        """
        self.policy.train()
        figures: dict[str, float] = {}
        for number in range(self._accumulation):
            batch = next(batches)
            with self._unshared(number):
                self._backward(batch, figures)
        norm = self._clipped()
        if not (math.isfinite(figures['loss']) and math.isfinite(norm)):
            self.optimizer.zero_grad(set_to_none=True)
            raise NotFinite(f'the loss is {figures["loss"]:g}, the norm of the gradient {norm:g}')
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.scheduler is not None:
            self.scheduler.step()
        self.policy.after_step()
        self._watch.mark('update')
        return {**figures, 'grad_norm': norm}

    def _unshared(self, number: int) -> AbstractContextManager[None]:
        """Keep gradients to this process until the last batch of a step."""
        if isinstance(self._model, DistributedDataParallel) and number + 1 < self._accumulation:
            return self._model.no_sync()
        return nullcontext()

    def _backward(self, batch: Batch, figures: dict[str, float]) -> None:
        with autocast(self._device, self._amp):
            loss, more = self._model(batch)
        for name, value in {**(more or {}), 'loss': loss.item()}.items():
            if isinstance(value, (int, float)):
                figures[name] = figures.get(name, 0.0) + value / self._accumulation
        self._watch.mark('forward')
        (loss / self._accumulation if self._accumulation > 1 else loss).backward()
        self._watch.mark('backward')

    def _clipped(self) -> float:
        parameters = [one for group in self.optimizer.param_groups for one in group['params']]
        limit = self._clip if self._clip > 0 else math.inf
        return float(nn.utils.clip_grad_norm_(parameters, limit))


def autocast(device: torch.device, enabled: bool) -> AbstractContextManager[Any]:
    """Let matrices be multiplied in bfloat16, which needs no scaling of the loss."""
    return torch.autocast(device.type, torch.bfloat16) if enabled else nullcontext()


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an error of torch says that memory has run out."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and any(one in str(error) for one in _OUT_OF_MEMORY))


def memory_error(error: BaseException, config: TrainConfig) -> TrainingError:
    """Return what to do about memory that has run out."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    half = max(1, config.batch_size // 2)
    again = (f'--batch_size={half} --gradient_accumulation_steps='
             f'{config.gradient_accumulation_steps * 2}, which trains on the same samples a step'
             if config.batch_size > 1 else 'a smaller network, fewer cameras or smaller pictures')
    return TrainingError(f'out of memory with --batch_size={config.batch_size}: {line}. Lower '
                         f'it: {again}; --policy.use_amp=true takes less, too')
