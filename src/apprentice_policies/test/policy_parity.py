# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
Make a policy do the same things under either implementation, and compare what came out.

It imports neither our packages nor lerobot, so both sides run this very code.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import copy
import json
import math
import random
from typing import Any
from typing import NamedTuple

import numpy as np
from policy_cases import Case
from policy_cases import draw
from policy_cases import frame
from policy_cases import training_batch
import torch
from torch import nn
from torch import Tensor

STEPS = 50
GAIN = 0.5
"""Of every layer's variance; with more, denoising loops blow rounding up beyond the tolerance."""
LOOPS = ('diffusion', 'multi_task_dit')
"""Policies whose actions come out of a denoising loop, where rounding adds up."""


class Side(NamedTuple):
    """A policy with its processors, each called the same way whoever wrote it."""

    policy: nn.Module
    pre: Callable[[dict[str, Any]], dict[str, Any]]
    post: Callable[[Tensor], Tensor]
    chunk: Callable[[dict[str, Any]], Tensor]
    """Predict from a processed training batch's observations."""
    groups: Callable[[], list[Any]]
    """Return the optimiser's parameters or groups."""


def rule_weights(policy: nn.Module, seed: int = 0) -> None:
    """Fill a network in place with numbers that follow from its tensors' names and shapes."""
    state = policy.state_dict()
    parameters = {name for name, _ in policy.named_parameters()}
    for name, tensor in state.items():
        stem, _, last = name.rpartition('.')
        numbers = torch.from_numpy(draw(name, seed, tuple(tensor.shape)))
        if last in ('discretized', 'freeze_codebook'):
            tensor.fill_(True)  # VQ-BeT past its first stage.
        elif last == 'cluster_size':
            tensor.copy_(1 + numbers.abs())
        elif last == 'embed_avg':
            sizes = 1 + torch.from_numpy(abs(draw(f'{stem}.cluster_size', seed,
                                                  tuple(tensor.shape[:-1]))))
            tensor.copy_(torch.from_numpy(draw(f'{stem}.embed', seed, tuple(tensor.shape)))
                         * sizes[..., None])
        elif last == 'embed':
            tensor.copy_(numbers)
        elif last == 'running_var':
            tensor.copy_(1 + 0.2 * numbers.tanh())
        elif name not in parameters and f'{stem}.running_var' not in state:
            continue  # A table or a counter that both sides have to build alike.
        elif tensor.dim() > 1:
            tensor.copy_(numbers * math.sqrt(GAIN / max(1, tensor[0].numel())))
        elif last == 'weight':
            tensor.copy_(1 + 0.1 * numbers)
        elif last != 'num_batches_tracked':
            tensor.copy_(0.1 * numbers)


def as_tensors(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays as tensors, everything else as it is."""
    return {key: torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value
            for key, value in values.items()}


def seed_all(seed: int) -> None:
    """Seed every source that either side draws from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def record(side: Side, case: Case, seed: int, steps: int = STEPS) -> dict[str, np.ndarray]:
    """Return processed inputs, losses, gradients, a chunk and selected actions, by name."""
    found: dict[str, np.ndarray] = {}
    with torch.no_grad():
        batch = side.pre(as_tensors(training_batch(case, seed, side.policy.config)))
    for key, value in batch.items():
        if isinstance(value, Tensor) and key.startswith(('observation.', 'action')):
            found[f'processed/{key}'] = value.numpy().copy()
    found['loss'] = _loss(side.policy.eval(), batch, seed)[0]
    # What training moves (statistics, codebooks) must not move what follows.
    trained = copy.deepcopy(side.policy).train()
    found['training/loss'], found['training/gradients'] = _loss(trained, batch, seed)
    if case.policy == 'vqbet':
        found.update(_first_stage(side.policy, batch, seed))
    side.policy.eval()
    if case.policy in ('act', 'diffusion'):
        side.policy.reset()
        seed_all(seed + 2)
        with torch.no_grad():
            found['chunk'] = side.chunk(observations(batch)).numpy()
    side.policy.reset()
    seed_all(seed + 3)
    with torch.no_grad():
        actions = [side.policy.select_action(side.pre(as_tensors(frame(case, seed, number))))
                   for number in range(steps)]
        found['select'] = torch.stack(actions).numpy()
        found['select_post'] = torch.stack([side.post(item.clone()) for item in actions]).numpy()
    found['tensors'] = np.array(json.dumps(tensors(side.policy)))
    found['groups'] = np.array(json.dumps(groups(side)))
    return found


def observations(batch: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the observations of a batch alone."""
    return {key: value for key, value in batch.items() if isinstance(value, Tensor)
            and key.startswith('observation.') and not key.endswith('_is_pad')}


def _loss(policy: nn.Module, batch: dict[str, Any], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss and the norm of every parameter's gradient, -1 where there is none."""
    policy.zero_grad(set_to_none=True)
    seed_all(seed + 1)
    loss, _ = policy({key: value.clone() if isinstance(value, Tensor) else value
                      for key, value in batch.items()})
    loss.backward()
    norms = [-1.0 if parameter.grad is None else parameter.grad.norm().item()
             for parameter in policy.parameters()]
    policy.zero_grad(set_to_none=True)
    return loss.detach().numpy(), np.array(norms)


def _first_stage(policy: nn.Module, batch: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    policy = copy.deepcopy(policy).train()
    buffers = dict(policy.named_buffers())
    for name, value in buffers.items():
        if name.endswith(('discretized', 'freeze_codebook')):
            value.fill_(False)
    loss, _ = _loss(policy, batch, seed)
    moved = {f'first_stage/{name}': value.numpy().copy() for name, value in buffers.items()
             if '_codebook' in name}
    return {'first_stage/loss': loss, **moved}


def tensors(policy: nn.Module) -> dict[str, list[Any]]:
    """Return dtype and shape of every tensor of a checkpoint, parameters in their order first."""
    state = policy.state_dict()
    first = [name for name, _ in policy.named_parameters() if name in state]
    return {name: [str(state[name].dtype), list(state[name].shape)]
            for name in [*first, *sorted(set(state) - set(first))]}


def groups(side: Side) -> list[list[str]]:
    """Return the parameters' names by group of the optimiser, as its state counts them."""
    names = {id(parameter): name for name, parameter in side.policy.named_parameters()}
    found = list(side.groups())
    if found and not isinstance(found[0], dict):
        found = [{'params': found}]
    return [[names[id(parameter)] for parameter in group['params']] for group in found]


def differences(policy: str, expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray],
                ) -> list[str]:
    """Say in a line each what differs by more than 1e-5 of the largest entry."""
    lines = []
    for name, want in expected.items():
        have = found.get(name)
        if have is None or have.shape != want.shape:
            lines.append(f'{name}: expected {want.shape}, found '
                         f'{"nothing" if have is None else have.shape}')
        elif want.dtype.kind in 'USb' or want.dtype.kind == 'i':
            if not np.array_equal(want, have):
                lines.append(f'{name}: {_first_unlike(want, have)}')
        else:
            gap, limit = difference(want, have), tolerance(policy, name)
            if not gap <= limit:
                lines.append(f'{name}: differs by {gap:.2e} of the largest entry, above {limit}')
    return lines


def difference(want: np.ndarray, have: np.ndarray) -> float:
    """Return the largest difference, as a share of the largest entry."""
    gap = np.abs(want.astype(np.float64) - have).max(initial=0.0)
    return float(gap / max(np.abs(want).max(initial=0.0), 1e-30))


def tolerance(policy: str, name: str) -> float:
    """Return the share of the largest entry by which an output may differ."""
    if name.endswith('gradients'):
        # Where rounding decides which pixel is the largest or above zero, the gradient jumps.
        return 1e-3
    return 1e-4 if policy in LOOPS and name in ('chunk', 'select', 'select_post') else 1e-5


def _first_unlike(want: np.ndarray, have: np.ndarray) -> str:
    if want.dtype.kind != 'U':
        return f'expected {want}, found {have}'
    wanted, held = json.loads(str(want)), json.loads(str(have))
    if isinstance(wanted, dict):
        wanted, held = list(wanted.items()), list(held.items())
    for one, other in zip(wanted, held):
        if one != other:
            return f'expected {str(one)[:200]}, found {str(other)[:200]}'
    return f'expected {len(wanted)} entries, found {len(held)}'
