# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""
What a checkpoint holds beside the policy, in `training_state/`, with LeRobot's names.

Random numbers, optimiser and schedule come back bit for bit, so a resumed training takes the very
steps that it would have taken.
"""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
import random
from typing import Any

from apprentice_policies.tensor_files import read_tensors
from apprentice_policies.tensor_files import write_tensors
from apprentice_training.errors import TrainingError
import numpy as np
import torch
from torch import Tensor

STATE = 'training_state'
STEP_FILE = 'training_step.json'
_OPTIMIZER, _GROUPS = 'optimizer_state.safetensors', 'optimizer_param_groups.json'
_SCHEDULER = 'scheduler_state.json'


def write_json(path: Path, value: Any) -> None:
    """Write a value as the format does: UTF-8, four blanks."""
    path.write_text(json.dumps(value, indent=4), encoding='utf-8')


def read_state_json(path: Path) -> Any:
    """Read a file of the state; raise `TrainingError` where it is missing or broken."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TrainingError(f'{path}: {error}; expected a file of a whole checkpoint. Resume an '
                            'older one, or copy it again') from None


def rng_state() -> dict[str, Tensor]:
    """Return the state of Python's, NumPy's and torch's random numbers."""
    version, words, _ = random.getstate()
    _, values, index, has_gauss, cached = np.random.get_state()
    found = {
        'py_rng_version': torch.tensor([version]), 'py_rng_state': torch.tensor(words),
        'np_rng_state_values': torch.from_numpy(np.asarray(values, np.int64)),
        'np_rng_state_index': torch.tensor([index]),
        'np_rng_has_gauss': torch.tensor([has_gauss]),
        'np_rng_cached_gaussian': torch.tensor([cached], dtype=torch.float32),
        'torch_rng_state': torch.get_rng_state()}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        found['torch_cuda_rng_state'] = torch.cuda.get_rng_state()
    return found


def set_rng_state(state: Mapping[str, Tensor]) -> None:
    """Put back what `rng_state` returned."""
    random.setstate((int(state['py_rng_version']), tuple(state['py_rng_state'].tolist()), None))
    np.random.set_state(('MT19937', state['np_rng_state_values'].numpy().astype(np.uint32),
                         int(state['np_rng_state_index']), int(state['np_rng_has_gauss']),
                         float(state['np_rng_cached_gaussian'])))
    torch.set_rng_state(state['torch_rng_state'])
    if 'torch_cuda_rng_state' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['torch_cuda_rng_state'])


def rng_file(rank: int) -> str:
    """Return the file of a process; the first one's has LeRobot's name."""
    return f'rng_state{f"_{rank}" if rank else ""}.safetensors'


def write_optimizer(folder: Path, optimizer: Any) -> None:
    """Write tensors as `state/INDEX/NAME`, and the groups as JSON."""
    state = optimizer.state_dict()
    write_tensors(folder / _OPTIMIZER, {
        f'state/{index}/{name}': torch.as_tensor(value)
        for index, values in state['state'].items()
        for name, value in values.items() if value is not None})
    # LeRobot's do not compute in one pass, and it compares the type of every value.
    groups = [{**group, **({'fused': None} if 'fused' in group else {})}
              for group in state['param_groups']]
    write_json(folder / _GROUPS, groups)


def read_optimizer(folder: Path, optimizer: Any) -> None:
    """
    Fill an optimiser from a checkpoint.

    :raises TrainingError: it is one of other parameters or of another kind.
    """
    groups = read_state_json(folder / _GROUPS)
    fresh = optimizer.state_dict()['param_groups']
    if [len(one['params']) for one in groups] != [len(one['params']) for one in fresh]:
        raise TrainingError(f'{folder / _GROUPS}: found groups of '
                            f'{[len(one["params"]) for one in groups]} parameters, expected '
                            f'{[len(one["params"]) for one in fresh]}')
    for found, own in zip(groups, fresh):
        # A rate that a schedule began from is no key of an optimiser without one.
        unknown = sorted(found.keys() - own.keys() - {'initial_lr'})
        if unknown:
            raise TrainingError(f'{folder / _GROUPS}: found {unknown}, expected only '
                                f'{sorted(own)}: it is another optimiser')
        own.update({name: tuple(value) if isinstance(own.get(name), tuple) else value
                    for name, value in found.items() if name != 'fused'})
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in read_tensors(folder / _OPTIMIZER).items():
        _, index, name = key.split('/', 2)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({'state': state, 'param_groups': fresh})


def write_scheduler(folder: Path, scheduler: Any) -> None:
    """Write where a schedule stands, if there is one."""
    if scheduler is not None:
        write_json(folder / _SCHEDULER, scheduler.state_dict())


def read_scheduler(folder: Path, scheduler: Any) -> None:
    """Put a schedule where it stood; other versions of torch know other keys."""
    if scheduler is not None:
        own = scheduler.state_dict()
        found = read_state_json(folder / _SCHEDULER)
        own.update({name: value for name, value in found.items()
                    if name in own and name != 'lr_lambdas'})
        scheduler.load_state_dict(own)
